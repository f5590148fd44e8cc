"""Decisions about what happens to a payment later: taken back, settled, disputed."""

from __future__ import annotations

from collections.abc import Sequence

from services.payment.bill import refusals
from services.payment.bill.commands import DisputePayment, ReversePayment, SettlePayment
from services.payment.bill.moneys import identified
from services.payment.bill.states import Bill, Money, NotIssued
from shared.contracts.payment import (
    BillCancelled,
    PaymentDisputed,
    PaymentReversed,
    PaymentSettled,
    UnknownPaymentReversed,
)


def reverse(command: ReversePayment, state: Bill) -> Sequence[object]:
    """Undo a payment; one that was never reported is remembered, in case it still is."""
    identified(command)
    if isinstance(state, NotIssued):
        raise refusals.BillNotOwed
    known, bill = state.books.money(command), state.bill
    if known is None:
        if state.books.taken_back_before(command):
            return []
        return [
            UnknownPaymentReversed(
                application_id=bill.application_id,
                bill_id=bill.bill_id,
                amount=command.amount,
                partner=command.partner,
                request_id=command.request_id,
                reference=command.reference,
                reversed_at=command.reversed_at,
                reason=command.reason,
            )
        ]
    if known.reversed:
        return []
    if known.amount != command.amount:
        raise refusals.AmountMismatch
    taken_back = PaymentReversed(
        application_id=bill.application_id,
        bill_id=known.bill_id,
        amount=known.amount,
        partner=known.partner,
        request_id=known.request_id,
        reference=known.reference,
        reversed_at=command.reversed_at,
        reason=command.reason,
        suspense_id=known.suspense_id,
    )
    if known.suspense_id or not state.books.ended:
        return [taken_back]
    # Without its payment the bill is owed again, but its application has ended meanwhile.
    ended = BillCancelled(
        application_id=bill.application_id, bill_id=known.bill_id, reason=state.books.ended
    )
    return [taken_back, ended]


def settle(command: SettlePayment, state: Bill) -> Sequence[object]:
    """Note that a payment arrived on the account, once."""
    known = _known(command, state)
    if known.settled:
        return []
    if known.amount != command.amount:
        raise refusals.AmountMismatch
    return [
        PaymentSettled(
            application_id=state.books.claim[0].application_id,
            bill_id=known.bill_id,
            partner=known.partner,
            request_id=known.request_id,
            reference=known.reference,
            amount=known.amount,
            settlement_id=command.settlement_id,
            line=command.line,
            value_on=command.value_on,
        )
    ]


def dispute(command: DisputePayment, state: Bill) -> Sequence[object]:
    """Note that a payment never arrived on the account, once."""
    known, bill = _known(command, state), state.books.claim[0]
    if known.settled:
        raise refusals.PaymentAlreadySettled
    if known.reversed:
        raise refusals.PaymentAlreadyReversed
    if known.disputed:
        return []
    return [
        PaymentDisputed(
            application_id=bill.application_id,
            bill_id=known.bill_id,
            office=bill.office,
            partner=known.partner,
            request_id=known.request_id,
            reference=known.reference,
            amount=known.amount,
        )
    ]


def _known(command: SettlePayment | DisputePayment, state: Bill) -> Money:
    identified(command)
    known = state.books.money(command)
    if known is None:
        raise refusals.UnknownPayment
    return known
