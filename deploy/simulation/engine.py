"""The simulated clock: processes that wait for instants, always in the same order.

A process is an async generator that yields the instant it goes on at. The earliest goes first, and
of two at one instant the one that asked first, so that a seed gives one history only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from heapq import heappop, heappush
from typing import NamedTuple

Process = AsyncIterator[datetime]


class _Turn(NamedTuple):
    at: datetime
    order: int
    go_on: Callable[[], Awaitable[datetime | None]]


class Clock:
    """What ``Kernel.now`` is during a simulation."""

    def __init__(self, start: datetime) -> None:
        """Begin at ``start`` (aware)."""
        self._at = start
        self._turns: list[_Turn] = []
        self._asked = 0

    def now(self) -> datetime:
        """Return the simulated instant."""
        return self._at

    def spawn(self, process: Process, at: datetime | None = None) -> None:
        """Let ``process`` begin ``at`` an instant, or now."""
        self.call(lambda: anext(process, None), at or self._at)

    def call(self, action: Callable[[], Awaitable[datetime | None]], at: datetime) -> None:
        """Await ``action`` once ``at`` an instant, and again whenever it returns another one."""
        self._asked += 1
        heappush(self._turns, _Turn(max(at, self._at), self._asked, action))

    async def run(self, until: datetime, told: Callable[[datetime], None]) -> None:
        """Run everything that happens before ``until``; ``told`` hears of every instant.

        Raises what a process raises.
        """
        while self._turns and self._turns[0].at < until:
            turn = heappop(self._turns)
            self._at = turn.at
            told(turn.at)
            wanted = await turn.go_on()
            if wanted is not None:
                self.call(turn.go_on, wanted)
