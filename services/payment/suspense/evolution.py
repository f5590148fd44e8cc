"""What the facts say of a case; never a judgement."""

from __future__ import annotations

from dataclasses import replace

from services.payment.suspense.states import (
    Case,
    Closed,
    Held,
    NotOpened,
    Opened,
    Refund,
    RefundAgreed,
    RefundAsked,
    Reversed,
    Suspense,
)
from shared.contracts.payment import (
    AllocationReversed,
    RefundApproved,
    RefundDeclined,
    RefundPaid,
    RefundRequested,
    SuspenseAllocated,
    SuspenseClaimed,
    SuspenseOpened,
    SuspenseReversed,
)
from shared.events import AnyFact


def evolve(state: Suspense, fact: AnyFact) -> Suspense:
    """Return the state after ``fact``."""
    if isinstance(fact.event, SuspenseOpened):
        return Held(Case(fact.event, fact.event.amount))
    return state if isinstance(state, NotOpened) else _moved(state, fact)


def _moved(state: Opened, fact: AnyFact) -> Suspense:
    case = state.case
    match fact.event:
        case SuspenseClaimed(account=account):
            return replace(state, case=replace(case, claimed_by=account))
        case SuspenseAllocated() as made:
            return _held(
                replace(
                    case,
                    held=case.held - made.amount,
                    allocations=(*case.allocations, made),
                )
            )
        case AllocationReversed() as undone:
            left = tuple(a for a in case.allocations if a.allocation_id != undone.allocation_id)
            back = replace(case, held=case.held + undone.amount, allocations=left)
            # A refund of the rest goes on, whatever became of the part that was used for a bill.
            return Held(back) if isinstance(state, Closed) else replace(state, case=back)
        case SuspenseReversed(amount=amount):
            agreed = state.refund if isinstance(state, RefundAgreed) else None
            return Reversed(case.moved(-amount), agreed)
        case _:
            return _refunded(state, fact)


def _refunded(state: Opened, fact: AnyFact) -> Suspense:
    case = state.case
    match fact.event:
        case RefundRequested() as asked:
            return RefundAsked(replace(case, refunds=case.refunds + 1), Refund(asked, fact.actor))
        case RefundApproved() if isinstance(state, RefundAsked):
            agreed = replace(state.refund, approver=fact.actor, approved_at=fact.at)
            return RefundAgreed(case, agreed)
        case RefundDeclined(refund_id=refund_id):
            return _held(replace(case, declined=case.declined | {refund_id}))
        case RefundPaid() as paid:
            given = replace(case, held=case.held - paid.amount, paid=(*case.paid, paid))
            return Reversed(given) if isinstance(state, Reversed) else _held(given)
        case _:
            return state


def _held(case: Case) -> Held | Closed:
    return Closed(case) if case.held == 0 else Held(case)
