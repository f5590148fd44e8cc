"""What came from another service too late or for nothing: noted once, so that people look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from services.workflow.commands import (
    RejectOpening,
    RejectRenewal,
    RejectSettlement,
    RejectStallReply,
    RejectWithdrawal,
)
from services.workflow.states import NotOpened, State
from shared.contracts.workflow import (
    FeeSettlementRejected,
    PermitOpeningRejected,
    PermitRenewalRejected,
    PermitWithdrawalRejected,
    StallReplyRejected,
)

Note: TypeAlias = (
    RejectOpening | RejectSettlement | RejectWithdrawal | RejectRenewal | RejectStallReply
)


def note(command: Note, state: State) -> Sequence[object]:
    """Return the fact of a refusal, unless the same one is known."""
    app, reason = command.application_id, command.reason
    known = () if isinstance(state, NotOpened) else state.file.rejected
    match command:
        case RejectOpening():
            if not isinstance(state, NotOpened) or state.rejected == reason:
                return []
            return [PermitOpeningRejected(application_id=app, reason=reason)]
        case RejectSettlement(bill_id=bill):
            if (bill, reason) in known:
                return []
            return [FeeSettlementRejected(application_id=app, bill_id=bill, reason=reason)]
        case RejectWithdrawal():
            if ("", reason) in known:
                return []
            return [PermitWithdrawalRejected(application_id=app, reason=reason)]
        case RejectRenewal(renews=renews):
            if (renews, reason) in known:
                return []
            return [PermitRenewalRejected(application_id=app, renews=renews, reason=reason)]
        case RejectStallReply(stall_id=stall, reply_id=reply):
            if (reply, reason) in known:
                return []
            return [
                StallReplyRejected(
                    application_id=app, stall_id=stall, reply_id=reply, reason=reason
                )
            ]
