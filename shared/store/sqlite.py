"""The event store in one SQLite file, with group commit.

Appends that are waiting when the loop comes round share one commit and one fsync. While the disk is
fast, the commit runs right in the loop (``nearby``).

Reads run in the loop too, in slices. A thread that fetches rows hands the interpreter's lock over
at every row: 1000 rows take 1 ms in the loop, and 1.3 s in a thread beside a loop that is busy.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from shared.errors import Defect, Unavailable
from shared.events import NewEvent, Recorded
from shared.store.grouping import AnyAppend, Plan, Result, plan
from shared.store.limits import Limits
from shared.store.nearby import Nearby
from shared.store.protocol import ANY, Batch
from shared.store.sqlite_file import PAGE, Busy, SomebodyAppended, SqliteFile, WriteFailed
from shared.store.sqlite_index import SqliteIndex
from shared.store.tail import Tail
from shared.store.upkeep import SHED, Upkeep
from shared.store.waking import News, follow
from shared.store.writer import GroupWriter
from shared.telemetry import log

DEFAULTS = Limits()
# How often a waiting follower looks for other processes' commits.
POLL_SECONDS = 0.02
# How many rows are read before others get a turn of the loop: about a quarter of a millisecond.
SLICE = 256
# How often a commit is tried while another process commits.
BUSY_PAUSE = 0.001
# What an event's row weighs beside its data, in bytes.
ROW_BYTES = 300


def wall_clock() -> int:
    """Return the present instant in microseconds UTC."""
    return time.time_ns() // 1000


def exit_at_once(reason: str) -> None:
    """End the process: after a failed fsync nobody knows what is durable until it is read again."""
    log.critical("store_write_failed", reason=reason)
    os._exit(70)


class SqliteStore:
    """An ``EventStore`` in the file ``path``; any number of processes may use it at once."""

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int | None = None,
        limits: Limits = DEFAULTS,
        clock: Callable[[], int] = wall_clock,
        fatal: Callable[[str], None] = exit_at_once,
    ) -> None:
        """Open or create the file, full at ``max_bytes`` (None: when the disk is).

        ``fatal`` is called when a write or an fsync failed, and should not return. Raises
        Unavailable, StoreFull, Defect, BadConfiguration.
        """
        self._file = SqliteFile(path, max_bytes)
        index = SqliteIndex(path, max_bytes)
        self._limits = limits
        self._clock = clock
        self._fatal = fatal
        self._writer = GroupWriter(self._commit, limits, self._tidy, self._wants_calm)
        self._upkeep = Upkeep(index, limits, self._writer.wake, fatal)
        self._nearby = Nearby(limits)
        self._news = News()
        # Ordered: taking the first out of a plain dict walks over all that were taken before it.
        self._versions = OrderedDict[str, int]()
        self._tail = Tail(0)
        self._changes = -1
        self._refresh()

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        """See ``EventStore.append``."""
        return await self._writer.append(stream, events, expected)

    async def append_many(self, batches: Sequence[Batch]) -> list[Result]:
        """See ``EventStore.append_many``."""
        return await self._writer.append_many(batches)

    async def read_stream(self, stream: str, after: int = 0) -> list[Recorded]:
        """See ``EventStore.read_stream``."""
        self._refresh()
        # The tail first: what a merge takes out of it meanwhile is in the index by then.
        recent = self._tail.stream(stream)
        first = recent[0].version if recent else None
        found: list[Recorded] = []
        while first is None or after + 1 < first:
            part = self._file.stream(stream, after, first, SLICE)
            found += part
            if len(part) < SLICE:
                break
            after = part[-1].version
            await asyncio.sleep(0)
        return found + [recorded for recorded in recent if recorded.version > after]

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[Recorded]:
        """See ``EventStore.read_all``."""
        self._refresh()
        found: list[Recorded] = []
        end = after + limit
        while after < min(end, self._tail.base):
            upto = min(after + SLICE, end, self._tail.base)
            found += self._file.range(after, upto)
            after = upto
            await asyncio.sleep(0)
        return found + self._tail.after(after, end - after)

    async def head(self) -> int:
        """See ``EventStore.head``."""
        self._refresh()
        return self._tail.head

    def follow(self, after: int = 0, limit: int = 1000) -> AsyncIterator[list[Recorded]]:
        """See ``EventStore.follow``; ends when the store is closed."""
        return follow(self.read_all, self._news, after, limit, POLL_SECONDS)

    async def close(self) -> None:
        """Finish what was accepted, end the followers, close the file."""
        if self._news.ended:
            return
        await self._writer.close()
        self._news.end()
        await self._upkeep.close()
        self._file.close()

    def _refresh(self) -> None:
        """Take in what others have appended or merged since the last look."""
        changes = self._file.changes()
        if changes == self._changes:
            return
        indexed = self._file.indexed()
        if indexed > self._tail.head:
            # Events that we never saw are in the index already, so the versions may be out of date.
            self._versions.clear()
            self._tail = Tail(indexed, self._file.range(indexed - 1, indexed)[0].recorded_us)
        self._tail.indexed(indexed)
        self._tail.shed(SHED)
        self._take_in(self._file.range(self._tail.head))
        self._changes = changes

    def _take_in(self, rows: Sequence[Recorded]) -> None:
        """Add to what is known in memory; our own commit may have been seen by a refresh before."""
        fresh = [row for row in rows if row.position > self._tail.head]
        if not fresh:
            return
        self._tail.extend(fresh)
        for row in fresh:
            self._versions[row.stream] = row.version
        while len(self._versions) > self._limits.known_versions:
            self._versions.popitem(last=False)
        self._news.tell()

    async def _commit(self, group: Sequence[AnyAppend]) -> list[Result]:
        deadline = time.monotonic() + self._limits.busy_seconds
        while True:
            planned = self._tail.head
            try:
                rows, results = self._plan(group)
                if rows:
                    await self._insert(rows)
                self._take_in(rows)
                return results
            except SomebodyAppended:
                # While this insert was in its thread, a reader may have taken in what was in its
                # way: what counts is whether the log has moved on since the plan.
                self._refresh()
                if self._tail.head == planned:
                    raise Defect from None
            except Busy:
                if time.monotonic() > deadline:
                    raise Unavailable from None
                await asyncio.sleep(BUSY_PAUSE)
            except WriteFailed as error:
                self._fatal(str(error))
                raise Unavailable from error

    def _plan(self, group: Sequence[AnyAppend]) -> Plan:
        ids = [event.event_id for append in group for event in append.events]
        recent = self._tail.ids
        known = {id: recent[id] for id in ids if id in recent}
        if self._tail.base:
            known.update((old.event_id, old) for old in self._file.known(ids))
        versions = self._versions_of({append.stream for append in group})
        recorded_us = max(self._clock(), self._tail.recorded_us)
        return plan(group, self._tail.head, recorded_us, versions, known)

    def _versions_of(self, streams: Iterable[str]) -> dict[str, int]:
        """Return the streams' versions as of the tail's head."""
        known, unknown = dict[str, int](), list[str]()
        for stream in streams:
            version = self._versions.get(stream)
            if version is None and (recent := self._tail.stream(stream)):
                version = recent[-1].version
            if version is None:
                unknown.append(stream)
            else:
                known[stream] = version
        if unknown:
            found = self._file.versions(unknown)
            self._versions.update(found)
            known.update(found)
        return known

    async def _insert(self, rows: Sequence[Recorded]) -> None:
        await self._nearby.run(partial(self._file.insert, rows))
        self._upkeep.wrote(2 + sum(len(row.data) + ROW_BYTES for row in rows) // PAGE)

    async def _tidy(self) -> bool:
        return await self._upkeep.step(self._tail)

    def _wants_calm(self) -> bool:
        return self._upkeep.wants_calm
