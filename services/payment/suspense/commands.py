"""What can be asked of a case of money in suspense. Amounts are whole rupiah."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from shared.actors import Actor
from shared.ids import derived_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSuspense(_Command):
    """Hold money that no bill can take. The fields are those of ``SuspenseOpened``."""

    suspense_id: str
    office: str
    partner: str
    amount: int
    reason: str
    source: str
    reference: str
    request_id: str = ""
    virtual_account: str = ""
    application_id: str = ""
    bill_id: str = ""
    paid_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSuspense(_Command):
    """Take the case on; a supervisor may take it over from a colleague."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedBill:
    """A bill as it stands when money is to be used for it. ``owed`` is 0 when it is not open."""

    application_id: str
    bill_id: str
    office: str
    owed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocateSuspense(_Command):
    """Use as much of the money as ``bill`` asks for, never less: a bill is paid whole."""

    bill: OwedBill
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefund(_Command):
    """Ask that all the money still held is given back to an account of ``bank``."""

    bank: str
    account_number: str
    account_holder: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveRefund(_Command):
    """Agree to a refund that another person asked for."""

    refund_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineRefund(_Command):
    """Stop a refund before it is paid; the money stays in suspense."""

    refund_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRefundPaid(_Command):
    """Note that the money left the office's account on ``paid_on`` of the office's ``zone``."""

    refund_id: str
    reference: str
    paid_on: date
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseSuspense(_Command):
    """Note that the bank took the money back at ``reversed_at`` (ISO 8601)."""

    reversed_at: str
    reason: str = ""


Command: TypeAlias = (
    OpenSuspense
    | ClaimSuspense
    | AllocateSuspense
    | RequestRefund
    | ApproveRefund
    | DeclineRefund
    | RecordRefundPaid
    | ReverseSuspense
)


def suspense_id(partner: str, reference: str, request_id: str = "") -> str:
    """Return the id of the case of one money: its bank and the bank's name for it."""
    return derived_id("suspense", partner, reference or request_id)


def suspense_stream(suspense_id: str) -> str:
    """Return the stream that holds a case."""
    return f"suspense-{suspense_id}"
