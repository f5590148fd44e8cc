"""What a planned month is: its payments, its callbacks, its files, and what must come of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from deploy.bank.faults import Fault
from deploy.bank.statement import Line, halved, statement

TOLD: Final = frozenset({"2002500"})
# Whichever copy comes first is the payment; the others hear its result.
AGAIN: Final = frozenset({"2002500", "4042518"})
REFUSED: Final = frozenset({"4012500"})
WRONG_AMOUNT: Final = frozenset({"4042513"})


class Owed(NamedTuple):
    """A bill that the bank's customers owe: its account and amount in rupiah.

    Only a bill whose ``due_on`` is given can be paid too late.
    """

    account: str
    amount: int
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of the month. ``at`` is when its customer paid, in the bank's zone."""

    account: str
    amount: int
    request_id: str
    reference: str
    at: datetime
    fault: Fault = Fault.NONE


@dataclass(frozen=True, slots=True)
class Telling:
    """One callback: of which payment, under which external id, and when it reaches the office.

    ``advice`` marks a retry, ``fault`` is what is wrong with this very message.
    """

    payment: Payment
    external_id: str
    at: datetime
    advice: bool = False
    fault: Fault = Fault.NONE
    codes: frozenset[str] = TOLD


@dataclass(frozen=True, slots=True)
class Expected:
    """What must have come of one receipt number after the month and its grace.

    ``line`` and ``payment`` are classes, empty where there is no line or no payment. ``pays`` says
    that this money is its bill's payment, ``held`` how much of it lies in suspense.
    """

    fault: Fault
    line: str
    payment: str
    pays: bool
    held: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the bank: what it tells, in this order, and then the lines of its file."""

    on: date
    tellings: Sequence[Telling]
    lines: Sequence[Line]
    half_first: bool

    def files(self, sheet: Mapping[str, Any], opening: int = 0) -> list[bytes]:
        """Return the day's files as written by ``sheet``: a half one must be refused whole."""
        if not self.lines:
            return []
        whole = statement(sheet, self.on, self.lines, opening=opening)
        return [halved(whole), whole] if self.half_first else [whole]


@dataclass(frozen=True, slots=True)
class Month:
    """The plan: its days in order, its payments, and what must come of each receipt number."""

    days: Sequence[Day]
    payments: Sequence[Payment]
    expected: Mapping[str, Expected]

    def classes(self) -> dict[str, tuple[int, int]]:
        """Return class -> (how many lines, sum of their rupiah) that the files must come to."""
        counts: Counter[str] = Counter()
        sums: Counter[str] = Counter()
        told: set[Line] = set()
        for line in (line for day in self.days for line in day.lines):
            name = self.expected[line.reverses or line.reference].line
            name = "PENDING" if line in told else name
            told.add(line)
            counts[name] += 1
            sums[name] += line.amount
        return {name: (counts[name], sums[name]) for name in sorted(counts)}

    def injected(self) -> Counter[Fault]:
        """Count the payments by what goes wrong with them."""
        return Counter(payment.fault for payment in self.payments)
