"""What a case of money in suspense decides. Pure: see ``shared.decider``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from services.payment.suspense import refunds
from services.payment.suspense.commands import (
    AllocateSuspense,
    ApproveRefund,
    ClaimSuspense,
    Command,
    DeclineRefund,
    OpenSuspense,
    RecordRefundPaid,
    RequestRefund,
    ReverseSuspense,
)
from services.payment.suspense.evolution import evolve
from services.payment.suspense.guards import free, opened, possible, require_officer
from services.payment.suspense.refusals import (
    BillNotOpen,
    ClaimedByAnother,
    NotEnoughHeld,
    NothingHeld,
    OtherMoney,
    OtherOffice,
)
from services.payment.suspense.states import (
    Closed,
    NotOpened,
    Reversed,
    Suspense,
)
from shared.actors import Role
from shared.contracts.payment import (
    AllocationReversed,
    SuspenseAllocated,
    SuspenseClaimed,
    SuspenseOpened,
    SuspenseReversed,
)
from shared.decider import Decider
from shared.ids import derived_id

_People: TypeAlias = (
    ClaimSuspense
    | AllocateSuspense
    | RequestRefund
    | ApproveRefund
    | DeclineRefund
    | RecordRefundPaid
)


def decide(command: Command, state: Suspense) -> Sequence[object]:
    """Return what comes of ``command``. Raises what ``refusals`` lists."""
    match command:
        case OpenSuspense():
            return _open(command, state)
        case ReverseSuspense():
            return _reverse(command, state)
        case _:
            return _by_people(command, state)


def _by_people(command: _People, state: Suspense) -> Sequence[object]:
    current = opened(state)
    require_officer(command.by, current.case)
    match command:
        case ClaimSuspense():
            return _claim(command, state)
        case AllocateSuspense():
            return _allocate(command, state)
        case RequestRefund():
            return refunds.request(command, current)
        case ApproveRefund():
            return refunds.approve(command, current)
        case DeclineRefund():
            return refunds.decline(command, current)
        case RecordRefundPaid():
            return refunds.record_paid(command, current)
        case _:
            assert_never(command)


def _open(command: OpenSuspense, state: Suspense) -> Sequence[object]:
    if not isinstance(state, NotOpened):
        known = state.case.opened
        if (known.amount, known.office) != (command.amount, command.office):
            raise OtherMoney
        return []
    return [
        SuspenseOpened(
            suspense_id=command.suspense_id,
            office=command.office,
            partner=command.partner,
            amount=command.amount,
            reason=command.reason,
            source=command.source,
            reference=command.reference,
            request_id=command.request_id,
            virtual_account=command.virtual_account,
            application_id=command.application_id,
            bill_id=command.bill_id,
            paid_at=command.paid_at,
        )
    ]


def _claim(command: ClaimSuspense, state: Suspense) -> Sequence[object]:
    current = opened(state)
    holder = current.case.claimed_by
    if holder == command.by.name:
        return []
    if isinstance(current, Closed | Reversed):
        raise NothingHeld
    if holder and Role.SUPERVISOR not in command.by.roles:
        raise ClaimedByAnother(allowed=possible(current, command.by))
    return [SuspenseClaimed(suspense_id=current.case.opened.suspense_id, account=command.by.name)]


def _allocate(command: AllocateSuspense, state: Suspense) -> Sequence[object]:
    current, bill = opened(state), command.bill
    case = current.case
    if any(made.bill_id == bill.bill_id for made in case.allocations):
        return []
    free(current, command.by)
    if bill.office != case.opened.office:
        raise OtherOffice
    if bill.owed <= 0:
        raise BillNotOpen(allowed=possible(current, command.by))
    if bill.owed > case.held:
        raise NotEnoughHeld(allowed=possible(current, command.by))
    number = len(case.allocations) + 1
    return [
        SuspenseAllocated(
            suspense_id=case.opened.suspense_id,
            allocation_id=derived_id("allocation", case.opened.suspense_id, number),
            office=case.opened.office,
            application_id=bill.application_id,
            bill_id=bill.bill_id,
            amount=bill.owed,
            partner=case.opened.partner,
            paid_at=case.opened.paid_at or command.now.isoformat(),
            reason=command.reason,
        )
    ]


def _reverse(command: ReverseSuspense, state: Suspense) -> Sequence[object]:
    if isinstance(state, NotOpened | Reversed):
        # Money that was never set aside has nothing here to close; its bill knows of the reversal.
        return []
    known = state.case.opened
    undone = [
        AllocationReversed(
            suspense_id=known.suspense_id,
            allocation_id=made.allocation_id,
            application_id=made.application_id,
            bill_id=made.bill_id,
            amount=made.amount,
            partner=made.partner,
            reversed_at=command.reversed_at,
        )
        for made in state.case.allocations
    ]
    closed = SuspenseReversed(
        suspense_id=known.suspense_id,
        office=known.office,
        amount=known.amount,
        reversed_at=command.reversed_at,
        reason=command.reason,
    )
    return [*undone, closed]


DECIDER: Decider[Suspense] = Decider(NotOpened(), decide, evolve)
