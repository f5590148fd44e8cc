"""A uvicorn server that lets live pages go when it is told to stop.

uvicorn waits for open answers before it runs the shutdown half of the lifespan, and a live page's
answer never ends by itself: so the hub is closed first.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

import uvicorn


class Server(uvicorn.Server):
    """Runs ``on_stop`` (such as ``hub.close``) before it waits for open connections."""

    def __init__(self, config: uvicorn.Config, on_stop: Sequence[Callable[[], None]]) -> None:
        """``config`` is uvicorn's own."""
        super().__init__(config)
        self._on_stop = tuple(on_stop)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop.

        A server that is cancelled stops in order too: otherwise the loop goes on watching sockets
        that are closed, and what is opened next under the same number is never heard.
        """
        serving = asyncio.create_task(super().serve(sockets))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.should_exit = True
            await serving
            raise

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams, then stop as uvicorn does."""
        for stop in self._on_stop:
            stop()
        await super().shutdown(sockets)
