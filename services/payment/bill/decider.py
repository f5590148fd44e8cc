"""The bills (SKRD, STRD) of one application and the money for them: decide and evolve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from services.payment.bill import afterwards, billing, moneys
from services.payment.bill.commands import (
    CancelBill,
    Command,
    DisputePayment,
    ExpireBill,
    IssueBill,
    IssueLateBill,
    NoteContradiction,
    RecordPayment,
    RejectBilling,
    ReversePayment,
    SettlePayment,
)
from services.payment.bill.states import (
    Bill,
    Books,
    Cancelled,
    Expired,
    Money,
    NotIssued,
    Open,
    Paid,
    same_money,
)
from shared.contracts.payment import (
    BillCancelled,
    BillExpired,
    BillingEnded,
    BillingRejected,
    BillIssued,
    DuplicatePaymentFound,
    PaymentContradicted,
    PaymentDisputed,
    PaymentReceived,
    PaymentReported,
    PaymentReversed,
    PaymentSetAside,
    PaymentSettled,
    UnknownPaymentReversed,
)
from shared.decider import Decider
from shared.events import AnyFact


def decide(command: Command, state: Bill) -> Sequence[object]:
    """Return what comes of ``command``. Raises what is in ``refusals``, and CannotCalculate."""
    match command:
        case IssueBill():
            return billing.issue(command, state)
        case RejectBilling():
            return billing.reject(command, state)
        case ExpireBill():
            return billing.expire(command, state)
        case IssueLateBill():
            return billing.issue_late(command, state)
        case CancelBill(reason=reason):
            return billing.cancel(reason, state)
        case RecordPayment():
            return moneys.record(command, state)
        case NoteContradiction():
            return moneys.contradict(command, state)
        case ReversePayment():
            return afterwards.reverse(command, state)
        case SettlePayment():
            return afterwards.settle(command, state)
        case DisputePayment():
            return afterwards.dispute(command, state)
        case _:
            assert_never(command)


def evolve(state: Bill, fact: AnyFact) -> Bill:
    """Return the state after ``fact``."""
    books = state.books
    match fact.event:
        case BillIssued() as bill:
            # An STRD belongs to the claim of its SKRD; an SKRD starts a claim.
            claim = (*books.claim, bill) if bill.kind == "strd" else (bill,)
            return Open(bill, replace(books, bills=(*books.bills, bill), claim=claim))
        case BillingRejected(reason=reason):
            return replace(state, books=replace(books, rejected=reason))
        case BillExpired() if isinstance(state, Open):
            return Expired(state.bill, books)
        case BillCancelled(reason=reason) if not isinstance(state, NotIssued):
            return Cancelled(state.bill, reason, books)
        case PaymentReceived() as paid:
            return _paid(state, paid)
        case PaymentSetAside() as aside:
            return replace(state, books=_with(books, _held(aside, aside.reason)))
        case DuplicatePaymentFound() as twice:
            return replace(state, books=_with(books, _held(twice, "duplicate")))
        case PaymentReversed() as taken_back:
            return _reversed(state, taken_back)
        case event:
            return replace(state, books=_noted(books, event))


def _noted(books: Books, event: object) -> Books:
    """Return the books after an event that leaves the bill's own state as it is."""
    match event:
        case UnknownPaymentReversed() as unknown:
            return replace(books, unknown=(*books.unknown, unknown))
        case PaymentContradicted(partner=partner, request_id=request, amount=amount) as said:
            one = (partner, request, amount, said.virtual_account)
            return replace(books, contradictions=books.contradictions | {one})
        case PaymentReported() as reported:
            return books.marked(reported, told=True)
        case BillingEnded(reason=reason):
            return replace(books, ended=reason)
        case PaymentSettled() as settled:
            return books.marked(settled, settled=True)
        case PaymentDisputed() as disputed:
            return books.marked(disputed, disputed=True)
        case _:
            return books


def _paid(state: Bill, paid: PaymentReceived) -> Bill:
    books = _with(state.books, _money(paid))
    claim = books.claim
    index = next((i for i, bill in enumerate(claim) if bill.bill_id == paid.bill_id), None)
    if index is None:
        return replace(state, books=books)
    # Paid by the bank's clock before a later STRD of the claim was due: that one never counted.
    return Paid(claim[index], paid, replace(books, claim=claim[: index + 1]))


def _reversed(state: Bill, event: PaymentReversed) -> Bill:
    books = state.books.marked(event, reversed=True)
    if isinstance(state, Paid) and not event.suspense_id and same_money(state.payment, event):
        return Open(state.bill, books)
    return replace(state, books=books)


def _held(event: PaymentSetAside | DuplicatePaymentFound, reason: str) -> Money:
    return replace(_money(event), suspense_id=event.suspense_id, reason=reason)


def _money(event: PaymentReceived | PaymentSetAside | DuplicatePaymentFound) -> Money:
    return Money(
        partner=event.partner,
        request_id=event.request_id,
        reference=event.reference,
        amount=event.amount,
        bill_id=event.bill_id,
        paid_at=event.paid_at,
        source=event.source,
        told=event.source != moneys.SETTLEMENT,
    )


def _with(books: Books, money: Money) -> Books:
    return replace(books, moneys=(*books.moneys, money))


DECIDER: Decider[Bill] = Decider(NotIssued(), decide, evolve)
