"""How a SQLite log is tidied while others append: what is not merged yet stays bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.errors import StoreFull
from shared.events import Recorded
from shared.store import NO_STREAM, Batch
from shared.store.grouping import AnyAppend, Result, plan
from shared.store.limits import Limits
from shared.store.sqlite import SqliteStore
from shared.store.sqlite_file import PAGE, Busy
from shared.store.sqlite_index import SqliteIndex
from shared.store.tail import Tail
from shared.store.upkeep import Upkeep
from shared.store.writer import GroupWriter
from tests.contract.stores import new_event, stream_name

MERGE, GROUP, GROUPS = 1000, 512, 120


class MemoryIndex(SqliteIndex):
    """Indexes in memory, which only count."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.merged = self._left = self._upto = 0

    def prepare(self, upto: int) -> None:
        """Every event has two entries."""
        self._left, self._upto = 2 * (upto - self.merged), upto

    def step(self, entries: int) -> bool:
        """Take some entries in."""
        self._left -= entries
        if self._left > 0:
            return False
        self.merged = self._upto
        return True

    def checkpoint(self) -> int:
        """There is nothing to carry."""
        return 0

    def close(self) -> None:
        """There is nothing to close."""


class SlowIndex(MemoryIndex):
    """Any slice takes too long: a busy machine."""

    def step(self, entries: int) -> bool:
        """Take some entries in, slowly."""
        time.sleep(0.004)
        return super().step(entries)


def group(first: int) -> list[Recorded]:
    """Return a group of events at positions from ``first`` on, each of a stream of its own."""
    return [
        Recorded(n, f"permit-{n}", 1, f"id-{n}", "Any", 1, b"{}", 0, 0, "system", "c", "a")
        for n in range(first, first + GROUP)
    ]


