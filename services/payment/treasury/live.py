"""Tells the treasurer's live pages when to look again, in every process: they hear the bus."""

from __future__ import annotations

import asyncio
from typing import Any

from shared.bus import Bus
from shared.topics import PAYMENT
from shared.web.sse import LiveHub

_SECONDS = 1.0
_WATCHED = 10_000


class Pulse:
    """Redraws lists once a second while money moves.

    Lists are drawn from the read model, which another process may fold and which may be a moment
    behind the event: so each change has them drawn twice.
    """

    def __init__(self, bus: Bus, hub: LiveHub) -> None:
        """Listen on ``bus``, tell ``hub``."""
        self._bus = bus
        self._hub = hub
        # A dictionary keeps the order in which they were asked for.
        self._lists: dict[str, None] = {}
        self._frames: dict[str, set[str]] = {}
        self._rounds = 0

    def follow(self, key: str) -> None:
        """Redraw the list behind this key whenever money moves."""
        self._lists[key] = None
        _forget_first(self._lists)

    def watch(self, stream: str, key: str) -> None:
        """Redraw ``key`` at every event of ``stream``; each kind of role may have a page of it."""
        self._frames.setdefault(stream, set()).add(key)
        _forget_first(self._frames)

    async def listen(self) -> None:
        """Hear every event of the topic, whichever process it came from."""
        async for recorded in self._bus.live((PAYMENT.name,)):
            self._rounds = 2
            # A case's page folds its own stream, so it need not wait for a read model.
            for key in self._frames.get(recorded.stream, ()):
                self._hub.publish(key)

    async def redraw(self) -> None:
        """Publish the lists once a second while something happened."""
        while True:
            await asyncio.sleep(_SECONDS)
            if self._rounds:
                self._rounds -= 1
                for key in tuple(self._lists):
                    self._hub.publish(key)


def list_key(office: str, what: str) -> str:
    """Return the live key of an office's list, or of its overview (``what`` is then empty)."""
    return f"bendahara:{office}:{what}"


def _forget_first(held: dict[str, Any]) -> None:
    """Keep memory bounded: whoever still looks at a forgotten page asks for it again."""
    while len(held) > _WATCHED:
        del held[next(iter(held))]
