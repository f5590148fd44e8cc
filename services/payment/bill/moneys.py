"""Decisions about money that comes: what pays the bill, what is set aside.

One money is a partner's request id, or its reference: whoever reports it, however often and in
whatever order, it counts once. The bank's own time of payment says which bill it had to fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, assert_never

from services.payment.bill import refusals
from services.payment.bill.commands import (
    NoteContradiction,
    RecordPayment,
)
from services.payment.bill.states import (
    Bill,
    Cancelled,
    Expired,
    Money,
    NotIssued,
    Open,
    Paid,
    Reported,
)
from shared.contracts.payment import (
    BillIssued,
    BillReplaced,
    DuplicatePaymentFound,
    PaymentContradicted,
    PaymentReceived,
    PaymentReported,
    PaymentSetAside,
)
from shared.errors import Refused
from shared.ids import derived_id

# The source of a payment that no partner told of: only a settlement file held it.
SETTLEMENT = "settlement"


class _Misfit(NamedTuple):
    """Why money can't pay: as it is set aside, and as a partner hears it before it landed."""

    reason: str
    refusal: type[Refused]


_DUPLICATE = _Misfit("duplicate", refusals.BillAlreadyPaid)
_CANCELLED = _Misfit("cancelled", refusals.BillNotOwed)
_LATE = _Misfit("late", refusals.BillExpired)
_LATE_AMOUNT = _Misfit("late", refusals.AmountMismatch)
_UNDERPAID = _Misfit("underpaid", refusals.AmountMismatch)
_OVERPAID = _Misfit("overpaid", refusals.AmountMismatch)
_SET_ASIDE: dict[str, type[Refused]] = {
    one.reason: one.refusal for one in (_DUPLICATE, _CANCELLED, _LATE, _UNDERPAID, _OVERPAID)
}


def suspense_id(partner: str, name: str) -> str:
    """Return the suspense case of a money; ``name`` is its reference, else its request id."""
    return derived_id("suspense", partner, name)


def record(command: RecordPayment, state: Bill) -> Sequence[object]:
    """Take a payment: it pays, is set aside, or was here before."""
    identified(command)
    if isinstance(state, NotIssued):
        raise refusals.BillNotOwed
    if command.amount <= 0:
        raise refusals.AmountMismatch
    known = state.books.money(command)
    if known is not None:
        return _again(command, state, known)
    if state.books.taken_back_before(command):
        return _ignored(command, refusals.PaymentAlreadyReversed)
    fit = _fit(command, state)
    if isinstance(fit, BillIssued):
        return _received(command, state, fit)
    if not command.landed:
        raise fit.refusal
    return [_set_aside(command, state.bill, fit.reason)]


def identified(reported: Reported) -> None:
    """Raise PaymentNotIdentified for a money without any name."""
    if not (reported.request_id or reported.reference):
        raise refusals.PaymentNotIdentified


def _ignored(command: RecordPayment, refusal: type[Refused]) -> Sequence[object]:
    """Decide nothing about money that is dealt with; a partner that may be told no is told."""
    if command.landed:
        return []
    raise refusal


def _again(
    command: RecordPayment, state: Open | Expired | Paid | Cancelled, known: Money
) -> Sequence[object]:
    if known.amount != command.amount:
        if not command.landed:
            raise refusals.InconsistentPayment
        name = known.request_id or known.reference
        return _contradicted(state, command.partner, name, command.amount, "")
    if known.reversed:
        return _ignored(command, refusals.PaymentAlreadyReversed)
    if known.suspense_id:
        return _ignored(command, _SET_ASIDE[known.reason])
    if known.told or command.source == SETTLEMENT:
        return []
    return [
        PaymentReported(
            application_id=state.bill.application_id,
            bill_id=known.bill_id,
            amount=known.amount,
            partner=known.partner,
            request_id=command.request_id,
            reference=known.reference,
            paid_at=command.paid_at,
            source=command.source,
        )
    ]


def _fit(command: RecordPayment, state: Open | Expired | Paid | Cancelled) -> BillIssued | _Misfit:
    """Return the bill that the money pays, or why it pays none."""
    match state:
        case Paid():
            return _DUPLICATE
        case Cancelled():
            return _CANCELLED
        case Open() | Expired():
            books, amount = state.books, command.amount
            if command.source == "suspense" and amount == state.bill.amount:
                # An officer chose to pay what is open with money that came earlier.
                return state.bill
            bill = books.payable_on(command.paid_on)
            if bill is None:
                return _LATE
            if amount == bill.amount:
                return bill
            earlier = books.claim[: books.claim.index(bill)]
            if any(amount == one.amount for one in earlier):
                return _LATE_AMOUNT
            return _UNDERPAID if amount < bill.amount else _OVERPAID
        case _:
            assert_never(state)


def _received(
    command: RecordPayment, state: Open | Expired | Paid | Cancelled, bill: BillIssued
) -> Sequence[object]:
    paid = PaymentReceived(
        application_id=bill.application_id,
        bill_id=bill.bill_id,
        amount=command.amount,
        partner=command.partner,
        request_id=command.request_id,
        reference=command.reference,
        paid_at=command.paid_at,
        source=command.source,
    )
    if bill.bill_id == state.bill.bill_id:
        return [paid]
    # The word came late, the money did not: the STRD was issued for nothing.
    back = BillReplaced(
        application_id=bill.application_id,
        bill_id=state.bill.bill_id,
        by=bill.bill_id,
        reason="paid-in-time",
    )
    return [back, paid]


def _set_aside(command: RecordPayment, bill: BillIssued, reason: str) -> object:
    held = {
        "application_id": bill.application_id,
        "bill_id": bill.bill_id,
        "suspense_id": suspense_id(command.partner, command.reference or command.request_id),
        "office": bill.office,
        "partner": command.partner,
        "request_id": command.request_id,
        "reference": command.reference,
        "paid_at": command.paid_at,
        "source": command.source,
    }
    if reason == _DUPLICATE.reason:
        return DuplicatePaymentFound(amount=command.amount, **held)
    return PaymentSetAside(amount=command.amount, reason=reason, **held)


def contradict(command: NoteContradiction, state: Bill) -> Sequence[object]:
    """Note what a partner now says about a request, once per story."""
    if isinstance(state, NotIssued):
        raise refusals.BillNotOwed
    return _contradicted(
        state, command.partner, command.request_id, command.amount, command.virtual_account
    )


def _contradicted(
    state: Open | Expired | Paid | Cancelled, partner: str, request: str, amount: int, account: str
) -> Sequence[object]:
    if (partner, request, amount, account) in state.books.contradictions:
        return []
    return [
        PaymentContradicted(
            application_id=state.bill.application_id,
            bill_id=state.bill.bill_id,
            partner=partner,
            request_id=request,
            amount=amount,
            virtual_account=account,
        )
    ]
