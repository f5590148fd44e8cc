"""How often the interpreter looks for garbage: rarely enough that nobody waits for it.

A full collection goes through every object that is alive. With what the libraries and the event
store keep in memory one took 70 to 136 ms of computing time (measured in a storm of timers), and
the loop stands still meanwhile. Almost nothing in Jejak is a cycle: reference counts free the rest.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

# The youngest objects are looked through after so many new ones, the middle-aged after two such
# rounds, for what they look through at once everybody waits for, and all of them after 1500 of
# those: three million objects that came and stayed. A storm of 100,000 timers brings 1.3 million,
# and is not held up in the middle.
_THRESHOLDS: Final = (1000, 2, 1500)
# How long a thread keeps the interpreter while another one waits for it: a tenth of the usual, for
# behind a commit in a thread somebody waits, and it has to take the interpreter several times.
_SWITCH_SECONDS: Final = 0.0005


def settle() -> None:
    """Leave what is alive now out of every later collection, and collect everything seldom.

    Threads take turns more often from then on.

    For a process that has started up and is about to serve.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    sys.setswitchinterval(_SWITCH_SECONDS)
