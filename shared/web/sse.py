"""Live pages: server-sent events that carry the page's new HTML.

A ``LiveHub`` knows for each key (say, one permit) only a version number. Publishing raises it and
wakes whoever watches; a watcher then sends the newest state. Nothing is queued for anybody, so a
slow reader holds one rendered frame at most, skips what it missed, and delays nobody. A frame is
rendered once per (key, language, version), however many people watch.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from itertools import count

from fastapi import Request
from fastapi.responses import StreamingResponse

from shared.errors import Unavailable
from shared.web.pages import language

HEARTBEAT_SECONDS = 15.0
DEFAULT_MAX_WATCHERS = 20_000
_HEARTBEAT = b": still here\n\n"

Render = Callable[[str], Awaitable[str]]
"""Given a language, returns the HTML as it is now."""


class _Topic:
    """What one key's watchers share."""

    __slots__ = ("changed", "frames", "version", "watchers")

    def __init__(self, version: int) -> None:
        self.version = version
        self.watchers = 0
        self.changed = asyncio.Event()
        self.frames: dict[str, tuple[int, asyncio.Task[bytes]]] = {}


class LiveHub:
    """Wakes the watchers of a key. Belongs to one event loop; one hub per process is enough."""

    def __init__(
        self,
        *,
        max_watchers: int = DEFAULT_MAX_WATCHERS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        """``max_watchers`` bounds memory (about 10 KiB each)."""
        self._max_watchers = max_watchers
        self._heartbeat_seconds = heartbeat_seconds
        self._topics: dict[str, _Topic] = {}
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
        topic = self._topics.get(key)
        if topic is not None:
            topic.version = next(self._versions)
            self._wake(topic)

    def close(self) -> None:
        """End every stream, now and from now on, so that the process can stop."""
        self._closed = True
        for topic in self._topics.values():
            self._wake(topic)

    async def subscribe(self, key: str, last_version: int = 0) -> AsyncGenerator[int | None]:
        """Yield the newest version of ``key`` whenever it differs from the last one yielded.

        Yields None when nothing happened for a heartbeat. Ends when the hub closes.
        """
        topic = self._enter(key)
        try:
            seen = last_version
            while not self._closed:
                # Taken before the version is looked at, so that no change falls in between.
                changed = topic.changed
                if topic.version != seen:
                    seen = topic.version
                    yield seen
                elif await _happens(changed, self._heartbeat_seconds):
                    continue
                else:
                    yield None
        finally:
            self._leave(key, topic)

    async def frames(
        self, key: str, lang: str, render: Render, last_event_id: str = ""
    ) -> AsyncGenerator[bytes]:
        """Yield server-sent events: the state now (unless the reader has it), then each change."""
        async with aclosing(self.subscribe(key, self._version_of(last_event_id))) as versions:
            async for version in versions:
                if version is None:
                    yield _HEARTBEAT
                else:
                    yield await self._frame(self._topics[key], lang, render)

    def check_room(self) -> None:
        """Raise Unavailable when too many people watch, or the process is about to stop."""
        if self._closed or self._watchers >= self._max_watchers:
            raise Unavailable

    async def _frame(self, topic: _Topic, lang: str, render: Render) -> bytes:
        held = topic.frames.get(lang)
        if held is None or held[0] != topic.version:
            work = asyncio.create_task(self._render(topic.version, lang, render))
            held = topic.frames[lang] = (topic.version, work)
        try:
            # Shielded: the one who leaves must not take the frame from the others.
            return await asyncio.shield(held[1])
        except Exception:
            # Everybody who waited hears of it; the next one renders anew.
            if topic.frames.get(lang) is held:
                del topic.frames[lang]
            raise

    async def _render(self, version: int, lang: str, render: Render) -> bytes:
        html = await render(lang)
        return sse_event("fragment", html, f"{self._boot}-{version}")

    def _version_of(self, event_id: str) -> int:
        boot, _, version = event_id.partition("-")
        known = boot == self._boot and version.isascii() and version.isdigit()
        return int(version[:18]) if known else 0

    def _enter(self, key: str) -> _Topic:
        topic = self._topics.get(key)
        if topic is None:
            # A fresh version: what changed while nobody watched must be sent again.
            topic = self._topics[key] = _Topic(next(self._versions))
        topic.watchers += 1
        self._watchers += 1
        return topic

    def _leave(self, key: str, topic: _Topic) -> None:
        topic.watchers -= 1
        self._watchers -= 1
        if topic.watchers == 0:
            del self._topics[key]

    @staticmethod
    def _wake(topic: _Topic) -> None:
        topic.changed.set()
        topic.changed = asyncio.Event()


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
        hub.frames(key, language(request), render, last),
        media_type="text/event-stream",
        # nginx would otherwise hold events back.
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
