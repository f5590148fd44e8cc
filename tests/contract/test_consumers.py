"""Consumers over both databases: what rests on the database's own locks and SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.bus import Delivery
from shared.codec import Codec
from shared.contracts.intake import ApplicationWithdrawn
from shared.database import Database
from shared.database.postgres import PostgresDatabase
from shared.database.sqlite import SqliteDatabase
from shared.events import Recorded
from shared.leases import TableLease
from shared.parking import parked, retry
from shared.projection import Projector
from shared.reactions import Reactor
from shared.store.sqlite import SqliteStore
from tests.consuming import Noted, new_event, recorded

Open = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgres"])
async def connect(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Open one more client of the same database, as another process would."""
    dsn = request.getfixturevalue("postgres_dsn") if request.param == "postgres" else ""
    opened: list[Database] = []

    def one_more() -> Database:
        made = PostgresDatabase(dsn, "views") if dsn else SqliteDatabase(tmp_path / "views.sqlite")
        opened.append(made)
        return made

    yield one_more
    for database in opened:
        await database.close()


async def positions(database: Database) -> list[int]:
    """Return what ``Noted`` wrote down, by position."""
    return [row[0] for row in await database.query("SELECT position FROM noted ORDER BY position")]


def batches(count: int, sources: int = 4) -> list[list[Delivery]]:
    """Return ``count`` events of several partitions, ten to a batch."""
    events: list[list[Recorded]] = [[] for _ in range(sources)]
    for n in range(1, count + 1):
        events[n % sources].append(recorded(n, f"p{n % sources}"))
    size = len(events[0])
    return [
        [Delivery(f"jejak.intake/{s}", events[s][at : at + 10]) for s in range(sources)]
        for at in range(0, size, 10)
    ]


async def test_an_old_and_a_new_owner_of_a_partition_fold_nothing_twice(connect: Open) -> None:
    owners = [Projector(Noted(), connect()) for _ in range(3)]
    await owners[0].prepare()

    async def fold(owner: Projector) -> None:
        for batch in batches(400):
            await owner.project(batch)

    await asyncio.gather(*map(fold, owners))
    assert await positions(connect()) == list(range(1, 401))


async def test_processes_that_start_at_once_make_the_tables_once(connect: Open) -> None:
    await asyncio.gather(*(Projector(Noted(), connect()).prepare() for _ in range(4)))
    assert await positions(connect()) == []


async def test_of_many_candidates_one_leads(connect: Open) -> None:
    leases = [TableLease(connect(), "relay", str(n)) for n in range(6)]
    terms = await asyncio.gather(*(lease.acquire() for lease in leases))
    [leader] = [n for n, term in enumerate(terms) if term is not None]
    await leases[leader].save(12)
    await leases[leader].release()
    term = await TableLease(connect(), "relay", "next").acquire()
    assert term is not None
    assert (term.token, term.position) == (2, 12)


async def test_poison_is_parked_and_retried(connect: Open, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.sqlite")
    await _append(store, "abaa")
    projection = Noted()
    projection.poison = b'"application_id":"a"'
    projector = Projector(projection, connect())
    await projector.prepare()
    await projector.project([Delivery("store", await store.read_all(0))])
    reasons = [one.reason for one in await parked([projector])]
    assert reasons == ["ZeroDivisionError", "behind", "behind"]
    projection.poison = b"nobody has this"
    await retry([projector], "a", store)
    assert await parked([projector]) == []
    assert await positions(connect()) == [1, 2, 3, 4]
    await store.close()


async def test_a_retry_in_another_process_meets_events_that_arrive(
    connect: Open, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "events.sqlite")
    await _append(store, "a" * 60)
    broken = True
    done: list[int] = []

    async def react(event: Any, cause: Recorded) -> None:
        if broken:
            raise ValueError
        done.append(cause.position)

    def reactor() -> Reactor:
        table = {ApplicationWithdrawn: react}
        return Reactor("tester", ("jejak.intake",), table, Codec(), connect())

    running, command = reactor(), reactor()
    await running.prepare()
    events = await store.read_all(0)
    await running.react([Delivery("store", events[:30])])
    broken = False

    async def arrive(later: Sequence[Recorded]) -> None:
        for one in later:
            await running.react([Delivery("store", [one])])

    await asyncio.gather(arrive(events[30:]), retry([command], "a", store))
    await retry([command], "a", store)
    assert done == list(range(1, 61))
    assert await parked([command]) == []
    await store.close()


async def _append(store: SqliteStore, applications: str) -> None:
    for number, application in enumerate(applications):
        await store.append(f"application-{application}", [new_event(application, number)])