async def test_merges_keep_up_with_appends_where_every_slice_is_slow() -> None:
    tail, index, failed = Tail(0), SlowIndex(), list[str]()
    upkeep = Upkeep(index, Limits(merge_events=MERGE), wake=lambda: None, fatal=failed.append)
    longest = 0
    for number in range(GROUPS):
        tail.extend(group(1 + number * GROUP))
        # As the writer does between two groups, with a moment for what runs beside.
        await upkeep.step(tail)
        await asyncio.sleep(0.001)
        longest = max(longest, len(tail))
    await upkeep.close()
    assert not failed
    assert index.merged > (GROUPS // 2) * GROUP
    assert longest < 20 * MERGE


def wal_pages(file: Path) -> int:
    """Return how long the write-ahead log of ``file`` has become."""
    return file.with_name(f"{file.name}-wal").stat().st_size // PAGE


async def append_some(store: SqliteStore | Tidied, count: int) -> None:
    """Append single events of a page each, one after the other."""
    for _ in range(count):
        stream = stream_name()
        await store.append(stream, [new_event(stream, data=b"x" * PAGE)], NO_STREAM)


def batches(count: int, data: bytes = b"{}") -> list[Batch]:
    streams = [stream_name() for _ in range(count)]
    return [Batch(stream, [new_event(stream, data=data)], NO_STREAM) for stream in streams]


async def test_the_space_of_the_log_is_used_again_although_appends_never_pause(
    tmp_path: Path,
) -> None:
    file = tmp_path / "events.sqlite"
    store = SqliteStore(file, limits=Limits(merge_events=200, checkpoint_pages=50))
    # Whenever a checkpoint ends one of the four has just written.
    await asyncio.gather(*(append_some(store, 300) for _ in range(4)))
    pages = wal_pages(file)
    await store.close()
    assert file.stat().st_size > 1200 * PAGE
    assert pages < 400


async def test_the_space_of_the_log_is_used_again_while_a_bulk_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "events.sqlite"
    store = SqliteStore(file, limits=Limits(merge_events=500, checkpoint_pages=50))
    bulk = asyncio.create_task(store.append_many(batches(5000, b"x" * PAGE)))
    while not bulk.done():
        await append_some(store, 1)
    assert all(isinstance(told, list) for told in await bulk)
    pages = wal_pages(file)
    await store.close()
    assert file.stat().st_size > 5000 * PAGE
    assert pages < 1700


# Everything is tidied at every chance: merges of a few events, a checkpoint after any page.
EAGER = Limits(merge_events=10, checkpoint_pages=1)


@pytest.mark.parametrize("others", [0, 3])
async def test_a_bulk_ends_however_eagerly_is_tidied(tmp_path: Path, others: int) -> None:
    store = SqliteStore(tmp_path / "events.sqlite", limits=EAGER)
    async with asyncio.timeout(30):
        bulk = asyncio.create_task(store.append_many(batches(1000)))
        await asyncio.gather(*(append_some(store, 50) for _ in range(others)))
        assert all(isinstance(told, list) for told in await bulk)
    assert await store.head() == 1000 + 50 * others
    await store.close()


class TroubledIndex(MemoryIndex):
    """One kind of step fails, for as long as there is trouble."""

    def __init__(self, fails: str, trouble: Exception, left: int = 0) -> None:
        """Raise ``trouble`` from ``fails``, but from a checkpoint only after ``left`` of them."""
        super().__init__()
        self._fails, self._left = fails, left
        self.trouble: Exception | None = trouble
        self.failed = 0

    def _try(self, step: str) -> None:
        if step == self._fails and self.trouble:
            self.failed += 1
            raise self.trouble

    def prepare(self, upto: int) -> None:
        """Prepare, or fail."""
        self._try("prepare")
        super().prepare(upto)

    def step(self, entries: int) -> bool:
        """Merge, or fail."""
        self._try("step")
        return super().step(entries)

    def checkpoint_most(self) -> None:
        """Carry the most, or fail. What is left is tried again by each checkpoint."""
        self._try("checkpoint_most")
        self._tries = 0

    def checkpoint(self) -> int:
        """Leave a page a few times, and then fail."""
        self._tries += 1
        if self._tries <= self._left:
            return 1
        self._try("checkpoint")
        return 0


class Tidied:
    """A log in memory whose upkeep is the real one."""

    def __init__(self, index: SqliteIndex) -> None:
        """Start empty."""
        self.tail, self.fatal = Tail(0), list[str]()
        self._writer = GroupWriter(self._commit, EAGER, self._tidy, self._wants_calm)
        self._upkeep = Upkeep(index, EAGER, self._writer.wake, self.fatal.append)
        self.append, self.append_many = self._writer.append, self._writer.append_many

    async def _commit(self, group: Sequence[AnyAppend]) -> list[Result]:
        versions = {append.stream: 0 for append in group}
        rows, results = plan(group, self.tail.head, 0, versions, {})
        self.tail.extend(rows)
        self._upkeep.wrote(len(rows))
        return results

    async def _tidy(self) -> bool:
        return await self._upkeep.step(self.tail)

    def _wants_calm(self) -> bool:
        return self._upkeep.wants_calm

    async def close(self) -> None:
        """Finish, as the store does."""
        await self._writer.close()
        await self._upkeep.close()


@pytest.mark.parametrize("trouble", [Busy(), StoreFull(), RuntimeError()])
@pytest.mark.parametrize(
    ("fails", "left"),
    [("checkpoint_most", 0), ("checkpoint", 0), ("checkpoint", 2), ("checkpoint", 4)],
)
async def test_a_bulk_ends_although_every_checkpoint_fails(
    fails: str, left: int, trouble: Exception
) -> None:
    index = TroubledIndex(fails, trouble, left)
    log = Tidied(index)
    async with asyncio.timeout(60):
        await append_some(log, 20)
        told = await log.append_many(batches(100))
        assert all(isinstance(one, list) for one in told)
        await log.close()
    assert index.failed
    assert not log.fatal


@pytest.mark.parametrize("trouble", [Busy(), StoreFull(), RuntimeError()])
@pytest.mark.parametrize("fails", ["prepare", "step"])
async def test_a_merge_that_fails_stops_nobody_and_is_tried_again(
    fails: str, trouble: Exception
) -> None:
    index = TroubledIndex(fails, trouble)
    log = Tidied(index)
    async with asyncio.timeout(60):
        await append_some(log, 30)
        assert all(isinstance(one, list) for one in await log.append_many(batches(40)))
        while index.failed < 2:
            await append_some(log, 1)
            await asyncio.sleep(0.001)
        assert index.merged == 0
        index.trouble = None
        while len(log.tail) > EAGER.merge_events:
            await append_some(log, 1)
            await asyncio.sleep(0.001)
        await log.close()
    assert index.merged > 50
