"""The read model: what it shows, that a rebuild shows the same, and that it can be waited for."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from services.intake.views import ApplicationRow, Applications, ApplicationsProjection
from shared.codec import Codec
from shared.contracts.intake import RegistrationNumbersReserved
from shared.database import Transaction
from shared.database.sqlite import SqliteDatabase
from shared.events import Recorded, to_micros
from shared.ids import derived_id
from tests.spec import START
from tests.unit.intake.house import House
from tests.unit.intake.samples import (
    CORRECTED,
    NEW_KTP,
    REGISTERED,
    REOPENED,
    RETURNED,
    SUBMITTED,
    WITHDRAWN,
    but,
)

CODEC = Codec()


def recorded(*events: object) -> list[Recorded]:
    """Return events as the store gives them back, from position 1 on."""
    made = []
    for position, event in enumerate(events, 1):
        application = getattr(event, "application_id", "office-bogor")
        new = CODEC.envelope(
            event, derived_id(position), to_micros(START) + position, "system", "c", application
        )
        made.append(
            Recorded(
                position,
                f"application-{application}",
                position,
                *new[:4],
                new.occurred_us,
                new.occurred_us,
                new.actor,
                new.cause_id,
                new.correlation_id,
            )
        )
    return made


def apply(projection: ApplicationsProjection, batch: list[Recorded], tx: Transaction) -> None:
    projection.apply(tx, batch)


async def folded(folder: Path, *batches: list[Recorded]) -> list[ApplicationRow]:
    """Return the rows after the batches, from a database of their own."""
    database = SqliteDatabase(folder.with_suffix(".sqlite"))
    projection = ApplicationsProjection(CODEC)
    await database.transaction(projection.create)
    for batch in batches:
        await database.transaction(partial(apply, projection, batch))
    rows = await database.query("SELECT * FROM applications ORDER BY application_id")
    await database.close()
    return [ApplicationRow(*row) for row in rows]


async def test_each_event_leaves_its_mark(tmp_path: Path) -> None:
    histories: dict[str, list[object]] = {
        "submitted": [SUBMITTED],
        "returned": [SUBMITTED, RETURNED],
        "registered": [SUBMITTED, REGISTERED],
        "withdrawn": [SUBMITTED, RETURNED, WITHDRAWN],
    }
    for status, history in histories.items():
        (row,) = await folded(tmp_path / status, recorded(*history))
        assert (row.status, row.position) == (status, len(history))


async def test_a_correction_leads_back_to_where_it_was(tmp_path: Path) -> None:
    (row,) = await folded(tmp_path / "new", recorded(SUBMITTED, RETURNED, CORRECTED))
    assert (row.status, row.corrections) == ("submitted", 1)
    later = recorded(SUBMITTED, REGISTERED, REOPENED, but(CORRECTED, documents=(NEW_KTP,)))
    (row,) = await folded(tmp_path / "later", later)
    assert (row.status, row.registered, row.documents) == ("registered", 1, 1)


async def test_how_events_are_batched_makes_no_difference(tmp_path: Path) -> None:
    other = but(SUBMITTED, application_id="app-2", number="BGR-2026-000002")
    reserved = RegistrationNumbersReserved(office="bogor", year=2026, first=1, count=2)
    events = recorded(reserved, SUBMITTED, RETURNED, other, CORRECTED, REGISTERED)
    together = await folded(tmp_path / "together", events)
    one_by_one = await folded(tmp_path / "one", *[[event] for event in events])
    assert together == one_by_one
    assert [row.status for row in together] == ["registered", "submitted"]


async def test_the_rows_hold_no_personal_data(tmp_path: Path) -> None:
    (row,) = await folded(tmp_path / "rows", recorded(SUBMITTED))
    assert not {"Pemohon Contoh", "3271046504930002", "+6281212345678"} & set(map(str, row))


async def test_who_acted_waits_for_the_row_and_not_for_ever(house: House) -> None:
    got = await house.submit()
    applications = Applications(house.service.database)
    position = (await house.events(got["application_id"]))[0].position
    assert await applications.wait_for(got["application_id"], position)
    async with asyncio.timeout(1):
        assert not await applications.wait_for(got["application_id"], position + 9, 0.05)
        assert not await applications.wait_for("tidak-ada", 1, 0.05)


async def test_who_is_faster_than_the_list_waits_for_it(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "own.sqlite")
    projection, applications = ApplicationsProjection(CODEC), Applications(database)
    await database.transaction(projection.create)
    asked = asyncio.create_task(applications.soon(SUBMITTED.number, 5))
    await asyncio.sleep(0.05)
    assert not asked.done()
    await database.transaction(partial(apply, projection, recorded(SUBMITTED)))
    applications.progressed()
    async with asyncio.timeout(2):
        found = await asked
        assert found is not None
        assert found.application_id == SUBMITTED.application_id
        assert await applications.soon("BGR-2026-999999", 0.05) is None
    await database.close()
