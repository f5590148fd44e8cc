"""Waiting for a part that is down: ever longer pauses, never giving up, never skipping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from shared.errors import Unavailable
from shared.telemetry import log

T = TypeVar("T")

FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 10.0


async def patiently(what: str, call: Callable[[], Awaitable[T]], **ids: str) -> T:
    """Return what ``call`` returns, calling again as long as it raises Unavailable.

    ``what`` and ``ids`` (never personal data) name the wait in the log.
    """
    wait = FIRST_WAIT
    while True:
        try:
            return await call()
        except Unavailable as error:
            log.warning("waiting", what=what, reason=error.code, **ids)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)
