"""Live pages: server-sent events that carry the page's new HTML.

For each key (say, one permit) and language a ``LiveHub`` keeps the newest frame, nothing else.
Publishing draws it anew, once, and hands it to whoever waits. Nothing is queued for anybody, so a
slow reader holds one frame at most, skips what it missed, and delays nobody.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from itertools import count
from typing import NamedTuple

from fastapi import Request
from fastapi.responses import StreamingResponse

from shared.errors import Unavailable
from shared.web.i18n import LANGUAGES
from shared.web.pages import language

HEARTBEAT_SECONDS = 15.0
DEFAULT_MAX_WATCHERS = 20_000
_HEARTBEAT = b": still here\n\n"

Render = Callable[[str], Awaitable[str]]
"""Given a language, returns the HTML as it is now."""


class _Frame(NamedTuple):
    """One drawn state. Heartbeats and the hub's end are frames without a version."""

    version: int
    data: bytes


_BEAT = _Frame(0, _HEARTBEAT)
_END = _Frame(0, b"")


class _Topic:
    """What the watchers of one key in one language share."""

    __slots__ = ("beat", "frame", "painting", "render", "version", "waiting", "watchers")

    def __init__(self, render: Callable[[int], Awaitable[bytes]]) -> None:
        self.render = render
        self.version = 0
        self.watchers = 0
        self.frame = _BEAT
        self.waiting: set[asyncio.Future[_Frame]] = set()
        self.painting: asyncio.Task[None] | None = None
        self.beat: asyncio.TimerHandle | None = None

    def changed(self, version: int) -> None:
        """Have the new state drawn; while one drawing runs, changes only ask for one more."""
        self.version = version
        if self.painting is None or self.painting.done():
            self.painting = asyncio.create_task(self._paint())

    async def next(self) -> _Frame:
        """Wait for the next frame. Raises what drawing it raised."""
        waiter: asyncio.Future[_Frame] = asyncio.get_running_loop().create_future()
        self.waiting.add(waiter)
        try:
            return await waiter
        finally:
            self.waiting.discard(waiter)

    def hand_out(self, frame: _Frame) -> None:
        """Give ``frame`` to everybody who waits."""
        for waiter in self._taken():
            waiter.set_result(frame)

    def stop(self) -> None:
        """Let go of timer and drawing: nobody watches any more."""
        if self.beat is not None:
            self.beat.cancel()
        if self.painting is not None:
            self.painting.cancel()

    async def _paint(self) -> None:
        while self.frame.version != self.version:
            version = self.version
            try:
                self.frame = _Frame(version, await self.render(version))
            except Exception as error:  # noqa: BLE001  # the watchers are told, and may come again
                for waiter in self._taken():
                    waiter.set_exception(error)
                return
            self.hand_out(self.frame)

    def _taken(self) -> list[asyncio.Future[_Frame]]:
        waiting, self.waiting = self.waiting, set()
        return [waiter for waiter in waiting if not waiter.done()]


class LiveHub:
    """Tells the watchers of a key. Belongs to one event loop; one hub per process is enough."""

    def __init__(
        self,
        *,
        max_watchers: int = DEFAULT_MAX_WATCHERS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        """``max_watchers`` bounds memory (about 10 KiB each)."""
        self._max_watchers = max_watchers
        self._heartbeat_seconds = heartbeat_seconds
        self._topics: dict[tuple[str, str], _Topic] = {}
        self._versions = count(1)
        self._watchers = 0
        self._closed = False
        # An event id from before a restart must never look like one of ours.
        self._boot = secrets.token_hex(4)

    @property
    def watchers(self) -> int:
        """How many people watch now."""
        return self._watchers

    def publish(self, key: str) -> None:
        """Tell the watchers of ``key`` that it changed. Costs nothing when nobody watches."""
        for lang in LANGUAGES:
            topic = self._topics.get((key, lang))
            if topic is not None:
                topic.changed(next(self._versions))

    def close(self) -> None:
        """End every stream, now and from now on, so that the process can stop."""
        self._closed = True
        for topic in self._topics.values():
            topic.hand_out(_END)

    def check_room(self) -> None:
        """Raise Unavailable when too many people watch, or the process is about to stop."""
        if self._closed or self._watchers >= self._max_watchers:
            raise Unavailable

    async def subscribe(
        self, key: str, lang: str, render: Render, last_event_id: str = ""
    ) -> AsyncGenerator[bytes]:
        """Yield server-sent events: the state now (unless the reader has it), then each change.

        ``render`` is called with ``lang``; frames are shared, so it must not depend on who asks.
        Raises what ``render`` raises.
        """
        topic, seen = self._enter(key, lang, render), self._version_of(last_event_id)
        try:
            while not self._closed:
                newest = topic.frame.version == topic.version
                # No await between looking and waiting: no change can fall in between.
                skip = not newest or topic.version == seen
                frame = await topic.next() if skip else topic.frame
                if frame is _END:
                    return
                seen = frame.version or seen
                yield frame.data
        finally:
            self._leave(key, lang, topic)

    def _enter(self, key: str, lang: str, render: Render) -> _Topic:
        topic = self._topics.get((key, lang))
        if topic is None:

            async def draw(version: int) -> bytes:
                return sse_event("fragment", await render(lang), f"{self._boot}-{version}")

            topic = self._topics[key, lang] = _Topic(draw)
            self._beat(topic)
        if topic.frame.version != topic.version or topic.version == 0:
            # New, or its last drawing failed. A fresh version, because what changed while nobody
            # watched has to be sent again.
            topic.changed(topic.version or next(self._versions))
        topic.watchers += 1
        self._watchers += 1
        return topic

    def _leave(self, key: str, lang: str, topic: _Topic) -> None:
        topic.watchers -= 1
        self._watchers -= 1
        if topic.watchers == 0:
            del self._topics[key, lang]
            topic.stop()

    def _beat(self, topic: _Topic) -> None:
        # One timer per topic, not per watcher.
        topic.hand_out(_BEAT)
        loop = asyncio.get_running_loop()
        topic.beat = loop.call_later(self._heartbeat_seconds, self._beat, topic)

    def _version_of(self, event_id: str) -> int:
        boot, _, version = event_id.partition("-")
        known = boot == self._boot and version.isascii() and version.isdigit()
        return int(version[:18]) if known else 0


def sse_event(event: str, data: str, event_id: str) -> bytes:
    """Encode one server-sent event; every line of ``data`` becomes a data field."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines())
    return f"event: {event}\nid: {event_id}\n{lines}\n".encode()


def sse_response(request: Request, hub: LiveHub, key: str, render: Render) -> StreamingResponse:
    """Answer a live page's stream. ``render`` must not depend on who asks: frames are shared.

    jejak.js reconnects with ``?last=`` because a new EventSource sends no Last-Event-ID.
    Raises Unavailable before anything is sent when there is no room.
    """
    hub.check_room()
    last = request.headers.get("last-event-id") or request.query_params.get("last", "")
    return StreamingResponse(
        hub.subscribe(key, language(request), render, last),
        media_type="text/event-stream",
        # nginx would otherwise hold events back.
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
