"""Following the log: how an append wakes those who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from shared.errors import Unavailable
from shared.events import Recorded

Read = Callable[[int, int], Awaitable[list[Recorded]]]

# How long a follower waits before it asks a store again that did not answer.
AWAY_SECONDS = 0.2


class News:
    """Wakes every waiter at once; costs nothing while nobody waits."""

    def __init__(self) -> None:
        """Start without news."""
        self._event: asyncio.Event | None = None
        self.ended = False

    def tell(self) -> None:
        """Wake everyone who waits now."""
        if self._event is not None:
            self._event.set()
            self._event = None

    def end(self) -> None:
        """Wake everyone for the last time: there will be no more news."""
        self.ended = True
        self.tell()

    async def wait(self, seconds: float) -> None:
        """Wait for news, for at most ``seconds``."""
        if self._event is None:
            self._event = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()


async def follow(
    read: Read, news: News, after: int, limit: int, poll_seconds: float
) -> AsyncIterator[list[Recorded]]:
    """Yield batches above ``after`` until the news end; look again every ``poll_seconds``.

    A store that is unavailable is waited for, not given up.
    """
    while not news.ended:
        try:
            batch = await read(after, limit)
        except Unavailable:
            batch = []
            await news.wait(AWAY_SECONDS)
        if batch:
            after = batch[-1].position
            yield batch
        elif not news.ended:
            await news.wait(poll_seconds)
