"""What every opened permit has, fact by fact, whatever state it is in. Nothing here judges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from services.workflow.clock import ClockState
from shared.contracts.workflow import (
    ComplaintAnswered,
    ComplaintFiled,
    ComplaintOverdue,
    FeeAssessed,
    FeeSettled,
    FeeSettlementRejected,
    OriginalMatched,
    OriginalMismatched,
    PermitDeemedGranted,
    PermitExpired,
    PermitExpiryNoticed,
    PermitHandedOver,
    PermitIssued,
    PermitOpened,
    PermitRenewalRejected,
    PermitRenewed,
    PermitRevoked,
    PermitWithdrawalRejected,
    RecommendationGiven,
    RevocationAnnounced,
    RevocationLifted,
    StageCompleted,
    StageDueSoon,
    StageReassigned,
    StageStarted,
    StallEscalated,
    StallExplained,
    StallExplanationRequested,
    StallReplyRejected,
    SurveyReported,
    SurveyScheduled,
    SurveySkipped,
)

Survey: TypeAlias = SurveyScheduled | SurveyReported | SurveySkipped
Original: TypeAlias = OriginalMatched | OriginalMismatched


@dataclass(frozen=True, slots=True)
class Stall:
    """A stage that stood still beyond its time, and what was said about it.

    ``escalated_to`` are the people up the ladder who were told, in order.
    """

    asked: StallExplanationRequested
    explained: StallExplained | None = None
    escalated_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an applicant complained about, and whether the office answered in time."""

    filed: ComplaintFiled
    answered: ComplaintAnswered | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What every opened permit has. ``stage`` is empty between and after stages.

    ``role`` and ``assignee`` are whom the present stage was given to. ``warned`` are (stage, due
    instant) pairs that a due-soon warning was given for; ``rejected`` are the (bill, renewed
    permit or empty, reason) pairs of what came too late or for nothing. ``originals`` is the last
    word on each stage's requirement; ``revocation`` is what is announced now, ``lifted`` the last
    that was taken back; ``noticed`` are the days before the end that a notice was given for.
    """

    opened: PermitOpened
    clock: ClockState
    stage: str = ""
    role: str = ""
    assignee: str = ""
    done: tuple[StageCompleted, ...] = ()
    reassigned: StageReassigned | None = None
    survey: Survey | None = None
    recommendations: tuple[RecommendationGiven, ...] = ()
    originals: tuple[Original, ...] = ()
    fee: FeeAssessed | None = None
    settled: FeeSettled | None = None
    issued: PermitIssued | None = None
    handed: PermitHandedOver | None = None
    warned: tuple[tuple[str, str], ...] = ()
    stalls: tuple[Stall, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    deemed: bool = False
    complaints: tuple[Complaint, ...] = ()
    revocation: RevocationAnnounced | None = None
    lifted: RevocationLifted | None = None
    noticed: frozenset[int] = frozenset()
    expired: bool = False
    renewed_by: str = ""

    @property
    def unpaid(self) -> bool:
        """Whether a payment was taken back and not made again."""
        return self.clock.unpaid

    def completed(self, stage: str) -> StageCompleted | None:
        """Return how a stage was completed, the last time."""
        return next((event for event in reversed(self.done) if event.stage == stage), None)


def recorded(file: File, event: Any) -> File:
    """Return the file with what ``event`` adds to it."""
    match event:
        case StageStarted(stage=stage, role=role, assignee=assignee):
            return replace(file, stage=stage, role=role, assignee=assignee, reassigned=None)
        case StageReassigned(stage=stage, assignee=assignee) if stage == file.stage:
            return replace(file, assignee=assignee, reassigned=event)
        case StageCompleted(stage=stage):
            done = (*file.done, event)
            if stage == file.stage:
                return replace(file, done=done, stage="", role="", assignee="", reassigned=None)
            return replace(file, done=done)
        case SurveyScheduled() | SurveyReported() | SurveySkipped():
            return replace(file, survey=event)
        case RecommendationGiven():
            return replace(file, recommendations=(*file.recommendations, event))
        case OriginalMatched() | OriginalMismatched():
            return replace(file, originals=_originals(file, event))
        case FeeAssessed():
            return replace(file, fee=event)
        case FeeSettled():
            return replace(file, settled=event)
        case PermitIssued():
            return replace(file, issued=event)
        case PermitHandedOver():
            return replace(file, handed=event)
        case PermitWithdrawalRejected(reason=reason):
            return replace(file, rejected=(*file.rejected, ("", reason)))
        case FeeSettlementRejected(bill_id=bill_id, reason=reason):
            return replace(file, rejected=(*file.rejected, (bill_id, reason)))
        case StallReplyRejected(reply_id=reply_id, reason=reason):
            return replace(file, rejected=(*file.rejected, (reply_id, reason)))
        case PermitRenewalRejected(renews=renews, reason=reason):
            return replace(file, rejected=(*file.rejected, (renews, reason)))
        case _:
            return _afterwards(_stalled(file, event), event)


def _originals(file: File, event: Original) -> tuple[Original, ...]:
    about = (event.stage, event.requirement)
    others = [held for held in file.originals if (held.stage, held.requirement) != about]
    return (*others, event)


def _stalled(file: File, event: Any) -> File:
    """Return the file with an alarm of its clock, or with what was said about one."""
    match event:
        case StageDueSoon(stage=stage, due_at=due_at):
            return replace(file, warned=(*file.warned, (stage, due_at)))
        case StallExplanationRequested():
            return replace(file, stalls=(*file.stalls, Stall(event)))
        case StallExplained(stall_id=stall_id):
            held = next((s for s in file.stalls if s.asked.stall_id == stall_id), None)
            return file if held is None else _with_stall(file, replace(held, explained=event))
        case StallEscalated(stall_id=stall_id, to=to):
            held = next((s for s in file.stalls if s.asked.stall_id == stall_id), None)
            if held is None:
                return file
            return _with_stall(file, replace(held, escalated_to=(*held.escalated_to, to)))
        case PermitDeemedGranted():
            return replace(file, deemed=True)
        case _:
            return file


def _with_stall(file: File, stall: Stall) -> File:
    known = stall.asked.stall_id
    stalls = tuple(stall if held.asked.stall_id == known else held for held in file.stalls)
    return replace(file, stalls=stalls)


def _afterwards(file: File, event: Any) -> File:
    """Return the file with what happens around and after the decision."""
    match event:
        case ComplaintFiled():
            return replace(file, complaints=(*file.complaints, Complaint(event)))
        case ComplaintAnswered(complaint_id=complaint_id):
            return _with_complaint(file, complaint_id, answered=event)
        case ComplaintOverdue(complaint_id=complaint_id):
            return _with_complaint(file, complaint_id, overdue=True)
        case RevocationAnnounced():
            return replace(file, revocation=event, lifted=None)
        case RevocationLifted():
            return replace(file, revocation=None, lifted=event)
        case PermitRevoked():
            return replace(file, revocation=None)
        case PermitExpiryNoticed(days=days):
            return replace(file, noticed=file.noticed | {days})
        case PermitExpired():
            return replace(file, expired=True)
        case PermitRenewed(renewed_by=renewed_by):
            return replace(file, renewed_by=renewed_by)
        case _:
            return file


def _with_complaint(file: File, complaint_id: str, **changes: Any) -> File:
    complaints = tuple(
        replace(held, **changes) if held.filed.complaint_id == complaint_id else held
        for held in file.complaints
    )
    return replace(file, complaints=complaints)
