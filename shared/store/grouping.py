"""Group commit, the part without I/O: what to write for a group of appends, and what to answer.

Appends wait in a bounded queue; a writer takes whatever is there, judges each on its own and writes
everything in one transaction. A conflict fails that append alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from shared.errors import Defect, EventIdReused, JejakError, Unavailable, WrongExpectedVersion
from shared.events import NewEvent, Recorded
from shared.store.limits import Limits
from shared.store.protocol import ANY, Batch
from shared.telemetry import log

Result = list[Recorded] | JejakError


class Append:
    """One caller's append, and the future that its answer goes to."""

    __slots__ = ("answer", "events", "expected", "stream")

    def __init__(
        self,
        stream: str,
        events: Sequence[NewEvent],
        expected: int,
        answer: asyncio.Future[list[Recorded]],
    ) -> None:
        """Ask for ``events`` at the end of ``stream``, at version ``expected``."""
        self.stream = stream
        self.events = events
        self.expected = expected
        self.answer = answer

    def reply(self, result: Result) -> None:
        """Answer the caller, unless it went away."""
        if self.answer.done():
            return
        if isinstance(result, JejakError):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)


class Plan(NamedTuple):
    """The rows to write, in order, and the answer to each append once they are durable."""

    rows: list[Recorded]
    results: list[Result]


def plan(
    group: Sequence[Append],
    head: int,
    recorded_us: int,
    versions: dict[str, int],
    known: dict[str, Recorded],
) -> Plan:
    """Judge ``group`` against the log as it stands after position ``head``.

    ``versions`` holds the version of every stream in the group, ``known`` the recorded events among
    the group's ids. Both are brought up to date on the way, so that appends see earlier ones.
    """
    rows: list[Recorded] = []
    results: list[Result] = []
    for append in group:
        result = _judge(append, versions[append.stream], known)
        if result is None:
            result = _place(append, head + len(rows), versions[append.stream], recorded_us)
            versions[append.stream] = result[-1].version
            known.update((recorded.event_id, recorded) for recorded in result)
            rows += result
        results.append(result)
    return Plan(rows, results)


def _judge(append: Append, version: int, known: Mapping[str, Recorded]) -> Result | None:
    """Return the answer to an append that adds nothing, None for one that is to be written."""
    ids = [event.event_id for event in append.events]
    again = [known[id] for id in ids if id in known]
    if again or len(set(ids)) < len(ids):
        same = len(again) == len(ids) and all(old.stream == append.stream for old in again)
        return again if same else EventIdReused(stream=append.stream)
    if append.expected not in (ANY, version):
        return WrongExpectedVersion(expected=append.expected, actual=version)
    return None


def _place(append: Append, head: int, version: int, recorded_us: int) -> list[Recorded]:
    stream = append.stream
    return [
        Recorded(
            head + index,
            stream,
            version + index,
            event.event_id,
            event.type,
            event.schema_version,
            event.data,
            event.occurred_us,
            recorded_us,
            event.actor,
            event.cause_id,
            event.correlation_id,
        )
        for index, event in enumerate(append.events, 1)
    ]


class GroupWriter:
    """Takes appends from many callers and commits them in groups, one group at a time.

    The queue is bounded: when it is full callers wait for room, and are turned away in the end.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Append]], Awaitable[list[Result]]],
        limits: Limits,
        tidy: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Commit each group with ``commit``, which returns an answer for every append, in order.

        ``tidy`` runs after each group was answered, before the next one.
        """
        self._commit = commit
        self._limits = limits
        self._tidy = tidy
        self._waiting: deque[Append] = deque()
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
        if not events and not self._closed:
            return []
        return await (await self._queued(Batch(stream, events, expected)))

    async def append_many(self, batches: Sequence[Batch]) -> list[Result]:
        """Append each batch as ``append`` would; a failure is returned in its place."""
        answers: list[asyncio.Future[list[Recorded]] | Result] = []
        for batch in batches:
            try:
                answers.append(await self._queued(batch) if batch.events else [])
            except Unavailable as error:
                answers.append(error)
        return [await _outcome(answer) for answer in answers]

    async def _queued(self, batch: Batch) -> asyncio.Future[list[Recorded]]:
        """Queue one append and return where its answer comes."""
        if self._closed:
            raise Unavailable
        while len(self._waiting) >= self._limits.waiting_appends:
            await self._wait_for_room()
        loop = asyncio.get_running_loop()
        append = Append(*batch, loop.create_future())
        self._waiting.append(append)
        if self._task is None:
            self._task = loop.create_task(self._run())
        return append.answer

    async def close(self) -> None:
        """Take no more, and finish what was accepted."""
        self._closed = True
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
        while group := self._take():
            for append, result in zip(group, await self._results(group), strict=True):
                append.reply(result)
            if self._tidy is not None:
                await self._tidy()
        self._task = None

    async def _results(self, group: Sequence[Append]) -> list[Result]:
        try:
            return await self._commit(group)
        except JejakError as error:
            return [error] * len(group)
        except Exception:  # noqa: BLE001 - the callers must hear of it, and others go on
            log.exception("append_failed")
            return [Defect()] * len(group)

    def _take(self) -> list[Append]:
        """Return the next group, bounded in appends and bytes; who left is passed over."""
        group: list[Append] = []
        size = 0
        limits = self._limits
        while self._waiting and len(group) < limits.group_appends and size < limits.group_bytes:
            append = self._waiting.popleft()
            if not append.answer.done():
                group.append(append)
                size += sum(len(event.data) for event in append.events)
        self._room.set()
        return group


async def _outcome(answer: asyncio.Future[list[Recorded]] | Result) -> Result:
    if not isinstance(answer, asyncio.Future):
        return answer
    try:
        return await answer
    except JejakError as error:
        return error
