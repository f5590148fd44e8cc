"""Group commit, the task: who is served when, and how large a group is.

What is appended in bulk (a storm of timers) waits in a queue of its own. Single appends, each with
somebody waiting behind it, go ahead of it; while there are any, a group of the bulk lasts no longer
than a moment, so that the next one does not wait long for its turn.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from shared.errors import Defect, JejakError, Unavailable
from shared.events import NewEvent, Recorded
from shared.store.grouping import AnyAppend, Append, Bulk, BulkAppend, Result
from shared.store.limits import Limits
from shared.store.protocol import Batch
from shared.telemetry import log
from shared.turns import give_way

A = TypeVar("A", Append, BulkAppend)

# For so long after a single append others count as at work.
_AT_WORK_SECONDS: Final = 1.0
_FIRST_SIZE: Final = 16
_LEAST_SIZE: Final = 4


class GroupWriter:
    """Takes appends from many callers and commits them in groups, one group at a time.

    The queues are bounded: single appends wait for room, and are turned away in the end; a bulk is
    as large as its caller makes it, who waits for all of it.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[AnyAppend]], Awaitable[list[Result]]],
        limits: Limits,
        tidy: Callable[[], Awaitable[bool]] | None = None,
        wants_calm: Callable[[], bool] = lambda: False,
    ) -> None:
        """Commit each group with ``commit``, which returns an answer for every append, in order.

        ``tidy`` runs after each group was answered, before the next one, and again for as long as
        it returns True and nothing else is to be done. While ``wants_calm`` says so the bulk waits,
        until ``wake`` is called.
        """
        self._commit = commit
        self._limits = limits
        self._tidy = tidy
        self._wants_calm = wants_calm
        self._waiting: deque[Append] = deque()
        self._bulk: deque[BulkAppend] = deque()
        self._size = _FIRST_SIZE
        self._single_at = -_AT_WORK_SECONDS
        self._single_seconds = 0.0
        self._bulk_is_next = False
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int
    ) -> list[Recorded]:
        """Append and return what was recorded, once it is durable. Raises as ``EventStore`` says.

        Appends that come up in the same round of the loop share a group, for the task that takes
        them runs after all of them.
        """
        if self._closed:
            raise Unavailable
        if not events:
            return []
        while len(self._waiting) >= self._limits.waiting_appends:
            await self._wait_for_room()
        append = Append(stream, events, expected, asyncio.get_running_loop().create_future())
        self._waiting.append(append)
        self.wake()
        return await append.answer

    async def append_many(self, batches: Sequence[Batch]) -> list[Result]:
        """Append each batch as ``append`` would; a failure is returned in its place."""
        if self._closed:
            return [Unavailable()] * len(batches)
        bulk = Bulk(batches, asyncio.get_running_loop().create_future())
        if bulk.appends:
            self._bulk += bulk.appends
            self.wake()
            await bulk.done
        return bulk.results

    def wake(self) -> None:
        """See whether there is something to commit or to tidy."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Take no more, and finish what was accepted."""
        self._closed = True
        if self._bulk:
            # It may have been held back, and whoever wanted calm may never say that it is over.
            self.wake()
        if self._task is not None:
            await self._task

    async def _wait_for_room(self) -> None:
        self._room.clear()
        try:
            async with asyncio.timeout(self._limits.wait_seconds):
                await self._room.wait()
        except TimeoutError:
            raise Unavailable from None

    async def _run(self) -> None:
        more = True
        while more or self._waiting or self._bulk_may_go_on():
            group = self._take()
            if group:
                for append, result in zip(group, await self._results(group), strict=True):
                    append.reply(result)
            if self._bulk:
                # Whoever came meanwhile goes ahead of the next slice of anything.
                await give_way()
            if group and self._waiting and isinstance(group[0], BulkAppend):
                # Somebody waited for a group of the bulk already, and not for tidying up as well.
                continue
            more = await self._tidied() and not self._closed
            if more:
                await give_way()
        self._task = None

    async def _tidied(self) -> bool:
        try:
            return self._tidy is not None and await self._tidy()
        except Exception:  # noqa: BLE001 - whatever is wrong with it, those who append go on
            log.exception("tidying_failed")
            return False

    def _bulk_may_go_on(self) -> bool:
        return bool(self._bulk) and (self._closed or not self._wants_calm())

    async def _results(self, group: Sequence[AnyAppend]) -> list[Result]:
        try:
            return await self._commit_in_time(group)
        except JejakError as error:
            return [error] * len(group)
        except Exception:  # noqa: BLE001 - the callers must hear of it, and others go on
            log.exception("append_failed")
            return [Defect()] * len(group)

    def _take(self) -> Sequence[AnyAppend]:
        """Return the next group: single appends first, in turns with the bulk if there is one."""
        bulk = self._bulk_may_go_on()
        if self._waiting and not (bulk and self._bulk_is_next):
            self._bulk_is_next = True
            self._note_others(time.monotonic())
            group = _first(self._waiting, self._limits.group_appends, self._limits.group_bytes)
            self._room.set()
            return group
        self._bulk_is_next = False
        return _first(self._bulk, self._size, self._limits.group_bytes) if bulk else ()

    def _note_others(self, now: float) -> None:
        """Whoever comes to a bulk that was alone does not wait for a group as large as it made."""
        if now - self._single_at > _AT_WORK_SECONDS:
            self._size = min(self._size, _FIRST_SIZE)
        self._single_at = now

    async def _commit_in_time(self, group: Sequence[AnyAppend]) -> list[Result]:
        """Commit a group, and learn from one of the bulk how large the next may be."""
        began = time.monotonic()
        results = await self._commit(group)
        now = time.monotonic()
        took = now - began
        # In steps: one commit that was slow by chance says little about the next.
        if isinstance(group[0], BulkAppend):
            size = int(self._size * (0.7 if took > self._allowed(now) else 1.3))
            self._size = min(max(size, _LEAST_SIZE), self._limits.group_appends)
        else:
            usual = self._single_seconds or took
            self._single_seconds = usual * (1.1 if took > usual else 0.9)
        return results

    def _allowed(self, now: float) -> float:
        """Return how long a commit of the bulk may take: what any commit takes here, and a while.

        Where the disk or the machine is slow a small group is hardly faster than a large one.
        """
        limits = self._limits
        beside_others = now - self._single_at < _AT_WORK_SECONDS
        longer = limits.bulk_beside_others_seconds if beside_others else limits.bulk_seconds
        return self._single_seconds + longer


def _first(waiting: deque[A], appends: int, limit: int) -> list[A]:
    """Take what fits ``appends`` and ``limit`` bytes off the queue; who left is passed over."""
    group: list[A] = []
    size = 0
    while waiting and len(group) < appends and size < limit:
        append = waiting.popleft()
        if not append.left:
            group.append(append)
            size += sum(len(event.data) for event in append.events)
    return group
