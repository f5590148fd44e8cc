"""What reconciliation looks at, the classes it puts things into, and what it wants done.

Everything here is a value: no clock, no table. Amounts are whole rupiah; days are those of the
partner's zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Class(StrEnum):
    """Where a line or a payment is in the reconciliation: always in exactly one.

    The first eight are the specification's. A debit that takes nothing back is ``EXPLAINED`` once a
    person has said what it is. A line is ``PENDING`` while it may still find its place or waits for
    a person; a payment is ``AWAITING_SETTLEMENT`` until its grace has passed.
    """

    MATCHED = "MATCHED"
    SETTLED_NO_CALLBACK = "SETTLED_NO_CALLBACK"
    CALLBACK_NO_SETTLEMENT = "CALLBACK_NO_SETTLEMENT"
    ORPHAN_CREDIT = "ORPHAN_CREDIT"
    AMOUNT_DIFF = "AMOUNT_DIFF"
    DUPLICATE = "DUPLICATE"
    LATE = "LATE"
    REVERSED = "REVERSED"
    EXPLAINED = "EXPLAINED"
    PENDING = "PENDING"
    AWAITING_SETTLEMENT = "AWAITING_SETTLEMENT"


class LineId(NamedTuple):
    """A line of a file."""

    settlement_id: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of an accepted file.

    ``matched`` is the payment that a person named: its reference or request id, empty for money
    nobody reported; None when nobody did. ``held`` says that its money is in suspense as an orphan,
    under the id ``case``; ``aside`` that a person wanted it there; ``explained`` that a person said
    what the debit is.
    """

    id: LineId
    partner: str
    amount: int
    value_on: date
    reference: str = ""
    virtual_account: str = ""
    reverses: str = ""
    matched: str | None = None
    held: bool = False
    case: str = ""
    aside: bool = False
    explained: bool = False

    @property
    def takes_back(self) -> str:
        """What names the original of a reversal: as a person said of a debit, or as the bank says.

        A debit may also carry its credit's own reference.
        """
        said = self.matched if self.amount < 0 else None
        return said or self.reverses or self.reference

    @property
    def in_suspense(self) -> bool:
        """Say whether its money is in suspense, or on its way there: then it pays nothing else."""
        return self.held or self.aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """A payment on an application's bills, as its events tell it.

    ``pays`` says that it is its bill's payment; else it was set aside, ``late`` when it came after
    the bill's end. ``billed`` is the amount of the bill it was meant for. ``reported`` says that
    the partner told of it, and not a file first.
    """

    id: str
    application_id: str
    bill_id: str
    partner: str
    request_id: str
    reference: str
    amount: int
    paid_on: date
    pays: bool
    late: bool = False
    billed: int = 0
    reported: bool = True
    reversed: bool = False
    disputed: bool = False
    contradicted: bool = False
    settled: LineId | None = None

    @property
    def name(self) -> str:
        """What names it to a person: its receipt number, else the partner's request id."""
        return self.reference or self.request_id

    def known_as(self, reference: str) -> bool:
        """Say whether a reference in a file is this payment's."""
        return reference != "" and reference in (self.reference, self.request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything known of one application's money. ``bill_id`` is its last bill."""

    application_id: str
    bill_id: str
    lines: Sequence[Line] = ()
    moneys: Sequence[Money] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """How a partner settles.

    ``shared`` says that a line's reference is the callback's. ``today`` is the partner's business
    day, ``graced`` the last day whose payments should have been settled by now.
    """

    shared: bool
    today: date
    graced: date

    def closed(self, value_on: date) -> bool:
        """Say whether every payment that could belong to a value date should have been told."""
        return (self.today - value_on).days > 1


# What is to be done. Each is carried out by a command that decides nothing when repeated.


@dataclass(frozen=True, slots=True)
class Settle:
    """Tell the bill that a payment arrived."""

    money: Money
    line: Line


@dataclass(frozen=True, slots=True)
class Record:
    """Tell the bill of a payment that no callback told of."""

    application_id: str
    line: Line


@dataclass(frozen=True, slots=True)
class Reverse:
    """Tell the bill that a payment was taken back by ``line``; ``original`` brought it, if known.

    ``money`` is None for one that was never reported.
    """

    application_id: str
    line: Line
    original: Line | None
    money: Money | None


@dataclass(frozen=True, slots=True)
class Contradict:
    """Tell the bill that another amount arrived than was reported."""

    money: Money
    line: Line


@dataclass(frozen=True, slots=True)
class Dispute:
    """Tell the bill that a payment never arrived."""

    money: Money


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the money of a line that names no bill of ours into suspense."""

    line: Line


@dataclass(frozen=True, slots=True)
class Release:
    """Close the suspense case of ``line``: ``by`` took its money back."""

    line: Line
    by: Line


Effect = Settle | Record | Reverse | Contradict | Dispute | Hold | Release


@dataclass(frozen=True, slots=True)
class Place:
    """The class of a line, and the payment it belongs to (its id), if any.

    ``why`` is a code for people where the class alone does not say it.
    """

    name: Class
    money: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every line and every payment that was looked at in its class, and what is to be done."""

    lines: Mapping[LineId, Place]
    moneys: Mapping[str, Class]
    effects: Sequence[Effect] = ()
