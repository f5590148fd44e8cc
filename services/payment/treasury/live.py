"""Tells the treasurer's live pages when to look again, in every process: they hear the bus."""

from __future__ import annotations

import asyncio

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
        self._lists: set[str] = set()
        self._frames: dict[str, set[str]] = {}
        self._rounds = 0

    def follow(self, key: str) -> None:
        """Redraw the list behind this key. There is one per office and kind of list."""
        self._lists.add(key)

    def watch(self, stream: str, key: str) -> None:
        """Redraw ``key`` at every event of ``stream``; a stream may have a page per kind of role.

        Bounded: the keys that were asked for first are forgotten when there are too many.
        """
        self._frames.setdefault(stream, set()).add(key)
        while len(self._frames) > _WATCHED:
            del self._frames[next(iter(self._frames))]

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
