"""What the bank says arrived on the office's account, and the daily proof that all sums agree.

Streams: ``settlement-{settlement_id}`` (one file), ``settlement-{settlement_id}-{n}`` (a file's
``n``-th lines, so that nobody has to fold a million of them) and ``closing-{partner}-{day}``.
Amounts are whole rupiah; a debit or a reversal is negative. Days are ISO 8601 dates of the
partner's zone.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.registry import event


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLine:
    """One line of a file: ``line`` counts from 1. ``virtual_account`` is empty where not named.

    ``reference`` is the bank's receipt number (NTB), ``reverses`` the one that a reversal takes
    back.
    """

    line: int
    amount: int
    value_on: str
    reference: str = ""
    virtual_account: str = ""
    reverses: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTotal:
    """How many lines or payments fell into one class of the reconciliation, and their sum."""

    name: str
    count: int
    amount: int


@event("SettlementFileOpened")
class SettlementFileOpened:
    """A file that balances is being taken in; ``sha256`` (hex) of its bytes is its identity."""

    settlement_id: str
    partner: str
    sha256: str
    name: str
    first_day: str
    last_day: str
    opening: int
    closing: int
    lines: int


@event("SettlementLinesRecorded")
class SettlementLinesRecorded:
    """Some consecutive lines of the file."""

    settlement_id: str
    partner: str
    lines: tuple[SettlementLine, ...]


@event("SettlementFileAccepted")
class SettlementFileAccepted:
    """Every line of the file is recorded; from here on it counts."""

    settlement_id: str
    partner: str
    lines: int
    credits: int
    debits: int


@event("SettlementFileRejected")
class SettlementFileRejected:
    """The file was refused whole. ``reason`` is a code, ``line`` where it shows, or 0."""

    settlement_id: str
    partner: str
    sha256: str
    name: str
    reason: str
    line: int = 0


@event("LineMatchedByHand")
class LineMatchedByHand:
    """An officer said which payment a line belongs to, and why.

    ``reference`` is the payment's receipt number or request id; empty for money that nobody
    reported, which then counts for the bill.
    """

    settlement_id: str
    line: int
    application_id: str
    bill_id: str
    reason: str
    reference: str = ""


@event("LineWrittenToSuspense")
class LineWrittenToSuspense:
    """An officer said that a credit is no known payment, and why: its money goes to suspense."""

    settlement_id: str
    line: int
    reason: str


@event("LineExplained")
class LineExplained:
    """An officer said what a debit is that takes no payment back: ``reason``. Nothing follows."""

    settlement_id: str
    line: int
    reason: str


@event("SettlementDayProved")
class SettlementDayProved:
    """The sums of a partner's day agree: settled = the sum of all classes, each line in one.

    ``settled`` and ``lines`` are of the lines with this value date. Payments of this day that no
    line has settled are classes too, and no part of that sum. ``digest`` is the SHA-256 (hex) over
    the sorted list of lines and payments with their classes.
    """

    partner: str
    day: str
    settled: int
    classes: tuple[ClassTotal, ...]
    lines: int
    digest: str
