"""Stepwise upcasters: (type, version) -> a function from that version's JSON object to the next's.

A pure function of the stored object; it must know every detail it adds. Each step has a golden
file of the old version under ``tests/golden``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


def adding(**fields: Any) -> Upcaster:
    """Return a step that adds fields which the old version did not have."""
    return lambda stored: {**stored, **fields}


UPCASTERS: dict[tuple[str, int], Upcaster] = {
    ("ApplicationSubmitted", 1): adding(renews=""),
    ("PermitIssued", 1): adding(valid_until="", collected=True),
    # There was one escalation, to the head of office.
    ("StallEscalated", 1): adding(to="head"),
    ("BillIssued", 1): lambda stored: {
        **stored,
        "kind": "skrd",
        "letter": "",
        "replaces": "",
        "principal": stored["amount"],
    },
    ("MessageQueued", 1): adding(not_before="", digest=""),
    ("MessageQueued", 2): adding(attachment="", resend_of=""),
    ("MessageQueued", 3): adding(gathers=[]),
    ("PaymentReceived", 1): adding(source="callback"),
}


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
