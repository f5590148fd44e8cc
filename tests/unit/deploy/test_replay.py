"""Replay folds the log anew elsewhere, and finds any row that the log does not explain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.replay import Rebuilt, rebuild
from services.intake.views import ApplicationsProjection
from shared.bus import Delivery
from shared.codec import Codec
from shared.contracts.intake import ApplicationRegistered, ApplicationSubmitted
from shared.database.sqlite import SqliteDatabase
from shared.ids import derived_id
from shared.projection import Projector
from shared.store.sqlite import SqliteStore
from tests.examples import example

_CODEC = Codec()
OCCURRED_US = 1_767_575_000_000_000


@dataclass
class Office:
    """A store with applications, and the read model that was folded from it."""

    store: SqliteStore
    database: SqliteDatabase
    projection: ApplicationsProjection
    folder: Path

    async def submit(self, *names: str, registered: bool = False) -> None:
        """Append an application for each name."""
        for name in names:
            await self._append(name, ApplicationSubmitted, 0)
            if registered:
                await self._append(name, ApplicationRegistered, 1)

    async def _append(self, name: str, kind: type, version: int) -> None:
        event: object = example(kind, application_id=name, number=f"BGR-2026-{name}")
        identity = derived_id(name, kind.__name__)
        new = _CODEC.envelope(event, identity, OCCURRED_US, "applicant", identity, name)
        await self.store.append(f"application-{name}", [new], version)

    async def project(self, *, events: int = 1000) -> None:
        """Fold what was appended since, as the running office does."""
        projector = Projector(self.projection, self.database)
        await projector.prepare()
        done = (await projector.positions()).get("store", 0)
        await projector.project([Delivery("store", await self.store.read_all(done, events))])

    async def check(self) -> Rebuilt:
        """Rebuild and compare."""
        self.folder.mkdir(exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()
        return await rebuild(self.projection, self.database, self.store, self.folder, check=True)

    async def tamper(self, sql: str) -> None:
        """Change the read model behind the office's back."""
        await self.database.transaction(lambda tx: tx.execute(sql))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with three applications, one of them registered."""
    store = SqliteStore(tmp_path / "events.sqlite")
    database = SqliteDatabase(tmp_path / "intake.sqlite")
    opened = Office(store, database, ApplicationsProjection(_CODEC), tmp_path / "rebuilt")
    await opened.submit("a", "b")
    await opened.submit("c", registered=True)
    await opened.project()
    yield opened
    await database.close()
    await store.close()


async def test_an_honest_read_model_equals_its_log(office: Office) -> None:
    rebuilt = await office.check()
    assert rebuilt.difference is None
    assert (rebuilt.name, rebuilt.events, rebuilt.rows) == ("applications", 4, 3)


async def test_the_same_log_gives_the_same_hash_and_another_log_another(office: Office) -> None:
    first, again = await office.check(), await office.check()
    assert first.state_hash == again.state_hash
    await office.submit("d")
    await office.project()
    assert (await office.check()).state_hash != first.state_hash


@pytest.mark.parametrize(
    ("sql", "key"),
    [
        ("UPDATE applications SET status = 'withdrawn' WHERE application_id = 'b'", "b"),
        ("UPDATE applications SET changed_us = changed_us + 1 WHERE application_id = 'c'", "c"),
        ("DELETE FROM applications WHERE application_id = 'a'", "a"),
        (
            "INSERT INTO applications SELECT 'x', number, office, permit_type, permit_version, "
            "channel, documents, status, registered, corrections, submitted_us, changed_us, "
            "position FROM applications WHERE application_id = 'a'",
            "x",
        ),
    ],
)
async def test_a_changed_lost_or_invented_row_is_named(office: Office, sql: str, key: str) -> None:
    await office.tamper(sql)
    difference = (await office.check()).difference
    assert difference is not None
    assert (difference.table, difference.key) == ("applications", f'["{key}"]')
    assert difference.live != difference.rebuilt


async def test_an_office_that_goes_on_meanwhile_is_met_where_it_is(office: Office) -> None:
    goes_on = asyncio.Event()

    class Watched(SqliteStore):
        async def head(self) -> int:
            """Return the head as it was before the office went on."""
            head = await super().head()
            if not goes_on.is_set():
                goes_on.set()
                await office.submit("d", "e")
                await office.project()
            return head

    office.folder.mkdir()
    store = Watched(office.folder.parent / "events.sqlite")
    rebuilt = await rebuild(office.projection, office.database, store, office.folder, check=True)
    await store.close()
    assert rebuilt.difference is None
    assert rebuilt.rows == 5


async def test_a_read_model_that_is_behind_is_waited_for(office: Office) -> None:
    await office.submit("d")

    async def later() -> None:
        await asyncio.sleep(0.3)
        await office.project()

    catching_up = asyncio.create_task(later())
    assert (await office.check()).difference is None
    await catching_up


async def test_without_a_check_nothing_live_is_asked(office: Office) -> None:
    await office.tamper("DELETE FROM applications")
    office.folder.mkdir()
    rebuilt = await rebuild(
        office.projection, office.database, office.store, office.folder, check=False
    )
    assert (rebuilt.rows, rebuilt.difference) == (3, None)
