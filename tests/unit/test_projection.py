"""The projector: rows and position together, poison aside, nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from shared.bus import Delivery
from shared.bus.local import LocalBus
from shared.contracts.workflow import PermitClosed
from shared.database import Params, Row, Transaction
from shared.database.sqlite import SqliteDatabase
from shared.errors import Unavailable
from shared.events import Recorded
from shared.projection import Projector
from shared.store.sqlite import SqliteStore
from tests.consuming import Noted, delivery, eventually, new_event, noted, recorded

T = TypeVar("T")
POISON = b'{"poison":true}'


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "views.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
async def projector(database: SqliteDatabase) -> Projector:
    made = Projector(Noted(), database)
    await made.prepare()
    return made


async def test_rows_and_position_move_together(
    projector: Projector, database: SqliteDatabase
) -> None:
    await projector.project(delivery(recorded(1), recorded(2, "b")))
    assert await noted(database) == [("a", 1), ("b", 2)]
    assert await projector.positions() == {"store": 2}


async def test_an_event_that_comes_again_is_folded_once(
    projector: Projector, database: SqliteDatabase
) -> None:
    await projector.project(delivery(recorded(1), recorded(2)))
    await projector.project(delivery(recorded(1), recorded(2), recorded(3)))
    assert await noted(database) == [("a", 1), ("a", 2), ("a", 3)]


async def test_a_resend_within_one_batch_is_folded_once(
    projector: Projector, database: SqliteDatabase
) -> None:
    again = [recorded(1), recorded(2), recorded(1), recorded(2), recorded(3)]
    await projector.project(delivery(*again))
    assert await noted(database) == [("a", 1), ("a", 2), ("a", 3)]


async def test_sources_have_positions_of_their_own(
    projector: Projector, database: SqliteDatabase
) -> None:
    await projector.project(delivery(recorded(7), source="jejak.intake/0"))
    await projector.project(delivery(recorded(3, "b"), source="jejak.intake/1"))
    assert await noted(database) == [("a", 7), ("b", 3)]
    assert await projector.positions() == {"jejak.intake/0": 7, "jejak.intake/1": 3}


async def test_several_sources_of_a_batch_are_folded_in_the_order_of_the_log(
    projector: Projector, database: SqliteDatabase
) -> None:
    await projector.project(
        [
            Delivery("jejak.workflow/0", [recorded(2, kind=PermitClosed), recorded(5)]),
            Delivery("jejak.intake/0", [recorded(1), recorded(3)]),
        ]
    )
    assert [position for _, position in await noted(database)] == [1, 2, 3, 5]


async def test_whatever_a_fold_raises_parks_its_permit_and_the_others_flow(
    projector: Projector, database: SqliteDatabase
) -> None:
    batch = [recorded(n, "ab"[n % 2]) for n in range(1, 9)]
    batch[3] = recorded(4, "a", data=POISON)
    await projector.project(delivery(*batch))
    assert await noted(database) == [("b", 1), ("a", 2), ("b", 3), ("b", 5), ("b", 7)]
    parked = [(one.position, one.reason) for one in await projector.parking.all()]
    assert parked == [(4, "ZeroDivisionError"), (6, "behind"), (8, "behind")]
    assert await projector.positions() == {"store": 8}


async def test_later_batches_of_a_parked_permit_wait_behind_it(
    projector: Projector, database: SqliteDatabase
) -> None:
    await projector.project(delivery(recorded(1, data=POISON)))
    await projector.project(delivery(recorded(2), recorded(3, "b")))
    assert await noted(database) == [("b", 3)]
    assert [one.position for one in await projector.parking.all()] == [1, 2]


async def test_one_poison_among_many_costs_few_transactions(database: SqliteDatabase) -> None:
    projection = Noted()
    projector = Projector(projection, database)
    await projector.prepare()
    batch = [recorded(n, f"p{n}") for n in range(1, 2049)]
    batch[1000] = recorded(1001, "p1001", data=POISON)
    await projector.project(delivery(*batch))
    assert len(await noted(database)) == 2047
    # Halving 2048 takes 11 steps down, with one fold beside each.
    assert len(projection.batches) <= 2 * 12


async def test_a_crash_in_the_middle_of_a_fold_leaves_nothing_behind(
    database: SqliteDatabase,
) -> None:
    class Killed(BaseException):
        """Not an Exception: as if the process ended here."""

    class Dies(Noted):
        def apply(self, tx: Transaction, events: Sequence[Recorded]) -> None:
            super().apply(tx, events)
            raise Killed

    projector = Projector(Dies(), database)
    await projector.prepare()
    with pytest.raises(Killed):
        await projector.project(delivery(recorded(1)))
    assert await noted(database) == []
    assert await projector.positions() == {}
    await Projector(Noted(), database).project(delivery(recorded(1)))
    assert await noted(database) == [("a", 1)]


class Away:
    """A database that is away for the first calls. Its own kind of ``Database``, over another."""

    def __init__(self, database: SqliteDatabase, times: int) -> None:
        self._database = database
        self.times = times

    async def transaction(self, work: Callable[[Transaction], T]) -> T:
        if self.times:
            self.times -= 1
            raise Unavailable
        return await self._database.transaction(work)

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        return await self._database.query(sql, params)

    async def peek(self, sql: str, params: Params = ()) -> list[Row]:
        return await self._database.peek(sql, params)

    def beside(self, name: str) -> SqliteDatabase:
        return self._database.beside(name)

    async def close(self) -> None:
        await self._database.close()


async def test_a_database_that_is_away_is_waited_for_and_parks_nobody(
    projector: Projector, database: SqliteDatabase
) -> None:
    away = Away(database, times=2)
    waiting = Projector(Noted(), away)
    await waiting.project(delivery(recorded(1), recorded(2)))
    assert away.times == 0
    assert await noted(database) == [("a", 1), ("a", 2)]
    assert await waiting.parking.all() == []


async def test_progress_is_told_after_the_commit(database: SqliteDatabase) -> None:
    told: list[int] = []
    projector = Projector(Noted(), database, told.append)
    await projector.prepare()
    await projector.project(delivery(recorded(1), recorded(5)))
    assert told == [5]


class Office:
    """A store, a bus and a read model in files, that may be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "events.sqlite")
        self.checkpoints = SqliteDatabase(folder / "bus.sqlite")
        self.views = SqliteDatabase(folder / "views.sqlite")
        self.bus = LocalBus(self.store, self.checkpoints)

    async def project_until(self, count: int) -> None:
        """Run the projector until ``count`` rows are there, then end it."""
        subscription = await self.bus.subscribe("noted", Noted.topics)
        running = asyncio.create_task(Projector(Noted(), self.views).run(subscription))
        await eventually(lambda: self._has(count))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await subscription.close()

    async def _has(self, count: int) -> bool:
        tables = await self.views.query("SELECT name FROM sqlite_master WHERE name = 'noted'")
        return bool(tables) and len(await noted(self.views)) >= count

    async def close(self) -> None:
        await self.bus.close()
        for part in (self.views, self.checkpoints, self.store):
            await part.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Return the read model's files as they are now."""
    return {file.name: file.read_bytes() for file in folder.glob("views.sqlite*")}


