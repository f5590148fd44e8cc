"""Decisions about what is asked for: SKRD, revised SKRD, STRD."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import assert_never

from services.payment.bill.commands import ExpireBill, IssueBill, IssueLateBill, RejectBilling
from services.payment.bill.refusals import (
    BillAlreadyIssued,
    BillNotOwed,
    BillNotYetDue,
    ClaimLapsed,
)
from services.payment.bill.states import Bill, Cancelled, Expired, NotIssued, Open, Paid
from services.payment.interest import Interest
from services.payment.tariff import calculate
from shared.contracts.payment import (
    BillCancelled,
    BillExpired,
    BillingEnded,
    BillingRejected,
    BillIssued,
    BillLine,
    BillReplaced,
)
from shared.ids import derived_id


def bill_id(application_id: str, number: int = 1) -> str:
    """Return the id of an application's bill; ``number`` counts its bills from 1."""
    if number == 1:
        return derived_id("bill", application_id)
    return derived_id("bill", application_id, number)


def bill_stream(application_id: str) -> str:
    """Return the stream that holds an application's bills; it is named after the first."""
    return f"bill-{bill_id(application_id)}"


def letter_number(kind: str, number: str, count: int) -> str:
    """Return a letter's number: kind, office, year and running number of the registration.

    ``("skrd", "BGR-2026-000042", 1) -> "SKRD/BGR/2026/000042"``; later ones end in their count.
    """
    parts = [kind.upper(), *number.split("-")]
    return "/".join(parts if count == 1 else [*parts, str(count)])


def issue(command: IssueBill, state: Bill) -> Sequence[object]:
    """Issue the bill, or replace an unpaid one that comes to something else."""
    calculation = calculate(command.tariff, command.measures)
    amount, tariff = calculation.total, command.tariff.id
    count = len(state.books.bills) + 1
    due = command.today + timedelta(days=command.tariff.due_days)
    old = None if isinstance(state, NotIssued) else state.bill
    new = BillIssued(
        application_id=command.application_id,
        bill_id=bill_id(command.application_id, count),
        number=command.number,
        office=command.office,
        permit_type=command.permit_type,
        virtual_account=old.virtual_account if old else command.virtual_account,
        amount=amount,
        lines=calculation.lines,
        tariff=tariff,
        due_on=due.isoformat(),
        letter=letter_number("skrd", command.number, count),
        replaces=old.bill_id if old else "",
        principal=amount,
    )
    if old is None:
        return [new]
    first = state.books.claim[0]
    if (first.amount, first.lines, first.tariff) == (amount, calculation.lines, tariff):
        return []
    if isinstance(state, Paid | Cancelled):
        if first.amount == amount:
            return []
        raise BillAlreadyIssued
    return [_replaced(old, new, "assessed-anew"), new]


def reject(command: RejectBilling, state: Bill) -> Sequence[object]:
    """Note why there is no bill, once per reason."""
    if state.books.rejected == command.reason:
        return []
    return [
        BillingRejected(
            application_id=command.application_id,
            number=command.number,
            office=command.office,
            reason=command.reason,
        )
    ]


def expire(command: ExpireBill, state: Bill) -> Sequence[object]:
    """Close the open bill when its due date is over."""
    match state:
        case NotIssued():
            raise BillNotOwed
        case Expired() | Paid() | Cancelled():
            return []
        case Open(bill=bill):
            if bill.bill_id != command.bill_id:
                return []
            if command.today <= date.fromisoformat(bill.due_on):
                raise BillNotYetDue
            return [BillExpired(application_id=bill.application_id, bill_id=bill.bill_id)]
        case _:
            assert_never(state)


def issue_late(command: IssueLateBill, state: Bill) -> Sequence[object]:
    """Bill the expired bill's principal anew, with interest."""
    match state:
        case NotIssued():
            raise BillNotOwed
        case Paid() | Cancelled():
            return []
        case Open(bill=bill):
            if bill.bill_id == command.bill_id:
                raise BillNotYetDue
            return []
        case Expired(bill=old):
            if old.bill_id != command.bill_id:
                return []
            first = state.books.claim[0]
            due = date.fromisoformat(first.due_on)
            interest = command.rule.owed(first.principal, due, command.today)
            if interest is None:
                raise ClaimLapsed
            new = _late_bill(first, old, interest, len(state.books.bills) + 1)
            return [_replaced(old, new, "late"), new]
        case _:
            assert_never(state)


def _late_bill(first: BillIssued, old: BillIssued, interest: Interest, count: int) -> BillIssued:
    line = BillLine(
        label="Bunga keterlambatan",
        label_en="Interest for late payment",
        calculation=interest.calculation,
        amount=interest.amount,
    )
    return BillIssued(
        application_id=first.application_id,
        bill_id=bill_id(first.application_id, count),
        number=first.number,
        office=first.office,
        permit_type=first.permit_type,
        virtual_account=first.virtual_account,
        amount=first.principal + interest.amount,
        lines=(*first.lines, line),
        tariff=first.tariff,
        due_on=interest.until.isoformat(),
        kind="strd",
        letter=letter_number("strd", first.number, count),
        replaces=old.bill_id,
        principal=first.principal,
    )


def _replaced(old: BillIssued, new: BillIssued, reason: str) -> BillReplaced:
    return BillReplaced(
        application_id=old.application_id, bill_id=old.bill_id, by=new.bill_id, reason=reason
    )


def cancel(reason: str, state: Bill) -> Sequence[object]:
    """Stop asking for what is not paid."""
    match state:
        case Open(bill=bill) | Expired(bill=bill):
            return [
                BillCancelled(
                    application_id=bill.application_id, bill_id=bill.bill_id, reason=reason
                )
            ]
        case Paid(bill=bill, books=books):
            # What is paid stays paid: giving money back is a decision of its own.
            if books.ended:
                return []
            return [
                BillingEnded(
                    application_id=bill.application_id, bill_id=bill.bill_id, reason=reason
                )
            ]
        case NotIssued() | Cancelled():
            return []
        case _:
            assert_never(state)
