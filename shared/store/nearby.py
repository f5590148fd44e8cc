"""Short work on files: in the event loop while the disk is fast, in a thread while it is not.

Handing work to a thread and back costs 60-75 µs, as much as an fsync of a fast disk, and beside a
busy loop milliseconds. A disk in trouble on the other hand must not hold up everybody else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from shared.store.limits import Limits

T = TypeVar("T")


class Nearby:
    """Runs one piece of work after the other, and learns from each where to run the next."""

    def __init__(self, limits: Limits) -> None:
        """Begin in the loop; what counts as slow, and for how long, is in ``limits``."""
        self._limits = limits
        self._slow = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns; raise what it raises."""
        began = time.perf_counter()
        if self._slow:
            self._slow -= 1
            result = await asyncio.to_thread(work)
        else:
            result = work()
        if time.perf_counter() - began > self._limits.slow_seconds:
            self._slow = self._limits.slow_commits
        return result