def put_back(folder: Path, files: dict[str, bytes]) -> None:
    """Let the read model be as it was in ``files``; gone, if there are none."""
    for file in folder.glob("views.sqlite*"):
        file.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


async def _append(store: SqliteStore, first: int, count: int) -> None:
    for number in range(first, first + count):
        await store.append(f"application-{number % 3}", [new_event(str(number % 3), number)])


async def test_a_lost_read_model_is_rebuilt_though_the_bus_went_on(tmp_path: Path) -> None:
    office = Office(tmp_path)
    await _append(office.store, 0, 20)
    await office.project_until(20)
    await office.close()
    put_back(tmp_path, {})
    office = Office(tmp_path)
    await office.project_until(20)
    assert [position for _, position in await noted(office.views)] == list(range(1, 21))
    await office.close()


async def test_a_read_model_that_lost_its_last_rows_is_filled_again(tmp_path: Path) -> None:
    office = Office(tmp_path)
    await _append(office.store, 0, 10)
    await office.project_until(10)
    await office.close()
    kept = contents(tmp_path)
    office = Office(tmp_path)
    await _append(office.store, 10, 10)
    await office.project_until(20)
    await office.close()
    # A power cut may take the last transactions, and the bus's checkpoint is ahead of the rows.
    put_back(tmp_path, kept)
    office = Office(tmp_path)
    await office.project_until(20)
    assert [position for _, position in await noted(office.views)] == list(range(1, 21))
    await office.close()
