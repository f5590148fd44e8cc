"""The bill (SKRD) of one application: commands, states, decisions.

::

    NotIssued ──IssueBill──▶ Open ──RecordPayment──▶ Paid
                              └────CancelBill─────▶ Cancelled
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import assert_never

from services.payment.tariff import Tariff, calculate
from shared.actors import Actor
from shared.contracts.payment import (
    BillCancelled,
    BillingRejected,
    BillIssued,
    PaymentReceived,
)
from shared.decider import Decider
from shared.errors import Refused
from shared.events import AnyFact
from shared.ids import derived_id

# Commands


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueBill:
    """Compute the bill of an assessed fee. ``today`` is the office's own date."""

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
class RecordPayment:
    """Take a partner's word that ``amount`` rupiah were paid.

    ``paid_at`` is the bank's own instant (ISO 8601), ``paid_on`` its date in the office's zone.
    """

    amount: int
    partner: str
    request_id: str
    reference: str
    paid_at: str
    paid_on: date
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBill:
    """Stop asking for the money: the application ended."""

    reason: str
    now: datetime
    by: Actor


Command = IssueBill | RejectBilling | RecordPayment | CancelBill

# States


@dataclass(frozen=True, slots=True)
class NotIssued:
    """No bill yet. ``rejected`` is why the last attempt failed, if one did."""

    rejected: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """The bill waits to be paid."""

    bill: BillIssued
    rejected: str = ""


@dataclass(frozen=True, slots=True)
class Paid:
    """The bill is paid."""

    bill: BillIssued
    payment: PaymentReceived
    rejected: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The bill is no longer owed."""

    bill: BillIssued
    reason: str
    rejected: str = ""


Bill = NotIssued | Open | Paid | Cancelled

# Refusals


class BillAlreadyIssued(Refused):
    """Another amount was billed for this application before."""

    code = "bill-already-issued"
    text = "A bill for another amount was issued for this application before."


class BillNotOwed(Refused):
    """There is no bill, or it was cancelled."""

    code = "bill-not-owed"
    text = "There is no bill to pay under this number."


class BillAlreadyPaid(Refused):
    """The bill was paid by another request."""

    code = "bill-already-paid"
    text = "This bill is already paid."


class InconsistentPayment(Refused):
    """The same payment request came again with another amount."""

    code = "inconsistent-payment"
    text = "This payment was reported before with another amount."


class AmountMismatch(Refused):
    """The paid amount is not the bill's."""

    code = "amount-mismatch"
    text = "The amount must be exactly the amount of the bill."


class BillExpired(Refused):
    """The bill was paid after its due date."""

    code = "bill-expired"
    text = "The bill's due date has passed."


# Identity


def bill_id(application_id: str) -> str:
    """Return the id of an application's bill: there is one, however often it is asked for."""
    return derived_id("bill", application_id)


def bill_stream(application_id: str) -> str:
    """Return the stream that holds an application's bill."""
    return f"bill-{bill_id(application_id)}"


# Decisions


def decide(command: Command, state: Bill) -> Sequence[object]:
    """Return what comes of ``command``. Raises the refusals above, and CannotCalculate."""
    match command:
        case IssueBill():
            return _issue(command, state)
        case RejectBilling():
            if state.rejected == command.reason:
                return []
            return [
                BillingRejected(
                    application_id=command.application_id,
                    number=command.number,
                    office=command.office,
                    reason=command.reason,
                )
            ]
        case RecordPayment():
            return _record_payment(command, state)
        case CancelBill(reason=reason):
            return _cancel(reason, state)
        case _:
            assert_never(command)


def _issue(command: IssueBill, state: Bill) -> Sequence[object]:
    calculation = calculate(command.tariff, command.measures, command.today)
    if not isinstance(state, NotIssued):
        if (state.bill.amount, state.bill.tariff) == (calculation.total, command.tariff.id):
            return []
        raise BillAlreadyIssued
    return [
        BillIssued(
            application_id=command.application_id,
            bill_id=bill_id(command.application_id),
            number=command.number,
            office=command.office,
            permit_type=command.permit_type,
            virtual_account=command.virtual_account,
            amount=calculation.total,
            lines=calculation.lines,
            tariff=command.tariff.id,
            due_on=(command.today + timedelta(days=command.tariff.due_days)).isoformat(),
        )
    ]


def _record_payment(command: RecordPayment, state: Bill) -> Sequence[object]:
    match state:
        case NotIssued() | Cancelled():
            raise BillNotOwed
        case Paid(payment=payment):
            if (payment.partner, payment.request_id) != (command.partner, command.request_id):
                raise BillAlreadyPaid
            if payment.amount != command.amount:
                raise InconsistentPayment
            return []
        case Open(bill=bill):
            if command.paid_on > date.fromisoformat(bill.due_on):
                raise BillExpired
            if command.amount != bill.amount:
                raise AmountMismatch
            return [
                PaymentReceived(
                    application_id=bill.application_id,
                    bill_id=bill.bill_id,
                    amount=command.amount,
                    partner=command.partner,
                    request_id=command.request_id,
                    reference=command.reference,
                    paid_at=command.paid_at,
                )
            ]
        case _:
            assert_never(state)


def _cancel(reason: str, state: Bill) -> Sequence[object]:
    match state:
        case Open(bill=bill):
            return [
                BillCancelled(
                    application_id=bill.application_id, bill_id=bill.bill_id, reason=reason
                )
            ]
        case NotIssued() | Cancelled() | Paid():
            # What is paid stays paid: giving money back is a decision of its own.
            return []
        case _:
            assert_never(state)


def evolve(state: Bill, fact: AnyFact) -> Bill:
    """Return the state after ``fact``."""
    match fact.event:
        case BillIssued() as bill:
            return Open(bill, state.rejected)
        case BillingRejected(reason=reason):
            return replace(state, rejected=reason)
        case PaymentReceived() as payment if isinstance(state, Open):
            return Paid(state.bill, payment, state.rejected)
        case BillCancelled(reason=reason) if isinstance(state, Open):
            return Cancelled(state.bill, reason, state.rejected)
        case _:
            return state


DECIDER: Decider[Bill] = Decider(NotIssued(), decide, evolve)
