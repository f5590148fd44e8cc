"""A stand-in for KurrentDB: an in-memory gRPC server, for machines that can run no real one.

It implements the part of the Streams service that ``KurrentStore`` uses, from the protobufs that
``kurrentdbclient`` publishes: batch append with an expected revision, reading a stream, reading
$all with a filter, catch-up subscriptions. Like the real one it gives commit positions with gaps,
has system events in between, forgives a repeated append only at the same expected revision, and
happily records a known id a second time at another one. It keeps nothing on disk.

Faults: ``delay`` seconds before every answer; ``fail_next(n)`` answers the next calls UNAVAILABLE;
``lose_next(n)`` records the next appends and loses their answers.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple, Self, cast

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.protobuf.message import Message
from kurrentdbclient.protos.v1 import shared_pb2, status_pb2, streams_pb2, streams_pb2_grpc

_ReadReq = streams_pb2.ReadReq
_Options = streams_pb2.ReadReq.Options
# gRPC ships no types: this is a grpc.aio.ServicerContext.
Context = Any


class Stored(NamedTuple):
    """One event as the stand-in holds it. ``created`` counts 100 ns since 1970."""

    position: int
    stream: str
    revision: int
    id: str
    metadata: dict[str, str]
    custom_metadata: bytes
    data: bytes


class KurrentServer(streams_pb2_grpc.StreamsServicer):
    """The stand-in; use it as an async context manager. ``port`` 0 picks a free one."""

    def __init__(self, port: int = 0) -> None:
        """Hold an empty database."""
        self.port = port
        self.delay = 0.0
        self.log: list[Stored] = []
        self._streams: dict[str, list[Stored]] = {}
        self._grew = asyncio.Condition()
        self._failures = 0
        self._losses = 0
        self._server: grpc.aio.Server | None = None

    @property
    def uri(self) -> str:
        """How clients reach it."""
        return f"kurrentdb://127.0.0.1:{self.port}?Tls=false"

    def fail_next(self, calls: int) -> None:
        """Answer the next ``calls`` calls with UNAVAILABLE, doing nothing."""
        self._failures = calls

    def lose_next(self, appends: int) -> None:
        """Record the next ``appends`` appends, but lose their answers."""
        self._losses = appends

    async def start(self) -> None:
        """Listen."""
        self._server = grpc.aio.server()
        streams_pb2_grpc.add_StreamsServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        """Go away at once. What was recorded is there again after another ``start``."""
        if self._server is not None:
            await self._server.stop(None)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def BatchAppend(  # noqa: N802 - the protocol's own name
        self, requests: AsyncIterator[streams_pb2.BatchAppendReq], context: Context
    ) -> AsyncIterator[streams_pb2.BatchAppendResp]:
        """Append each request's events, or say which revision the stream is at."""
        async for request in requests:
            await self._misbehave(context)
            response = await self._append(request)
            if self._losses:
                self._losses -= 1
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost")
            yield response

    async def Read(  # noqa: N802 - the protocol's own name
        self, request: _ReadReq, context: Context
    ) -> AsyncIterator[streams_pb2.ReadResp]:
        """Read a stream or $all, once or as a subscription that never ends."""
        await self._misbehave(context)
        options = request.options
        if options.WhichOneof("count_option") == "subscription":
            async for response in self._subscribe(options):
                yield response
            return
        if options.WhichOneof("stream_option") == "stream":
            identifier = options.stream.stream_identifier
            events = self._streams.get(identifier.stream_name.decode())
            if events is None:
                not_found = streams_pb2.ReadResp.StreamNotFound(stream_identifier=identifier)
                yield streams_pb2.ReadResp(stream_not_found=not_found)
                return
            wanted = iter(events[options.stream.revision :])
        else:
            wanted = self._of_all(options)
        for number, event in enumerate(wanted):
            if number >= options.count:
                return
            yield _response(event)

    async def _subscribe(self, options: _Options) -> AsyncIterator[streams_pb2.ReadResp]:
        confirmation = streams_pb2.ReadResp.SubscriptionConfirmation(
            subscription_id=str(uuid.uuid4())
        )
        keep = _filter(options)
        place = 0
        if options.all.WhichOneof("all_option") == "end":
            place = len(self.log)
        elif options.all.WhichOneof("all_option") == "position":
            # A subscription starts behind the position, reading starts at it.
            after = options.all.position.commit_position
            place = sum(event.position <= after for event in self.log)
        yield streams_pb2.ReadResp(confirmation=confirmation)
        while True:
            async with self._grew:
                while len(self.log) == place:
                    await self._grew.wait()
            fresh, place = self.log[place:], len(self.log)
            for event in filter(keep, fresh):
                yield _response(event)

    def _of_all(self, options: _Options) -> Iterator[Stored]:
        events = filter(_filter(options), self.log)
        if options.read_direction == _Options.Backwards:
            return iter(list(events)[::-1])
        if options.all.WhichOneof("all_option") == "position":
            first = options.all.position.commit_position
            return (event for event in events if event.position >= first)
        return events

    async def _append(self, request: streams_pb2.BatchAppendReq) -> streams_pb2.BatchAppendResp:
        options = request.options
        stream = options.stream_identifier.stream_name.decode()
        present = self._streams.get(stream, [])
        response = streams_pb2.BatchAppendResp(
            correlation_id=request.correlation_id, stream_identifier=options.stream_identifier
        )
        ids = [message.id.string for message in request.proposed_messages]
        expected = _expected(options)
        if expected is not None and expected != len(present):
            if [event.id for event in present[expected : expected + len(ids)]] != ids:
                response.error.CopyFrom(_wrong_version(len(present)))
                return response
            last = present[expected + len(ids) - 1]
        else:
            last = await self._record(stream, request)
        response.success.current_revision = last.revision
        response.success.position.commit_position = last.position
        response.success.position.prepare_position = last.position
        return response

    async def _record(self, stream: str, request: streams_pb2.BatchAppendReq) -> Stored:
        events = self._streams.setdefault(stream, [])
        for message in request.proposed_messages:
            # Positions are byte offsets in a real log, so they have gaps.
            position = (self.log[-1].position if self.log else 100) + 200 + len(message.data)
            metadata = {**message.metadata, "created": str(time.time_ns() // 100)}
            events.append(
                Stored(
                    position,
                    stream,
                    len(events),
                    message.id.string,
                    metadata,
                    message.custom_metadata,
                    message.data,
                )
            )
            self.log.append(events[-1])
        # The real one keeps statistics and the like in the same log.
        system = {"type": "$metadata", "content-type": "application/json", "created": "0"}
        other = Stored(events[-1].position + 50, "$$x", 0, str(uuid.uuid4()), system, b"", b"")
        self.log.append(other)
        async with self._grew:
            self._grew.notify_all()
        return events[-1]

    async def _misbehave(self, context: Context) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        if self._failures:
            self._failures -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is away")


def _expected(options: streams_pb2.BatchAppendReq.Options) -> int | None:
    """Return the number of events that the stream must have, None for any."""
    kind = options.WhichOneof("expected_stream_position")
    if kind == "stream_position":
        return int(options.stream_position) + 1
    return 0 if kind == "no_stream" else None


def _wrong_version(events: int) -> status_pb2.Status:
    error = shared_pb2.WrongExpectedVersion()
    if events:
        error.current_stream_revision = events - 1
    else:
        error.current_no_stream.CopyFrom(empty_pb2.Empty())
    details = any_pb2.Any()
    details.Pack(cast(Message, error))
    return status_pb2.Status(details=details)


def _filter(options: _Options) -> Callable[[Stored], bool]:
    """Return the test for what a filter lets through; only what the client can say is known."""
    if options.WhichOneof("filter_option") != "filter":
        return lambda event: True
    by_stream = options.filter.WhichOneof("filter") == "stream_identifier"
    expression = options.filter.stream_identifier if by_stream else options.filter.event_type
    pattern, prefixes = re.compile(expression.regex), tuple(expression.prefix)

    def keep(event: Stored) -> bool:
        text = event.stream if by_stream else event.metadata["type"]
        return text.startswith(prefixes) if prefixes else pattern.search(text) is not None

    return keep


def _response(event: Stored) -> streams_pb2.ReadResp:
    recorded = streams_pb2.ReadResp.ReadEvent.RecordedEvent(
        id=shared_pb2.UUID(string=event.id),
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=event.stream.encode()),
        stream_revision=event.revision,
        prepare_position=event.position,
        commit_position=event.position,
        metadata=event.metadata,
        custom_metadata=event.custom_metadata,
        data=event.data,
    )
    read = streams_pb2.ReadResp.ReadEvent(event=recorded, commit_position=event.position)
    return streams_pb2.ReadResp(event=read)
