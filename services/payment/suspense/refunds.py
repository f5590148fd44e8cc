"""Giving money back: one person asks, another agrees, then the bank is told."""

from __future__ import annotations

from collections.abc import Sequence

from services.payment.suspense.commands import (
    ApproveRefund,
    DeclineRefund,
    RecordRefundPaid,
    RequestRefund,
)
from services.payment.suspense.guards import free, possible
from services.payment.suspense.refusals import (
    NoSuchRefund,
    RefundAlreadyPaid,
    RefundNotApproved,
    SamePerson,
    WrongPaymentDay,
)
from services.payment.suspense.states import (
    Opened,
    Refund,
    RefundAgreed,
    RefundAsked,
    Reversed,
)
from shared.contracts.payment import (
    RefundApproved,
    RefundDeclined,
    RefundPaid,
    RefundRequested,
)
from shared.ids import derived_id


def request(command: RequestRefund, state: Opened) -> Sequence[object]:
    """Ask for all that is held. The same wish again while it is open decides nothing."""
    case = state.case
    known = case.opened.suspense_id
    if isinstance(state, RefundAsked | RefundAgreed) and _same(command, state.refund):
        return []
    free(state, command.by)
    return [
        RefundRequested(
            suspense_id=known,
            refund_id=derived_id("refund", known, case.refunds + 1),
            office=case.opened.office,
            amount=case.held,
            bank=command.bank,
            account_number=command.account_number,
            account_holder=command.account_holder,
            reason=command.reason,
        )
    ]


def approve(command: ApproveRefund, state: Opened) -> Sequence[object]:
    """Agree to what another person asked for; who it is decides, not from where they ask."""
    refund = _refund(state)
    if refund is None or refund.asked.refund_id != command.refund_id:
        raise NoSuchRefund(allowed=possible(state, command.by))
    if refund.approved_at is not None:
        if refund.approver == str(command.by):
            return []
        raise NoSuchRefund(allowed=possible(state, command.by))
    if refund.requester == str(command.by):
        raise SamePerson(allowed=possible(state, command.by))
    return [RefundApproved(suspense_id=state.case.opened.suspense_id, refund_id=command.refund_id)]


def decline(command: DeclineRefund, state: Opened) -> Sequence[object]:
    """Stop a refund that is not paid yet, also one that was approved."""
    if command.refund_id in state.case.declined:
        return []
    refund = _refund(state)
    unpaid = isinstance(state, RefundAsked | RefundAgreed)
    if not unpaid or refund is None or refund.asked.refund_id != command.refund_id:
        raise NoSuchRefund(allowed=possible(state, command.by))
    return [
        RefundDeclined(
            suspense_id=state.case.opened.suspense_id,
            refund_id=command.refund_id,
            reason=command.reason,
        )
    ]


def record_paid(command: RecordRefundPaid, state: Opened) -> Sequence[object]:
    """Note what the bank did. Also after a reversal: then the money is missing, and that shows."""
    for paid in state.case.paid:
        if paid.refund_id == command.refund_id:
            if (paid.reference, paid.paid_on) == (command.reference, command.paid_on.isoformat()):
                return []
            raise RefundAlreadyPaid
    refund = _refund(state)
    if refund is None or refund.asked.refund_id != command.refund_id:
        raise NoSuchRefund(allowed=possible(state, command.by))
    if refund.approved_at is None:
        raise RefundNotApproved(allowed=possible(state, command.by))
    first = refund.approved_at.astimezone(command.zone).date()
    if not first <= command.paid_on <= command.now.astimezone(command.zone).date():
        raise WrongPaymentDay
    return [
        RefundPaid(
            suspense_id=state.case.opened.suspense_id,
            refund_id=command.refund_id,
            amount=refund.asked.amount,
            reference=command.reference,
            paid_on=command.paid_on.isoformat(),
        )
    ]


def _refund(state: Opened) -> Refund | None:
    if isinstance(state, RefundAsked | RefundAgreed | Reversed):
        return state.refund
    return None


def _same(command: RequestRefund, refund: Refund) -> bool:
    asked = refund.asked
    return str(command.by) == refund.requester and (
        command.bank,
        command.account_number,
        command.account_holder,
        command.reason,
    ) == (asked.bank, asked.account_number, asked.account_holder, asked.reason)
