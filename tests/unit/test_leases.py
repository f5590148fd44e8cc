"""The lease: one leader, and an old one that can do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.database.sqlite import SqliteDatabase
from shared.leases import LeaseLost, TableLease, Term


class Clock:
    """A monotonic clock that stands still until it is told to move: a process that is frozen."""

    def __init__(self, now: float = 0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "relay.sqlite")
    yield opened
    await opened.close()


def candidate(database: SqliteDatabase, holder: str, clock: Clock) -> TableLease:
    """Return a candidate whose term is ten seconds of its clock."""
    return TableLease(database, "relay", holder, seconds=10, clock=clock)


async def test_the_first_candidate_leads_from_the_beginning(database: SqliteDatabase) -> None:
    assert await candidate(database, "one", Clock()).acquire() == Term(token=1, position=0)


async def test_the_others_wait(database: SqliteDatabase) -> None:
    await candidate(database, "one", Clock()).acquire()
    assert await candidate(database, "two", Clock()).acquire() is None


async def test_of_many_at_once_one_leads(database: SqliteDatabase) -> None:
    candidates = [candidate(database, str(n), Clock()) for n in range(20)]
    terms = await asyncio.gather(*(one.acquire() for one in candidates))
    assert len([term for term in terms if term is not None]) == 1


async def test_a_silent_leader_is_replaced_after_a_term_of_watching(
    database: SqliteDatabase,
) -> None:
    await candidate(database, "one", Clock()).acquire()
    clock = Clock(1000)
    other = candidate(database, "two", clock)
    assert await other.acquire() is None
    clock.now += 9.9
    assert await other.acquire() is None
    clock.now += 0.1
    assert await other.acquire() == Term(token=2, position=0)


async def test_a_renewed_lease_is_not_taken(database: SqliteDatabase) -> None:
    leader, clock = candidate(database, "one", Clock()), Clock()
    await leader.acquire()
    other = candidate(database, "two", clock)
    for _ in range(5):
        assert await other.acquire() is None
        clock.now += 9
        await leader.renew()
    clock.now += 9
    assert await other.acquire() is None


async def test_a_clock_a_day_ahead_takes_nothing(database: SqliteDatabase) -> None:
    await candidate(database, "one", Clock()).acquire()
    assert await candidate(database, "two", Clock(86_400)).acquire() is None


async def test_a_released_lease_is_free_at_once(database: SqliteDatabase) -> None:
    leader = candidate(database, "one", Clock())
    await leader.acquire()
    await leader.save(7)
    await leader.release()
    assert await candidate(database, "two", Clock()).acquire() == Term(token=2, position=7)


async def test_the_checkpoint_goes_over_to_the_next(database: SqliteDatabase) -> None:
    leader, clock = candidate(database, "one", Clock()), Clock()
    await leader.acquire()
    await leader.save(42)
    other = candidate(database, "two", clock)
    await other.acquire()
    clock.now += 10
    assert await other.acquire() == Term(token=2, position=42)


async def taken_over(database: SqliteDatabase) -> tuple[TableLease, TableLease]:
    """Return a paused old leader and the new one."""
    old, clock = candidate(database, "one", Clock()), Clock()
    await old.acquire()
    await old.save(5)
    new = candidate(database, "two", clock)
    await new.acquire()
    clock.now += 10
    await new.acquire()
    return old, new


async def test_a_paused_old_leader_may_not_move_the_checkpoint(database: SqliteDatabase) -> None:
    old, new = await taken_over(database)
    # Its own clock stood still, so it believes that it leads.
    old.check()
    with pytest.raises(LeaseLost):
        await old.save(6)
    with pytest.raises(LeaseLost):
        old.check()
    await new.save(9)
    await new.release()
    assert await candidate(database, "three", Clock()).acquire() == Term(token=3, position=9)


async def test_a_paused_old_leader_may_not_renew(database: SqliteDatabase) -> None:
    old, new = await taken_over(database)
    with pytest.raises(LeaseLost):
        await old.renew()
    await new.renew()


async def test_an_old_leader_that_lets_go_lets_go_of_nothing(database: SqliteDatabase) -> None:
    old, new = await taken_over(database)
    await old.release()
    await new.renew()
    assert await candidate(database, "three", Clock()).acquire() is None


async def test_a_leader_that_could_not_renew_stops_by_its_own_clock(
    database: SqliteDatabase,
) -> None:
    clock = Clock()
    leader = candidate(database, "one", clock)
    await leader.acquire()
    clock.now = 9.9
    leader.check()
    clock.now = 10
    with pytest.raises(LeaseLost):
        leader.check()


async def test_a_race_for_a_silent_lease_has_one_winner(database: SqliteDatabase) -> None:
    await candidate(database, "dead", Clock()).acquire()
    clocks = [Clock() for _ in range(10)]
    candidates = [candidate(database, str(n), clock) for n, clock in enumerate(clocks)]
    await asyncio.gather(*(one.acquire() for one in candidates))
    for clock in clocks:
        clock.now += 10
    terms = await asyncio.gather(*(one.acquire() for one in candidates))
    assert [term for term in terms if term is not None] == [Term(token=2, position=0)]
