"""What lines say about each other, before any payment is looked at: told twice, taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from services.payment.settlement.facts import Line, LineId


class Pair(NamedTuple):
    """A credit and the debit that took it back."""

    credit: Line
    debit: Line


class Netted(NamedTuple):
    """Lines after reversals: what stands, what cancels out, and debits that lack an original.

    ``undone`` are debits that were taken back themselves, with the credits that did it.
    """

    credits: Sequence[Line]
    pairs: Sequence[Pair]
    undone: Sequence[Line]
    lonely: Sequence[Line]


def told_twice(lines: Iterable[Line], settled: Collection[LineId]) -> set[LineId]:
    """Return the lines that repeat what another one says, such as in files that overlap.

    A receipt number is given once, so a second line with it brings no second money. The one that
    a payment was settled with stays (``settled``), or whose money is held, else the lowest: the
    order of arrival does not matter. A line that a person put aside or explained repeats nothing.
    """
    first: dict[tuple[str, bool, str], Line] = {}
    repeated: set[LineId] = set()
    for line in sorted(lines, key=lambda one: (one.id not in settled, not one.held, one.id)):
        if not line.reference or line.aside or line.explained:
            continue
        key = (line.reference, line.amount > 0, line.reverses)
        if key in first:
            repeated.add(line.id)
        else:
            first[key] = line
    return repeated


def netted(lines: Iterable[Line]) -> Netted:
    """Net every reversal to its original, in whatever files the two are.

    A debit names the original's reference, or carries the same one; one without any reference
    takes back the only credit of that amount and account that it can, and no other.
    """
    rest = {line.id: line for line in sorted(lines, key=lambda one: one.id)}
    undone: list[Line] = []
    for back in [one for one in rest.values() if one.amount > 0 and one.reverses]:
        debit = _original(back, [one for one in rest.values() if one.amount < 0])
        if debit is not None:
            undone += [back, rest.pop(debit.id)]
            del rest[back.id]
    pairs: list[Pair] = []
    lonely: list[Line] = []
    for debit in [one for one in rest.values() if one.amount < 0]:
        del rest[debit.id]
        credit = _original(debit, [one for one in rest.values() if one.amount > 0])
        if credit is None:
            lonely.append(debit)
        else:
            pairs.append(Pair(rest.pop(credit.id), debit))
    return Netted(list(rest.values()), pairs, undone, lonely)


def _original(reversal: Line, candidates: Sequence[Line]) -> Line | None:
    named = reversal.takes_back
    fitting = [
        one
        for one in candidates
        if one.amount == -reversal.amount
        and one.partner == reversal.partner
        and (one.reference == named if named else _same_place(one, reversal))
    ]
    if named:
        return fitting[0] if fitting else None
    return fitting[0] if len(fitting) == 1 else None


def _same_place(one: Line, reversal: Line) -> bool:
    return (
        reversal.virtual_account != ""
        and one.virtual_account == reversal.virtual_account
        and one.value_on <= reversal.value_on
    )
