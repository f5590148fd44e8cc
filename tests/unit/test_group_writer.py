"""Who is served when: single appends go ahead of a bulk, and neither starves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shared.events import NewEvent
from shared.store.grouping import AnyAppend, Result, plan
from shared.store.limits import Limits
from shared.store.protocol import Batch
from shared.store.writer import GroupWriter
from tests.contract.stores import new_event, stream_name


class Log:
    """Commits in memory, and keeps the streams of every group."""

    def __init__(self) -> None:
        """Start empty."""
        self.groups: list[list[str]] = []

    async def commit(self, group: Sequence[AnyAppend]) -> list[Result]:
        """Judge a group as a store would, none of whose streams exist."""
        self.groups.append([append.stream for append in group])
        return plan(group, 0, 0, dict.fromkeys(self.groups[-1], 0), {}).results


def events(stream: str) -> list[NewEvent]:
    return [new_event(stream)]


def batches(count: int) -> list[Batch]:
    return [Batch(name, events(name), 0) for name in (stream_name() for _ in range(count))]


async def test_a_single_append_overtakes_a_bulk_that_waits() -> None:
    log = Log()
    writer = GroupWriter(log.commit, Limits())
    bulk = asyncio.create_task(writer.append_many(batches(200)))
    await asyncio.sleep(0)
    (recorded,) = await writer.append(name := stream_name(), events(name), 0)
    assert recorded.stream == name
    assert not bulk.done()
    assert all(len(told) == 1 for told in await bulk if isinstance(told, list))
    assert sum(map(len, log.groups)) == 201


async def test_a_bulk_is_not_starved_by_single_appends() -> None:
    log = Log()
    writer = GroupWriter(log.commit, Limits())
    bulk = asyncio.create_task(writer.append_many(batches(60)))
    while not bulk.done():
        await asyncio.gather(
            *(writer.append(name, events(name), 0) for name in (stream_name(), stream_name()))
        )
    assert all(isinstance(told, list) for told in await bulk)


async def test_a_bulk_takes_larger_groups_while_nobody_else_appends() -> None:
    log = Log()
    # Alone a commit may take for ever, beside others no time at all: only who is there counts.
    writer = GroupWriter(log.commit, Limits(bulk_seconds=60, bulk_beside_others_seconds=0))
    await writer.append_many(batches(400))
    alone = max(map(len, log.groups))
    log.groups.clear()
    bulk = asyncio.create_task(writer.append_many(batches(1000)))
    while not bulk.done():
        await writer.append(name := stream_name(), events(name), 0)
    beside_others = max(map(len, log.groups[-10:]))
    assert beside_others < 10 < alone


class SlowLog(Log):
    """A disk on which any commit takes 20 ms, however small."""

    async def commit(self, group: Sequence[AnyAppend]) -> list[Result]:
        """Wait, and commit."""
        await asyncio.sleep(0.02)
        return await super().commit(group)


async def test_a_bulk_takes_larger_groups_where_small_ones_are_as_slow() -> None:
    log = SlowLog()
    writer = GroupWriter(log.commit, Limits(bulk_beside_others_seconds=0.015))
    await writer.append(name := stream_name(), events(name), 0)
    bulk = asyncio.create_task(writer.append_many(batches(2000)))
    while not bulk.done():
        await writer.append(name := stream_name(), events(name), 0)
    assert max(map(len, log.groups)) > 100


async def test_an_empty_bulk_is_answered_without_a_commit() -> None:
    log = Log()
    writer = GroupWriter(log.commit, Limits())
    assert await writer.append_many([Batch("permit-1", [])]) == [[]]
    assert log.groups == []


async def test_a_closed_writer_finishes_the_bulk_and_takes_no_more() -> None:
    log = Log()
    writer = GroupWriter(log.commit, Limits())
    bulk = asyncio.create_task(writer.append_many(batches(100)))
    await asyncio.sleep(0)
    await writer.close()
    assert sum(map(len, log.groups)) == 100
    assert len(await bulk) == 100
    (refused,) = await writer.append_many(batches(1))
    assert not isinstance(refused, list)


class Calm:
    """What somebody who tidies beside the appends asks for."""

    def __init__(self) -> None:
        """Ask for nothing yet."""
        self.wanted = False

    def __call__(self) -> bool:
        """Say whether the bulk is to wait."""
        return self.wanted


async def held_back(writer: GroupWriter, count: int) -> asyncio.Task[list[Result]]:
    """Append in bulk, and give it every chance to go on."""
    bulk = asyncio.create_task(writer.append_many(batches(count)))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not bulk.done()
    return bulk


async def test_a_bulk_waits_for_as_long_as_calm_is_wanted_and_single_appends_do_not() -> None:
    log, calm = Log(), Calm()
    writer = GroupWriter(log.commit, Limits(), wants_calm=calm)
    calm.wanted = True
    bulk = await held_back(writer, 40)
    names = [stream_name() for _ in range(5)]
    for name in names:
        await writer.append(name, events(name), 0)
    assert log.groups == [[name] for name in names]
    calm.wanted = False
    writer.wake()
    async with asyncio.timeout(5):
        assert all(isinstance(told, list) for told in await bulk)


async def test_a_bulk_that_is_at_work_stops_where_calm_is_wanted() -> None:
    log, calm = Log(), Calm()

    async def commit(group: Sequence[AnyAppend]) -> list[Result]:
        calm.wanted = True
        return await log.commit(group)

    writer = GroupWriter(commit, Limits(), wants_calm=calm)
    bulk = await held_back(writer, 100)
    assert len(log.groups) == 1
    calm.wanted = False
    writer.wake()
    await writer.close()
    assert len(await bulk) == 100


async def test_a_closed_writer_finishes_a_bulk_that_was_held_back() -> None:
    log, calm = Log(), Calm()
    writer = GroupWriter(log.commit, Limits(), wants_calm=calm)
    calm.wanted = True
    bulk = await held_back(writer, 100)
    async with asyncio.timeout(5):
        await writer.close()
        assert all(isinstance(told, list) for told in await bulk)
    assert sum(map(len, log.groups)) == 100


async def test_tidying_that_fails_stops_nobody() -> None:
    log = Log()
    tried = 0

    async def tidy() -> bool:
        nonlocal tried
        tried += 1
        raise RuntimeError

    writer = GroupWriter(log.commit, Limits(), tidy)
    bulk = asyncio.create_task(writer.append_many(batches(100)))
    async with asyncio.timeout(5):
        for _ in range(3):
            await writer.append(name := stream_name(), events(name), 0)
        assert all(isinstance(told, list) for told in await bulk)
        await writer.close()
    assert tried > 1


async def test_whoever_comes_to_a_bulk_that_was_alone_meets_a_small_group() -> None:
    log = Log()
    # Alone its groups only grow, and beside others too: what makes one small is who came.
    limits = Limits(bulk_seconds=60, bulk_beside_others_seconds=60)
    writer = GroupWriter(log.commit, limits)
    await writer.append_many(batches(2000))
    assert len(log.groups[-2]) > 200
    log.groups.clear()
    bulk = asyncio.create_task(writer.append_many(batches(2000)))
    await asyncio.sleep(0)
    await writer.append(name := stream_name(), events(name), 0)
    await bulk
    came = log.groups.index([name])
    assert len(log.groups[came + 1]) <= 16
    await writer.close()
