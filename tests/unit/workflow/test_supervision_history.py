"""The history's read model: what it keeps of turns, outcomes, stalls and days, and its figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.workflow.permit import stream
from services.workflow.supervision.figures import Figures, Pace
from services.workflow.supervision.history import HistoryProjection
from shared.actors import APPLICANT, Actor, Role, system
from shared.bus import Delivery
from shared.calendar import MINUTE_US
from shared.contracts import workflow as e
from shared.database import Database, Transaction
from shared.database.sqlite import SqliteDatabase
from shared.events import to_micros
from shared.ids import derived_id, new_id
from shared.projection import Projector
from tests.unit.workflow.kit import DAY, local
from tests.unit.workflow.office import SmallOffice, small_office, submitted

VERIFIER = Actor("officer", "verifikator", "contoh", frozenset({Role.VERIFIER}))
OTHER = Actor("officer", "lain", "contoh", frozenset({Role.VERIFIER}))
TABLES = ("files", "turns", "outcomes", "stalls", "days")


class History:
    """The history of a small office, and facts to put into it."""

    def __init__(self, office: SmallOffice) -> None:
        self.office = office
        self.figures = Figures(office.database)
        self.projector = self.made(office.database)

    def made(self, database: Database) -> Projector:
        office = self.office
        projection = HistoryProjection(
            office.codec, office.catalogue, office.sops, office.calendars
        )
        return Projector(projection, database)

    async def write(self, app: str, *facts: tuple[Any, datetime, Actor]) -> None:
        """Append facts to a permit's stream."""
        codec, store = self.office.codec, self.office.store
        there = await store.read_stream(stream(app))
        envelopes = [
            codec.envelope(event, new_id(), to_micros(at), str(by), new_id(), app)
            for event, at, by in facts
        ]
        await store.append(stream(app), envelopes, len(there))

    async def permit(self, index: int, minutes: int, by: Actor = VERIFIER) -> str:
        """Let a file be verified within ``minutes`` of Monday 8:00 and issued at once."""
        app = derived_id("history", index)
        start = local(5, 8)
        done = start + timedelta(minutes=minutes)
        await self.write(
            app,
            (opened(app, index), start, system("workflow")),
            (e.StageStarted(application_id=app, stage="verify", role="verifier"), start, by),
            (e.StageCompleted(application_id=app, stage="verify"), done, by),
            (
                e.PermitIssued(application_id=app, number=f"CTH-{index}", document_number="1"),
                done,
                by,
            ),
        )
        return app

    async def project(self, projector: Projector | None = None, *, batch: int = 500) -> None:
        to = projector or self.projector
        await to.prepare()
        events = await self.office.store.read_all(0, 10_000)
        for start in range(0, len(events), batch):
            await to.project([Delivery("store", events[start : start + batch])])

    async def rows(self, database: Database | None = None) -> dict[str, list[Any]]:
        found = {}
        for name in TABLES:
            sql = f"SELECT * FROM history_{name} ORDER BY 1, 2"
            found[name] = await (database or self.office.database).query(sql)
        return found


def opened(app: str, index: int) -> e.PermitOpened:
    return e.PermitOpened(
        application_id=app,
        number=f"CTH-2026-{index:06d}",
        office="contoh",
        permit_type="izin",
        permit_version=1,
    )


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    async with small_office(tmp_path) as office:
        yield History(office)


async def test_percentiles_are_those_of_the_nearest_rank(history: History) -> None:
    for index in range(1, 11):
        await history.permit(index, index * 10)
    await history.project()
    pace = await history.figures.pace(("stage",), ["contoh"])
    assert pace == {
        ("verify",): Pace(10, 10, 50 * MINUTE_US, 90 * MINUTE_US, budgeted=10, on_time=10)
    }


async def test_a_turn_beyond_its_budget_is_not_in_time(history: History) -> None:
    # Verification has one day of eight hours: 16:00 on Monday is in time, 9:00 on Tuesday is not.
    await history.permit(1, DAY)
    await history.permit(2, 25 * 60)
    await history.project()
    found = await history.figures.pace(("stage",), ["contoh"])
    assert (found["verify",].budgeted, found["verify",].on_time) == (2, 1)


async def test_each_officer_has_figures_of_their_own(history: History) -> None:
    await history.permit(1, 30)
    await history.permit(2, 60, OTHER)
    await history.permit(3, 90, OTHER)
    await history.project()
    found = await history.figures.pace(("officer",), ["contoh"])
    assert {who: pace.turns for (who,), pace in found.items()} == {
        "officer:verifikator": 1,
        "officer:lain": 2,
    }
    only = await history.figures.pace(("stage",), ["contoh"], officer="officer:verifikator")
    assert only["verify",].median_us == 30 * MINUTE_US


async def test_figures_are_of_a_month_and_of_the_offices_asked_about(history: History) -> None:
    await history.permit(1, 30)
    await history.project()
    figures = history.figures
    assert await figures.months(["contoh"]) == ["2026-01"]
    assert await figures.pace(("stage",), ["contoh"], first="2026-02") == {}
    assert await figures.pace(("stage",), ["contoh"], last="2025-12") == {}
    assert await figures.pace(("stage",), ["lain"]) == {}
    assert len(await figures.pace(("stage",), ["lain", "contoh"], first="2026-01")) == 1


