"""When something is tried again: ever longer pauses with jitter, and one process at a time."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from shared.events import to_micros

FIRST: Final = timedelta(seconds=5)
LONGEST: Final = timedelta(hours=1)
# After so many tries in vain people are told; the tries go on.
ALERT_AFTER: Final = 5
# Whoever takes a row has so long; then another process may.
HOLD: Final = timedelta(minutes=2)
BATCH: Final = 100


def pause(attempts: int) -> timedelta:
    """Return how long to wait after ``attempts`` tries (from 1): doubling, up to half more."""
    grown = min(FIRST * 2.0 ** min(attempts - 1, 20), LONGEST)
    return grown * random.uniform(1.0, 1.5)


def micros_in(now: datetime, wait: timedelta) -> int:
    """Return the instant after a wait, as tables have it (microseconds UTC)."""
    return to_micros(now + wait)
