"""An event store in front of the real one: it answers from memory and writes in groups.

A simulation decides hundreds of thousands of events one after the other; waiting for the disk after
each would take longer than deciding. Nothing is promised to anybody meanwhile, and whoever runs the
same simulation again decides the same events with the same ids. So what an interrupted run left
behind is found again and gone on from.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from typing import Final

from shared.errors import EventIdReused, JejakError, WrongExpectedVersion
from shared.events import NewEvent, Recorded
from shared.store import EventStore
from shared.store.protocol import ANY, Batch

# Appends that share a commit.
GROUP: Final = 512
# Streams whose events are remembered: those of all files that are open at one time.
REMEMBERED: Final = 8192


class Foreign(Exception):
    """The real store holds events that this run did not decide."""


class Ledger:
    """The store of one simulation, its only writer. ``fresh`` are events nobody reacted to yet."""

    def __init__(self, store: EventStore, base: int = 0) -> None:
        """Write to ``store`` behind the position ``base``.

        What is behind it already can only be what an interrupted run of the same simulation left.
        """
        self._store = store
        self._verified = base
        self._verifying = True
        self._versions: dict[str, int] = {}
        self._streams: OrderedDict[str, list[Recorded]] = OrderedDict()
        self._pending: list[Batch] = []
        self._position = 0
        self.fresh: deque[Recorded] = deque()
        self.recorded = 0

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        """See ``EventStore.append``; durable after ``flush``. Raises Foreign."""
        version = self._versions.get(stream, 0)
        if expected not in (ANY, version):
            raise WrongExpectedVersion(expected=expected, actual=version)
        recorded = [
            Recorded(
                self._position + n,
                stream,
                version + n,
                *event[:5],
                event.occurred_us,
                *event[5:],
            )
            for n, event in enumerate(events, 1)
        ]
        self._position += len(recorded)
        self._versions[stream] = version + len(recorded)
        self._remember(stream, version, recorded)
        self._pending.append(Batch(stream, events, version))
        self.fresh.extend(recorded)
        self.recorded += len(recorded)
        if len(self._pending) >= GROUP:
            await self.flush()
        return recorded

    async def append_many(self, batches: Sequence[Batch]) -> list[list[Recorded] | JejakError]:
        """See ``EventStore.append_many``."""
        answers: list[list[Recorded] | JejakError] = []
        for batch in batches:
            try:
                answers.append(await self.append(*batch))
            except JejakError as error:
                answers.append(error)
        return answers

    async def flush(self) -> None:
        """Write what was appended. Raises Foreign, and what is wrong with the store."""
        pending, self._pending = self._pending, []
        if self._verifying:
            await self._verify([one.event_id for batch in pending for one in batch.events])
        answers = await self._store.append_many(pending)
        for batch, answer in zip(pending, answers, strict=True):
            if isinstance(answer, WrongExpectedVersion | EventIdReused):
                raise Foreign
            if isinstance(answer, JejakError):
                raise answer
            if answer[0].version != batch.expected + 1:
                raise Foreign

    async def _verify(self, ours: Sequence[str]) -> None:
        """Raise Foreign unless what is there already is the beginning of what comes now."""
        there = await self._store.read_all(self._verified, len(ours))
        if any(old.event_id != new for old, new in zip(there, ours, strict=False)):
            raise Foreign
        self._verifying = len(there) == len(ours)
        if there:
            self._verified = there[-1].position

    def _remember(self, stream: str, version: int, recorded: Sequence[Recorded]) -> None:
        held = self._streams.get(stream)
        if held is None:
            if version:
                # The beginning was forgotten: the store has to be asked for this one.
                return
            held = self._streams[stream] = []
        held += recorded
        self._streams.move_to_end(stream)
        if len(self._streams) > REMEMBERED:
            self._streams.popitem(last=False)

    async def read_stream(self, stream: str, after: int = 0) -> list[Recorded]:
        """See ``EventStore.read_stream``: as far as this run has come."""
        version = self._versions.get(stream, 0)
        if after >= version:
            return []
        held = self._streams.get(stream)
        if held is None:
            await self.flush()
            held = await self._store.read_stream(stream)
        return held[after:version]

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[Recorded]:
        """See ``EventStore.read_all``: what is written already."""
        return await self._store.read_all(after, limit)

    async def head(self) -> int:
        """See ``EventStore.head``: of what is written already."""
        return await self._store.head()

    def follow(self, after: int = 0, limit: int = 1000) -> AsyncIterator[list[Recorded]]:
        """See ``EventStore.follow``: what is written."""
        return self._store.follow(after, limit)

    async def close(self) -> None:
        """Write what is left; the real store is closed by whoever opened it."""
        await self.flush()
