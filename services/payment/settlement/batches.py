"""Lines that name no account of ours: a credit for a whole day's payments, or an orphan.

A pure function of facts. A credit is a day's batch when it is the sum of exactly one day's
payments that nothing else has settled, and no other credit could be it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from services.payment.settlement.facts import (
    Class,
    Effect,
    Hold,
    Line,
    LineId,
    Money,
    Place,
    Release,
    Rules,
    Settle,
    Verdict,
)
from services.payment.settlement.matching import DAYS_APART
from services.payment.settlement.pairing import netted, told_twice

# How far around a day lines and payments must be known to judge the lines of that day.
LINES_AROUND = timedelta(days=2 * DAYS_APART)
MONEYS_AROUND = timedelta(days=3 * DAYS_APART)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """A partner's lines without an account around ``day``, and its payments nothing has settled.

    ``batches`` holds, for each line that settled payments before, the sum of those payments.
    """

    day: date
    lines: Sequence[Line] = ()
    free: Sequence[Money] = ()
    batches: Mapping[LineId, int] = field(default_factory=dict)


def place(loose: Loose, rules: Rules) -> Verdict:
    """Return the class of every line of the day, and what is to be done.

    Lines of other days are placed too where a line of this day took them back.
    """
    repeated = told_twice(loose.lines, loose.batches.keys()) if rules.shared else set()
    places: dict[LineId, Place] = {
        line_id: Place(Class.PENDING, why="told-twice") for line_id in repeated
    }
    for line in loose.lines:
        if line.explained:
            places[line.id] = Place(Class.EXPLAINED)
    net = netted(one for one in loose.lines if one.id not in places)
    effects: list[Effect] = []
    for line in net.undone:
        places[line.id] = Place(Class.REVERSED)
    for debit in net.lonely:
        places[debit.id] = Place(Class.PENDING, why="no-original")
    for credit, debit in net.pairs:
        places[credit.id] = places[debit.id] = Place(Class.REVERSED)
        if credit.held:
            effects.append(Release(credit, debit))
    days = _days(loose, net.credits, rules)
    for line in net.credits:
        places[line.id] = _place(line, loose, days, rules, effects)
    asked = _asked(loose, places)
    return Verdict(
        {line_id: found for line_id, found in places.items() if line_id in asked},
        {},
        [effect for effect in effects if _line(effect).id in asked],
    )


def _asked(loose: Loose, places: Mapping[LineId, Place]) -> set[LineId]:
    """Return the lines of the day, and lines of other days that they took back or repeat."""
    today = [line for line in loose.lines if line.value_on == loose.day]
    named = {line.reference for line in today} | {line.reverses for line in today} - {""}
    return {line.id for line in today} | {
        line.id
        for line in loose.lines
        if places[line.id].name is Class.REVERSED
        and (line.reference in named or line.reverses in named)
    }


def _days(loose: Loose, credits: Sequence[Line], rules: Rules) -> dict[LineId, list[date]]:
    """Return for each credit that may be a batch the days whose payments it is the sum of."""
    sums: dict[date, int] = {}
    for money in loose.free:
        sums[money.paid_on] = sums.get(money.paid_on, 0) + money.amount
    return {
        line.id: [
            day
            for day, amount in sorted(sums.items())
            if amount == _missing(line, loose) and abs((day - line.value_on).days) <= DAYS_APART
        ]
        for line in credits
        if _may_be_batch(line, loose) and rules.closed(line.value_on)
    }


def _may_be_batch(line: Line, loose: Loose) -> bool:
    return not (line.virtual_account or line.in_suspense)


def _missing(line: Line, loose: Loose) -> int:
    """Return how much of a credit no payment was settled with: a batch may be settled half-way."""
    return line.amount - loose.batches.get(line.id, 0)


def _place(
    line: Line,
    loose: Loose,
    days: Mapping[LineId, Sequence[date]],
    rules: Rules,
    effects: list[Effect],
) -> Place:
    if line.held:
        return Place(Class.ORPHAN_CREDIT)
    if not _missing(line, loose):
        return Place(Class.MATCHED)
    if line.aside and line.id not in loose.batches:
        effects.append(Hold(line))
        return Place(Class.PENDING, why="being-recorded")
    mine = days.get(line.id, ())
    if len(mine) == 1 and sum(mine[0] in others for others in days.values()) == 1:
        effects += [Settle(money, line) for money in loose.free if money.paid_on == mine[0]]
        return Place(Class.PENDING, why="being-recorded")
    if mine or line.id in loose.batches:
        return Place(Class.PENDING, why="ambiguous")
    if line.value_on > rules.graced:
        return Place(Class.PENDING, why="too-early")
    effects.append(Hold(line))
    return Place(Class.PENDING, why="being-recorded")


def _line(effect: Effect) -> Line:
    assert isinstance(effect, Settle | Hold | Release)
    return effect.by if isinstance(effect, Release) else effect.line
