"""One permit, from the open procedure to its last day: what is decided, and the decider.

Stream ``permit-{application_id}``. Commands are in ``commands``, states and ``evolve`` in
``states``, refusals in ``refusals``; what officers decide at a stage is in ``stages``, whom it is
given to in ``assignment``, complaints and revocation in ``afterwards``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from services.workflow.afterwards import decide_later, renew
from services.workflow.assignment import reassign
from services.workflow.commands import (
    AnnounceRevocation,
    AnswerComplaint,
    AssessFee,
    Command,
    CompleteStage,
    ExplainStall,
    FileComplaint,
    GiveRecommendation,
    HandOver,
    LiftRevocation,
    MatchOriginal,
    MismatchOriginal,
    NudgePermit,
    OpenPermit,
    ReassignStage,
    RejectOpening,
    RejectPermit,
    RejectRenewal,
    RejectSettlement,
    RejectStallReply,
    RejectWithdrawal,
    RenewPermit,
    ReportSurvey,
    ResumePermit,
    ReturnPermit,
    ScheduleSurvey,
    SettleFee,
    SignPermit,
    SkipSurvey,
    SystemCommand,
    UnsettleFee,
    WithdrawPermit,
)
from services.workflow.guards import (
    opened,
    possible,
    require_officer,
    require_role,
    require_system,
)
from services.workflow.notes import note
from services.workflow.refusals import (
    NotWaitingForPayment,
    PermitAlreadyClosed,
    PermitAlreadyIssued,
)
from services.workflow.sop import Kind
from services.workflow.stages import decide_at_stage, following
from services.workflow.stalls import explain, nudge
from services.workflow.states import (
    AwaitingApplicant,
    Closed,
    InForce,
    Issued,
    NotOpened,
    State,
    evolve,
)
from shared.actors import Role
from shared.contracts.workflow import (
    FeeSettled,
    FeeUnsettled,
    PermitOpened,
    PermitRejected,
    PermitResumed,
    PermitWithdrawn,
    StageCompleted,
    StageStarted,
)
from shared.decider import Decider


def stream(application_id: str) -> str:
    """Return the stream that holds an application's permit."""
    return f"permit-{application_id}"


def decide(command: Command, state: State) -> Sequence[object]:
    """Return what happens; ``[]`` for a command that already happened. Raises the refusals."""
    match command:
        case (
            CompleteStage()
            | ScheduleSurvey()
            | ReportSurvey()
            | SkipSurvey()
            | GiveRecommendation()
            | MatchOriginal()
            | MismatchOriginal()
            | AssessFee()
            | SignPermit()
            | HandOver()
            | ReturnPermit()
        ):
            return decide_at_stage(command, state)
        case ReassignStage():
            return reassign(command, state)
        case RejectPermit():
            return _reject(command, state)
        case ExplainStall():
            return explain(command, state)
        case FileComplaint() | AnswerComplaint() | AnnounceRevocation() | LiftRevocation():
            return decide_later(command, state)
        case _:
            require_system(command.by)
            return _decide_by_system(command, state)


def _decide_by_system(command: SystemCommand, state: State) -> Sequence[object]:
    match command:
        case OpenPermit():
            return _open(command, state)
        case ResumePermit():
            return _resume(state)
        case WithdrawPermit():
            return _withdraw(state)
        case SettleFee():
            return _settle(command, state)
        case UnsettleFee():
            return _unsettle(command, state)
        case NudgePermit():
            return nudge(command, state)
        case RenewPermit():
            return renew(command, state)
        case (
            RejectOpening()
            | RejectSettlement()
            | RejectWithdrawal()
            | RejectRenewal()
            | RejectStallReply()
        ):
            return note(command, state)
        case _:
            assert_never(command)


def _open(command: OpenPermit, state: State) -> Sequence[object]:
    if not isinstance(state, NotOpened):
        return []
    opening = PermitOpened(
        application_id=command.application_id,
        number=command.number,
        office=command.office,
        permit_type=command.permit_type,
        permit_version=command.permit_version,
        planned_end=command.planned_end,
    )
    # A foreign log says itself which of its activities happened when.
    if command.sop.foreign:
        return [opening]
    first = next(stage for stage in command.sop.stages if stage.survey != "never")
    start = StageStarted(
        application_id=command.application_id, stage=first.id, role=str(first.role or "")
    )
    return [opening, start]


def _resume(state: State) -> Sequence[object]:
    # Corrections before registration are intake's own affair.
    if not isinstance(state, AwaitingApplicant):
        return []
    application_id = state.file.opened.application_id
    return [PermitResumed(application_id=application_id, stage=state.file.stage)]


def _withdraw(state: State) -> Sequence[object]:
    if isinstance(state, NotOpened):
        return []
    if isinstance(state, Closed):
        if isinstance(state.closing, PermitWithdrawn):
            return []
        raise PermitAlreadyClosed
    if isinstance(state, Issued | InForce):
        raise PermitAlreadyIssued
    return [PermitWithdrawn(application_id=state.file.opened.application_id)]


def _reject(command: RejectPermit, state: State) -> Sequence[object]:
    held = opened(state)
    require_officer(command.by, held)
    allowed = possible(state, command.sop, command.by, command.scans)
    require_role(command.by, (Role.SIGNER,), allowed)
    application_id = held.file.opened.application_id
    rejection = PermitRejected(application_id=application_id, reason=command.reason)
    if isinstance(held, Closed):
        if held.closing == rejection:
            return []
        raise PermitAlreadyClosed(allowed=allowed)
    if isinstance(held, Issued | InForce):
        raise PermitAlreadyIssued(allowed=allowed)
    return [rejection]


def _settle(command: SettleFee, state: State) -> Sequence[object]:
    held = opened(state)
    file = held.file
    known = file.settled is not None and file.settled.bill_id == command.bill_id
    if known and not file.unpaid:
        return []
    if isinstance(held, Closed) or file.fee is None or (file.settled and not known):
        raise NotWaitingForPayment
    settled = FeeSettled(
        application_id=file.opened.application_id,
        bill_id=command.bill_id,
        amount=command.amount,
        paid_at=command.paid_at,
    )
    stage = command.sop.stage(file.stage)
    if stage is None or stage.kind is not Kind.AWAIT_PAYMENT or isinstance(held, Issued | InForce):
        return [settled]
    done = StageCompleted(application_id=file.opened.application_id, stage=stage.id, outcome="paid")
    return [settled, done, *following(file, command.sop, stage.id)]


def _unsettle(command: UnsettleFee, state: State) -> Sequence[object]:
    file = opened(state).file
    if file.settled is None or file.settled.bill_id != command.bill_id:
        raise NotWaitingForPayment
    if file.unpaid:
        return []
    return [FeeUnsettled(application_id=file.opened.application_id, bill_id=command.bill_id)]


DECIDER: Decider[State] = Decider(NotOpened(), decide, evolve)

__all__ = ["DECIDER", "decide", "evolve", "stream"]
