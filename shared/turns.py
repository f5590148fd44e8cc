"""Turns of the event loop, for work that is done in slices and is in no hurry."""

from __future__ import annotations

import asyncio
from typing import Final

# A request goes through about so many rounds of the loop from its first byte to its answer: its
# task begins, its append is taken, its answer is told, it is written. A round in which nothing is
# to be done takes a few microseconds.
_ROUNDS: Final = 4


async def give_way() -> None:
    """Let whatever waits for its turn be done, and what follows from it.

    After one round alone everybody else would wait for a slice at each of their steps.
    """
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)
