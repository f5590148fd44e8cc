"""Group commit, the part without I/O: what to write for a group of appends, and what to answer.

Appends wait in queues; a writer takes some of them, judges each on its own and writes everything in
one transaction. A conflict fails that append alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.errors import EventIdReused, JejakError, WrongExpectedVersion
from shared.events import NewEvent, Recorded
from shared.store.protocol import ANY, Batch

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

    @property
    def left(self) -> bool:
        """Whether the caller went away."""
        return self.answer.done()

    def reply(self, result: Result) -> None:
        """Answer the caller, unless it went away."""
        if self.answer.done():
            return
        if isinstance(result, JejakError):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)


class Bulk:
    """Many appends of one caller, who waits for all of their answers at once."""

    def __init__(self, batches: Sequence[Batch], done: asyncio.Future[None]) -> None:
        """Ask for ``batches``; ``done`` is set once ``results`` holds an answer to each."""
        self.results: list[Result] = [[] for _ in batches]
        self.done = done
        self.appends = [
            BulkAppend(*batch, self, number) for number, batch in enumerate(batches) if batch.events
        ]
        self.open = len(self.appends)


class BulkAppend:
    """One append of a bulk: like ``Append``, without a future of its own."""

    __slots__ = ("bulk", "events", "expected", "number", "stream")

    def __init__(
        self, stream: str, events: Sequence[NewEvent], expected: int, bulk: Bulk, number: int
    ) -> None:
        """Ask for ``events``; the answer is the ``number``-th of ``bulk``."""
        self.stream = stream
        self.events = events
        self.expected = expected
        self.bulk = bulk
        self.number = number

    @property
    def left(self) -> bool:
        """Whether the caller went away."""
        return self.bulk.done.done()

    def reply(self, result: Result) -> None:
        """Answer; with the last one the caller goes on."""
        bulk = self.bulk
        bulk.results[self.number] = result
        bulk.open -= 1
        if not bulk.open and not bulk.done.done():
            bulk.done.set_result(None)


AnyAppend = Append | BulkAppend


class Plan(NamedTuple):
    """The rows to write, in order, and the answer to each append once they are durable."""

    rows: list[Recorded]
    results: list[Result]


def plan(
    group: Sequence[AnyAppend],
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
        version = versions[append.stream]
        result = _judge(append, version, known)
        if result is None:
            result = _place(append, head + len(rows), version, recorded_us)
            versions[append.stream] = version + len(result)
            for recorded in result:
                known[recorded.event_id] = recorded
            rows += result
        results.append(result)
    return Plan(rows, results)


def _judge(append: AnyAppend, version: int, known: Mapping[str, Recorded]) -> Result | None:
    """Return the answer to an append that adds nothing, None for one that is to be written."""
    events = append.events
    again = [known[event.event_id] for event in events if event.event_id in known]
    if again or (len(events) > 1 and len({event.event_id for event in events}) < len(events)):
        same = len(again) == len(events) and all(old.stream == append.stream for old in again)
        return again if same else EventIdReused(stream=append.stream)
    if append.expected not in (ANY, version):
        return WrongExpectedVersion(expected=append.expected, actual=version)
    return None


def _place(append: AnyAppend, head: int, version: int, recorded_us: int) -> list[Recorded]:
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
