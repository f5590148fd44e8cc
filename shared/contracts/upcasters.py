"""Stepwise upcasters: (type, version) -> a function from that version's JSON object to the next's.

A pure function of the stored object; it must know every detail it adds. Each step has a golden
file of the old version under ``tests/golden``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: dict[tuple[str, int], Upcaster] = {}


def upcast(
    name: str,
    version: int,
    current: int,
    stored: dict[str, Any],
    steps: dict[tuple[str, int], Upcaster] = UPCASTERS,
) -> dict[str, Any]:
    """Return ``stored`` brought from ``version`` to ``current``, one step at a time.

    Raises KeyError when a step is missing; the codec turns that into ``UndecodableEvent``.
    """
    for step in range(version, current):
        stored = steps[(name, step)](stored)
    return stored
