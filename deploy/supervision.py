"""Keeps the long-running parts of a process alive, and says when one of them is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shared.errors import Unavailable
from shared.telemetry import log

_LONGEST_WAIT = 10.0


class Supervisor:
    """Runs named parts for ever. One that ends or fails is started again, ever more patiently."""

    def __init__(self) -> None:
        """Start with nothing to watch over."""
        self._tasks: list[asyncio.Task[None]] = []
        self._down: set[str] = set()

    def start(self, name: str, part: Callable[[], Awaitable[object]]) -> None:
        """Run ``part`` under ``name`` until ``stop``."""
        self._tasks.append(asyncio.create_task(self._keep(name, part), name=name))

    async def check(self) -> None:
        """Raise Unavailable while any part is down."""
        if self._down:
            raise Unavailable

    async def stop(self) -> None:
        """Cancel every part and wait until all have let go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, name: str, part: Callable[[], Awaitable[object]]) -> None:
        wait = 0.1
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await part()
                log.warning("part_ended", part=name)
            except Exception:  # noqa: BLE001 - any failure of a part is survived and shown
                log.exception("part_failed", part=name)
            self._down.add(name)
            if asyncio.get_running_loop().time() - began > _LONGEST_WAIT:
                wait = 0.1
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
            self._down.discard(name)
