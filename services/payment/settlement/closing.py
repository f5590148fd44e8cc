"""The proof of a partner's day: what arrived is the sum of its classes, each line in exactly one.

A day is proved again whenever its picture changes (a late file, a reversal); the same picture is
proved once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.payment.settlement.facts import Class
from shared.actors import Actor
from shared.contracts.payment import ClassTotal, SettlementDayProved
from shared.decider import Decider
from shared.errors import Refused
from shared.events import AnyFact

# Classes of payments that no line has settled: no part of what arrived.
UNSETTLED = frozenset({Class.CALLBACK_NO_SETTLEMENT, Class.AWAITING_SETTLEMENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveDay:
    """Prove a day. ``settled`` and ``lines`` are counted apart from ``classes``."""

    partner: str
    day: str
    settled: int
    lines: int
    classes: tuple[ClassTotal, ...]
    digest: str
    now: datetime
    by: Actor


class SumsDisagree(Refused):
    """What arrived is not the sum of its classes."""

    code = "settlement-sums-disagree"
    text = "What arrived on {day} is not the sum of its classes. Nothing was recorded."


def closing_stream(partner: str, day: str) -> str:
    """Return the stream of a partner's day."""
    return f"closing-{partner}-{day}"


# The digest that was proved last.
Proved = str


def decide(command: ProveDay, state: Proved) -> Sequence[object]:
    """Return the proof, or nothing for one that was given. Raises SumsDisagree."""
    arrived = [one for one in command.classes if one.name not in UNSETTLED]
    sums = (sum(one.amount for one in arrived), sum(one.count for one in arrived))
    if sums != (command.settled, command.lines):
        raise SumsDisagree(day=command.day)
    if command.digest == state:
        return []
    return [
        SettlementDayProved(
            partner=command.partner,
            day=command.day,
            settled=command.settled,
            classes=command.classes,
            lines=command.lines,
            digest=command.digest,
        )
    ]


def evolve(state: Proved, fact: AnyFact) -> Proved:
    """Return the digest of the last proof."""
    match fact.event:
        case SettlementDayProved(digest=digest):
            return digest
        case _:
            return state


DECIDER: Decider[Proved] = Decider("", decide, evolve)
