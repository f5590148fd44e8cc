"""Who may, and what is possible instead."""

from __future__ import annotations

from collections.abc import Iterator

from services.payment.suspense.commands import (
    AllocateSuspense,
    ApproveRefund,
    ClaimSuspense,
    DeclineRefund,
    RecordRefundPaid,
    RequestRefund,
)
from services.payment.suspense.refusals import (
    ClaimedByAnother,
    NoSuchMoney,
    NothingHeld,
    OtherOffice,
    OtherRole,
    RefundInProgress,
)
from services.payment.suspense.states import (
    Case,
    Closed,
    Held,
    NotOpened,
    Opened,
    RefundAgreed,
    RefundAsked,
    Reversed,
    Suspense,
)
from shared.actors import Actor, Role

MOVERS = frozenset({Role.TREASURER, Role.SUPERVISOR})


def opened(state: Suspense) -> Opened:
    """Return the opened case. Raises NoSuchMoney."""
    if isinstance(state, NotOpened):
        raise NoSuchMoney
    return state


def require_officer(by: Actor, case: Case) -> None:
    """Raise OtherOffice or OtherRole unless a treasurer or supervisor of its office asks."""
    if by.kind != "officer" or by.office != case.opened.office:
        raise OtherOffice
    if by.roles.isdisjoint(MOVERS):
        raise OtherRole


def free(state: Opened, by: Actor) -> None:
    """Raise why nothing can be done with the money now, unless ``by`` may dispose of it.

    Raises NothingHeld, RefundInProgress and ClaimedByAnother.
    """
    if isinstance(state, Closed | Reversed):
        raise NothingHeld
    if isinstance(state, RefundAsked | RefundAgreed):
        raise RefundInProgress(allowed=possible(state, by))
    if state.case.claimed_by not in ("", by.name):
        raise ClaimedByAnother(allowed=possible(state, by))


def possible(state: Suspense, by: Actor) -> tuple[str, ...]:
    """Return the names of the commands that ``by`` may give now."""
    if isinstance(state, NotOpened) or by.kind != "officer":
        return ()
    if by.office != state.case.opened.office or by.roles.isdisjoint(MOVERS):
        return ()
    return tuple(command.__name__ for command in _possible(state, by))


def _possible(state: Opened, by: Actor) -> Iterator[type[object]]:
    holder = state.case.claimed_by
    mine = holder in ("", by.name)
    takes_over = not holder or Role.SUPERVISOR in by.roles
    if not isinstance(state, Closed | Reversed) and holder != by.name and takes_over:
        yield ClaimSuspense
    match state:
        case Held() if mine:
            yield AllocateSuspense
            yield RequestRefund
        case RefundAsked(refund=refund):
            if refund.requester != str(by):
                yield ApproveRefund
            yield DeclineRefund
        case RefundAgreed():
            yield RecordRefundPaid
            yield DeclineRefund
        case Reversed(refund=refund) if refund is not None:
            yield RecordRefundPaid
        case _:
            return
