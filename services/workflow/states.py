"""A permit's states and how facts move it between them. ``evolve`` never judges.

::

    NotOpened ──PermitOpened──▶ InProgress ◀──Resumed── AwaitingApplicant
                                 │  ▲   └────Returned────────▲
                                 │  └─FeeSettled── AwaitingPayment ◀─FeeUnsettled─ (InProgress)
                                 ├──PermitIssued──▶ Issued ──HandedOver──▶ Closed
                                 └──Rejected | Withdrawn | PermitClosed──▶ Closed
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from services.workflow import clock
from services.workflow.clock import ClockState
from shared.contracts.workflow import (
    FeeAssessed,
    FeeSettled,
    FeeSettlementRejected,
    FeeUnsettled,
    PermitClosed,
    PermitHandedOver,
    PermitIssued,
    PermitOpened,
    PermitOpeningRejected,
    PermitRejected,
    PermitResumed,
    PermitReturned,
    PermitWithdrawalRejected,
    PermitWithdrawn,
    StageCompleted,
    StageDueSoon,
    StageStarted,
    StallEscalated,
    StallExplained,
    StallExplanationRequested,
    SurveyReported,
    SurveyScheduled,
    SurveySkipped,
)
from shared.events import AnyFact

Survey: TypeAlias = SurveyScheduled | SurveyReported | SurveySkipped
Closing: TypeAlias = PermitHandedOver | PermitRejected | PermitWithdrawn | PermitClosed


@dataclass(frozen=True, slots=True)
class Stall:
    """A stage that stood still beyond its time, and what was said about it."""

    asked: StallExplanationRequested
    explained: StallExplained | None = None
    escalated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What every opened permit has. ``stage`` is empty between and after stages.

    ``warned`` are (stage, due instant) pairs that a due-soon warning was given for; ``rejected``
    are the (bill or empty, reason) pairs of what came too late or for nothing.
    """

    opened: PermitOpened
    clock: ClockState
    stage: str = ""
    assignee: str = ""
    done: tuple[StageCompleted, ...] = ()
    survey: Survey | None = None
    fee: FeeAssessed | None = None
    settled: FeeSettled | None = None
    issued: PermitIssued | None = None
    warned: tuple[tuple[str, str], ...] = ()
    stalls: tuple[Stall, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()

    @property
    def unpaid(self) -> bool:
        """Whether a payment was taken back and not made again."""
        return self.clock.unpaid

    def completed(self, stage: str) -> StageCompleted | None:
        """Return how a stage was completed, the last time."""
        return next((event for event in reversed(self.done) if event.stage == stage), None)


@dataclass(frozen=True, slots=True)
class NotOpened:
    """No procedure yet; ``rejected`` is why the last attempt failed, if one did."""

    rejected: str = ""


@dataclass(frozen=True, slots=True)
class InProgress:
    """The office works on it, or its procedure waits (``file.stage`` says which)."""

    file: File


@dataclass(frozen=True, slots=True)
class AwaitingApplicant:
    """A correction was asked for."""

    file: File
    returned: PermitReturned


@dataclass(frozen=True, slots=True)
class AwaitingPayment:
    """A payment was taken back; nothing goes on until it is made again."""

    file: File


@dataclass(frozen=True, slots=True)
class Issued:
    """The permit is signed; what is left happens at the counter."""

    file: File


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing more happens."""

    file: File
    closing: Closing


Opened: TypeAlias = InProgress | AwaitingApplicant | AwaitingPayment | Issued | Closed
State: TypeAlias = NotOpened | Opened


def evolve(state: State, fact: AnyFact) -> State:
    """Return the state after ``fact``, whatever it is and whenever it comes."""
    match fact.event:
        case PermitOpened() as opened:
            return InProgress(File(opened=opened, clock=clock.evolve(ClockState(), fact)))
        case PermitOpeningRejected(reason=reason) if isinstance(state, NotOpened):
            return NotOpened(reason)
    if isinstance(state, NotOpened):
        return state
    file = replace(_recorded(state.file, fact.event), clock=clock.evolve(state.file.clock, fact))
    return _moved(state, file, fact.event)


def _moved(state: Opened, file: File, event: Any) -> State:
    match event:
        case PermitHandedOver() | PermitRejected() | PermitWithdrawn() | PermitClosed():
            return Closed(file, event)
        case PermitIssued() if not isinstance(state, Closed):
            return Issued(file)
        case PermitReturned() if not isinstance(state, Issued | Closed):
            return AwaitingApplicant(file, event)
        case PermitResumed() if isinstance(state, AwaitingApplicant):
            return AwaitingPayment(file) if file.unpaid else InProgress(file)
        case FeeUnsettled() if isinstance(state, InProgress):
            return AwaitingPayment(file)
        case FeeSettled() if isinstance(state, AwaitingPayment):
            return InProgress(file)
        case _:
            return replace(state, file=file)


def _recorded(file: File, event: Any) -> File:
    """Return the file with what ``event`` adds to it."""
    match event:
        case StageStarted(stage=stage, assignee=assignee):
            return replace(file, stage=stage, assignee=assignee)
        case StageCompleted(stage=stage):
            done = (*file.done, event)
            if stage == file.stage:
                return replace(file, done=done, stage="", assignee="")
            return replace(file, done=done)
        case SurveyScheduled() | SurveyReported() | SurveySkipped():
            return replace(file, survey=event)
        case FeeAssessed():
            return replace(file, fee=event)
        case FeeSettled():
            return replace(file, settled=event)
        case PermitIssued():
            return replace(file, issued=event)
        case StageDueSoon(stage=stage, due_at=due_at):
            return replace(file, warned=(*file.warned, (stage, due_at)))
        case StallExplanationRequested():
            return replace(file, stalls=(*file.stalls, Stall(event)))
        case StallExplained(stall_id=stall_id):
            return _stalled(file, stall_id, explained=event)
        case StallEscalated(stall_id=stall_id):
            return _stalled(file, stall_id, escalated=True)
        case PermitWithdrawalRejected(reason=reason):
            return replace(file, rejected=(*file.rejected, ("", reason)))
        case FeeSettlementRejected(bill_id=bill_id, reason=reason):
            return replace(file, rejected=(*file.rejected, (bill_id, reason)))
        case _:
            return file


def _stalled(file: File, stall_id: str, **changes: Any) -> File:
    stalls = tuple(
        replace(stall, **changes) if stall.asked.stall_id == stall_id else stall
        for stall in file.stalls
    )
    return replace(file, stalls=stalls)