async def test_a_finished_file_teaches_what_was_left_at_its_place(history: History) -> None:
    await history.permit(1, 90)
    await history.project()
    (sample,) = await history.figures.samples("contoh", "izin", "verify", 0)
    assert (sample.left, sample.spent) == (90 * MINUTE_US, 90 * MINUTE_US)
    # A file that has stood there longer than this one did is told nothing by it.
    assert await history.figures.samples("contoh", "izin", "verify", 91 * MINUTE_US) == []


async def test_applications_are_counted_by_local_day_and_channel(history: History) -> None:
    # 23:30 in Jakarta on the 5th is still the 5th there, though 16:30 UTC.
    for index, (at, channel) in enumerate(
        ((local(5, 23, 30), "online"), (local(6, 0, 30), "online"), (local(6, 9), "counter"))
    ):
        app = derived_id("day", index)
        history.office.at = at
        event = submitted(app, f"CTH-2026-{index:06d}", channel=channel)
        await history.office.happened(f"application-{app}", event, app, APPLICANT)
    await history.project()
    days = await history.figures.days(["contoh"], date(2026, 1, 1), date(2026, 1, 31))
    assert days == {date(2026, 1, 5): {"online": 1}, date(2026, 1, 6): {"online": 1, "counter": 1}}
    assert await history.figures.last_day(["contoh"]) == date(2026, 1, 6)
    assert await history.figures.last_day(["lain"]) is None


def stall(app: str, name: str) -> e.StallExplanationRequested:
    return e.StallExplanationRequested(
        application_id=app,
        office="contoh",
        stage="verify",
        stall_id=name,
        asked="verifikator",
        answer_by=local(6, 10).isoformat(),
    )


async def test_a_stall_is_asked_escalated_explained_and_over(history: History) -> None:
    app, worker, figures = derived_id("stall", 1), system("workflow"), history.figures
    about = {"application_id": app, "office": "contoh", "stage": "verify", "stall_id": "s1"}
    steps: list[tuple[str, Any, datetime, Actor]] = [
        ("asked", stall(app, "s1"), local(6, 8), worker),
        ("escalated", e.StallEscalated(**about, to="supervisor"), local(6, 10), worker),
        ("escalated", e.StallEscalated(**about, to="head"), local(6, 14), worker),
        (
            "explained",
            e.StallExplained(
                application_id=app,
                stage="verify",
                stall_id="s1",
                explanation="Petugas sakit",
                promised="2026-01-08",
            ),
            local(6, 15),
            VERIFIER,
        ),
        ("ended", e.StageCompleted(application_id=app, stage="verify"), local(7, 9), VERIFIER),
    ]
    await history.write(
        app,
        (opened(app, 1), local(5, 8), worker),
        (e.StageStarted(application_id=app, stage="verify", role="verifier"), local(5, 8), worker),
    )
    for state, event, at, by in steps:
        await history.write(app, (event, at, by))
        await history.project()
        counts = await figures.stall_counts(["contoh"])
        assert counts == {name: int(name == state) for name in counts}
        assert len(await figures.stalls(["contoh"], state, 10)) == 1
        assert len(await figures.stalls(["contoh"], "", 10)) == int(state != "ended")
    (told,) = await figures.stalls(["contoh"], "ended", 10)
    assert (told.number, told.asked, told.explanation) == (
        "CTH-2026-000001",
        "verifikator",
        "Petugas sakit",
    )
    assert (told.explained_by, told.promised) == ("officer:verifikator", "2026-01-08")
    assert (told.supervisor_us, told.head_us) == (
        to_micros(local(6, 10)),
        to_micros(local(6, 14)),
    )


async def test_any_batches_and_any_repetition_end_in_the_same_rows(
    history: History, tmp_path: Path
) -> None:
    for index in range(1, 6):
        await history.permit(index, index * 37)
    await history.project()
    await history.project(batch=3)
    other = SqliteDatabase(tmp_path / "other.sqlite")
    try:
        await history.project(history.made(other), batch=1)
        assert await history.rows(other) == await history.rows()
    finally:
        await other.close()


async def test_tables_that_another_version_made_are_filled_anew(history: History) -> None:
    await history.permit(1, 60)
    await history.project()
    before = await history.rows()

    def older(tx: Transaction) -> None:
        tx.execute("DROP TABLE history_turns")
        tx.execute("UPDATE shapes SET shape = 'another'")

    await history.office.database.transaction(older)
    await history.project()
    assert await history.rows() == before


async def test_an_office_without_a_valid_procedure_still_counts_its_turns(
    history: History,
) -> None:
    app = derived_id("odd", 1)
    odd = e.PermitOpened(
        application_id=app,
        number="CTH-2026-000009",
        office="contoh",
        permit_type="tiada",
        permit_version=1,
    )
    await history.write(
        app,
        (odd, local(5, 8), VERIFIER),
        (e.StageStarted(application_id=app, stage="x", role=""), local(5, 8), VERIFIER),
        (e.StageCompleted(application_id=app, stage="x"), local(5, 9), VERIFIER),
    )
    await history.project()
    found = await history.figures.pace(("stage",), ["contoh"])
    assert found["x",] == Pace(1, 0, None, None, 0, 0)
    assert await history.office.database.query("SELECT * FROM parked") == []
