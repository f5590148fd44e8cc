"""The event store in KurrentDB (EventStoreDB), through its maintained Python client.

Events are JSON events of KurrentDB with our envelope as their metadata; events that somebody else
wrote into the same database are passed over. Positions are KurrentDB's commit positions: growing,
not dense. Its revisions start at 0, our versions at 1.

KurrentDB itself forgives a repeated append only at the same expected revision, and would record a
known event id a second time at another. So every append looks at the stream's ids first, and the
expected revision guards against whatever happens in between. An id that another stream has is the
one thing it can't notice; our ids hold their stream, so they never meet.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from kurrentdbclient import AsyncKurrentDBClient, RecordedEvent, StreamState
from kurrentdbclient import NewEvent as KurrentEvent
from kurrentdbclient.exceptions import (
    DeadlineExceededError,
    DiscoveryFailedError,
    GrpcError,
    KurrentDBClientError,
    MaximumAppendSizeExceededError,
    NodeIsNotLeaderError,
    NotFoundError,
    ProgrammingError,
    WrongCurrentVersionError,
)

from shared.errors import (
    Defect,
    EventIdReused,
    JejakError,
    TooLarge,
    Unavailable,
    WrongExpectedVersion,
)
from shared.events import NewEvent, Recorded, to_micros
from shared.store.protocol import ANY, Batch
from shared.store.waking import AWAY_SECONDS, News, follow

T = TypeVar("T")

# A lost subscription is healed by looking again this often.
POLL_SECONDS = 1.0
# How often an append without an expected version goes after the end of a busy stream.
TRIES = 20
DEADLINE_SECONDS = 10.0
# How many appends of ``append_many`` are under way at once.
AT_ONCE = 16
# Among so many events at the end of the log one of ours is looked for.
HEAD_EVENTS = 100
_AWAY = (GrpcError, DeadlineExceededError, DiscoveryFailedError, NodeIsNotLeaderError)


class KurrentStore:
    """An ``EventStore`` in the KurrentDB cluster at ``uri`` (``esdb://`` or ``kurrentdb://``).

    Connects when it is first used, and again after the server was away.
    """

    def __init__(self, uri: str) -> None:
        """Name the cluster."""
        self._client = AsyncKurrentDBClient(uri)
        self._news = News()
        self._listener: asyncio.Task[None] | None = None
        self._appending = 0
        self._quiet = asyncio.Event()
        self._closing = False

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        """See ``EventStore.append``; also raises TooLarge above the server's own limit."""
        if self._closing:
            raise Unavailable
        if not events:
            return []
        self._appending += 1
        try:
            return await self._append(stream, events, expected)
        finally:
            self._appending -= 1
            self._quiet.set()

    async def append_many(self, batches: Sequence[Batch]) -> list[list[Recorded] | JejakError]:
        """See ``EventStore.append_many``; the server commits each, so a few are under way."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(batch: Batch) -> list[Recorded] | JejakError:
            async with turns:
                try:
                    return await self.append(*batch)
                except JejakError as error:
                    return error

        return await asyncio.gather(*map(one, batches))

    async def read_stream(self, stream: str, after: int = 0) -> list[Recorded]:
        """See ``EventStore.read_stream``."""

        async def work() -> list[Recorded]:
            try:
                found = await self._client.get_stream(
                    stream, stream_position=after or None, timeout=DEADLINE_SECONDS
                )
            except NotFoundError:
                return []
            return _ours(found)

        return await self._call(work)

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[Recorded]:
        """See ``EventStore.read_all``."""
        found: list[Recorded] = []
        while True:
            page = await self._page(after, limit)
            found += _ours(page)
            # A page may be full of other people's events without being the last.
            if len(found) >= limit or len(page) < limit:
                return found[:limit]
            after = page[-1].commit_position

    async def head(self) -> int:
        """See ``EventStore.head``."""

        async def work() -> int:
            response = await self._client.read_all(
                backwards=True, limit=HEAD_EVENTS, timeout=DEADLINE_SECONDS
            )
            async with response as events:
                return max((one.position for one in _ours([e async for e in events])), default=0)

        return await self._call(work)

    def follow(self, after: int = 0, limit: int = 1000) -> AsyncIterator[list[Recorded]]:
        """See ``EventStore.follow``; ends when the store is closed."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        return follow(self.read_all, self._news, after, limit, POLL_SECONDS)

    async def close(self) -> None:
        """Finish what was accepted, end the followers, close the connection."""
        if self._closing:
            return
        self._closing = True
        while self._appending:
            self._quiet.clear()
            await self._quiet.wait()
        self._news.end()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        # The client refuses to close a connection that it never made.
        with suppress(ProgrammingError):
            await self._client.close()

    async def _page(self, after: int, limit: int) -> list[RecordedEvent]:
        """Return at least ``limit`` events above ``after``, whoever wrote them, if there are."""

        async def work() -> list[RecordedEvent]:
            # Reading from a position gives the event at that position once more.
            response = await self._client.read_all(
                commit_position=after or None, limit=limit + 1, timeout=DEADLINE_SECONDS
            )
            async with response as events:
                return [event async for event in events if event.commit_position > after]

        return await self._call(work)

    async def _append(
        self, stream: str, events: Sequence[NewEvent], expected: int
    ) -> list[Recorded]:
        ids = [event.event_id for event in events]
        for _ in range(TRIES):
            present = await self.read_stream(stream)
            known = {recorded.event_id: recorded for recorded in present}
            again = [known[id] for id in ids if id in known]
            if len(again) == len(set(ids)) == len(ids):
                return again
            if again or len(set(ids)) < len(ids):
                raise EventIdReused(stream=stream)
            version = len(present)
            if expected not in (ANY, version):
                raise WrongExpectedVersion(expected=expected, actual=version)
            if await self._try(stream, events, version):
                self._news.tell()
                return (await self.read_stream(stream, version))[: len(events)]
        raise Unavailable

    async def _try(self, stream: str, events: Sequence[NewEvent], version: int) -> bool:
        """Append at exactly ``version``; return False when somebody else was faster."""

        async def work() -> bool:
            with suppress(WrongCurrentVersionError):
                await self._client.append_to_stream(
                    stream,
                    events=[_to_kurrent(event) for event in events],
                    current_version=version - 1 if version else StreamState.NO_STREAM,
                    timeout=DEADLINE_SECONDS,
                )
                return True
            return False

        return await self._call(work)

    async def _listen(self) -> None:
        """Turn what a catch-up subscription hears into news, for ever."""
        while True:
            with suppress(*_AWAY):
                subscription = await self._client.subscribe_to_all(from_end=True)
                # What came before the subscription was heard by nobody.
                self._news.tell()
                async with subscription:
                    async for _ in subscription:
                        self._news.tell()
            await asyncio.sleep(AWAY_SECONDS)

    async def _call(self, work: Callable[[], Awaitable[T]]) -> T:
        if self._news.ended:
            raise Unavailable
        try:
            return await work()
        except KurrentDBClientError as error:
            raise _meaning(error) from error


def _meaning(error: KurrentDBClientError) -> JejakError:
    """Return what a failure means: away for a while, too much at once, or a defect of ours."""
    if isinstance(error, _AWAY):
        return Unavailable()
    if isinstance(error, MaximumAppendSizeExceededError):
        return TooLarge(limit="1 MB")
    return Defect()


def _to_kurrent(event: NewEvent) -> KurrentEvent:
    envelope = {
        "schema_version": event.schema_version,
        "occurred_us": event.occurred_us,
        "actor": event.actor,
        # The names that KurrentDB's own tools know.
        "$causationId": event.cause_id,
        "$correlationId": event.correlation_id,
    }
    return KurrentEvent(
        type=event.type,
        data=event.data,
        metadata=json.dumps(envelope).encode(),
        id=UUID(event.event_id),
    )


def _ours(found: Sequence[RecordedEvent]) -> list[Recorded]:
    """Return the events that Jejak recorded, and pass over those of others."""
    return [recorded for one in found if (recorded := _to_recorded(one)) is not None]


def _to_recorded(one: RecordedEvent) -> Recorded | None:
    try:
        envelope = json.loads(one.metadata)
        return Recorded(
            one.commit_position,
            one.stream_name,
            one.stream_position + 1,
            str(one.id),
            one.type,
            envelope["schema_version"],
            one.data,
            envelope["occurred_us"],
            to_micros(one.recorded_at) if one.recorded_at else 0,
            envelope["actor"],
            envelope["$causationId"],
            envelope["$correlationId"],
        )
    except (ValueError, KeyError, TypeError):
        return None
