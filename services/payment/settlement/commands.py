"""What can be asked of a settlement file. Amounts are whole rupiah, days ISO 8601."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.actors import Actor
from shared.contracts.payment import SettlementLine


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """Begin to take in a file that was read whole and balances. Rupiah; days ISO 8601."""

    settlement_id: str
    partner: str
    sha256: str
    name: str
    first_day: str
    last_day: str
    opening: int
    closing: int
    lines: int
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectFile:
    """Refuse a file whole. ``reason`` is a code, ``line`` the row where it shows, or 0."""

    settlement_id: str
    partner: str
    sha256: str
    name: str
    reason: str
    line: int
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptFile:
    """Let the file count: ``lines`` of it are durable, with these sums."""

    lines: int
    credits: int
    debits: int
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchLine:
    """Say that a line is the payment ``reference`` of an application, and why.

    ``waits`` says whether the line waits for a person; ``reference`` is empty for money that
    nobody reported. A ``debit`` takes that payment back. Only a treasurer may ask.
    """

    line: int
    application_id: str
    bill_id: str
    reference: str
    reason: str
    waits: bool
    now: datetime
    by: Actor
    debit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteToSuspense:
    """Say that a line is no payment of any bill that is known, and why; its money is then held.

    ``waits`` says whether it is a credit that waits for a person. Only a treasurer may ask.
    """

    line: int
    reason: str
    waits: bool
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainLine:
    """Say what a debit is that takes no payment back: a charge, a transfer, a refund paid out.

    ``waits`` says whether it is a debit that waits for a person. Only a treasurer may ask.
    """

    line: int
    reason: str
    waits: bool
    now: datetime
    by: Actor


# What a person says of a line.
Saying = MatchLine | WriteToSuspense | ExplainLine
Command = OpenFile | RejectFile | AcceptFile | Saying


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLines:
    """Record some consecutive lines of a file, on a stream of their own."""

    settlement_id: str
    partner: str
    lines: tuple[SettlementLine, ...]
    now: datetime
    by: Actor
