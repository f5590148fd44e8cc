"""What can be asked of an application's bills. Amounts are whole rupiah, dates the office's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.payment.interest import InterestRule
from services.payment.tariff import Tariff
from shared.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueBill:
    """Compute the bill (SKRD) of an assessed fee. ``today`` is the office's own date.

    Other measures than before replace an unpaid bill.
    """

    application_id: str
    number: str
    office: str
    permit_type: str
    tariff: Tariff
    measures: Mapping[str, int]
    virtual_account: str
    today: date
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectBilling:
    """Note that no bill could be issued for an assessed fee. ``reason`` is an error code."""

    application_id: str
    number: str
    office: str
    reason: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireBill:
    """Close a bill whose due date has passed on the office's ``today``."""

    bill_id: str
    today: date
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueLateBill:
    """Bill an expired bill anew (STRD), with the interest of the month that runs ``today``.

    ``bill_id`` is the expired bill, ``rule`` the interest rule of its first due date.
    """

    bill_id: str
    rule: InterestRule
    today: date
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBill:
    """Stop asking for the money: the application ended."""

    reason: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment:
    """Take a partner's word that ``amount`` rupiah were paid.

    ``paid_at`` is the bank's own instant (ISO 8601), ``paid_on`` its date in the office's zone;
    ``source`` as in ``PaymentReceived``, where ``suspense`` is money that an officer allocated;
    ``request_id`` and ``reference`` are then the allocation. ``landed`` says that the money is on
    the office's account: then it is never refused, but set aside when it does not fit.
    """

    amount: int
    partner: str
    request_id: str
    reference: str
    paid_at: str
    paid_on: date
    now: datetime
    by: Actor
    source: str = "callback"
    landed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteContradiction:
    """Note that a partner reported a payment again with another amount or account."""

    partner: str
    request_id: str
    amount: int
    virtual_account: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversePayment:
    """Take the partner's word that it took a payment back, whole, at ``reversed_at`` (ISO 8601).

    The payment is the partner's with the same request id or the same reference; it may be unknown.
    """

    amount: int
    partner: str
    request_id: str
    reference: str
    reversed_at: str
    reason: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlePayment:
    """Note that a payment arrived on the office's account: ``line`` of a settlement file.

    The payment is found as in ``ReversePayment``; ``value_on`` is the bank's date (ISO 8601).
    """

    amount: int
    partner: str
    request_id: str
    reference: str
    settlement_id: str
    line: int
    value_on: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputePayment:
    """Note that a reported payment is in no settlement file. Found as in ``ReversePayment``."""

    partner: str
    request_id: str
    reference: str
    now: datetime
    by: Actor


Command = (
    IssueBill
    | RejectBilling
    | ExpireBill
    | IssueLateBill
    | CancelBill
    | RecordPayment
    | NoteContradiction
    | ReversePayment
    | SettlePayment
    | DisputePayment
)
