"""What the clock calls for when it is looked at, and the explanation of a stall.

``deadlines`` says what is due when; here it becomes facts. Whoever looks late finds several steps
at once, and they come in order; whoever looks twice finds nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from services.workflow import alarms as alarm
from services.workflow import clock
from services.workflow.alarms import Alarms
from services.workflow.commands import ExplainStall, NudgePermit
from services.workflow.deadlines import SUPERVISOR, Step, asked_again, stall_id, steps
from services.workflow.guards import explainers, opened, possible, require_officer, require_role
from services.workflow.refusals import PermitAlreadyClosed, StallAlreadyExplained, UnknownStall
from services.workflow.states import Closed, State
from shared.calendar import WorkCalendar
from shared.contracts.workflow import (
    ComplaintOverdue,
    PermitDeemedGranted,
    PermitExpired,
    PermitExpiryNoticed,
    PermitRevoked,
    StageDueSoon,
    StageOverdue,
    StallEscalated,
    StallExplained,
    StallExplanationRequested,
)
from shared.events import Fact, from_micros, to_micros


def nudge(command: NudgePermit, state: State) -> Sequence[object]:
    """Return what the clock calls for. A permit that waits, or is not ours, calls for nothing."""
    held = alarm.of(state)
    return [] if held is None else called_for(command, held)


def called_for(
    command: NudgePermit, alarms: Alarms, *, coming: clock.Pending | None = None
) -> list[object]:
    """Return everything that is due at ``command.now``, in order; each step may bring the next.

    Whoever has read the clock already gives what it said as ``coming``.
    """
    decided: list[object] = []
    now, sop, calendar, ladder = command.now, command.sop, command.calendar, command.ladder
    # Nothing that is decided here moves the clock itself.
    if coming is None:
        coming = clock.pending(alarms.clock, calendar, sop, ladder.warn_percent)
    at = to_micros(now)
    while due := [s for s in steps(alarms, sop, calendar, ladder, at, coming=coming) if s.at <= at]:
        facts = _facts(due[0], alarms, command)
        decided += facts
        # A step alone brings nothing else that is due already, but for the ladder's next rung.
        if len(due) == 1 and due[0].to != SUPERVISOR:
            break
        for event in facts:
            alarms = alarm.evolve(alarms, Fact(event, now))
    return decided


def _facts(step: Step, alarms: Alarms, command: NudgePermit) -> list[object]:
    about = {"application_id": alarms.application_id, "office": alarms.office}
    at_stage = {**about, "stage": alarms.clock.stage}
    kind = step.event
    if kind is StageDueSoon:
        return [StageDueSoon(**at_stage, due_at=step.about, assignee=alarms.assignee)]
    if kind is StageOverdue:
        stall = stall_id(alarms.application_id, alarms.clock.stage, step.about)
        overdue = StageOverdue(**at_stage, due_at=step.about, assignee=alarms.assignee)
        return [overdue, _question(stall, alarms, command)]
    if kind is StallExplanationRequested:
        return [_question(asked_again(step.about), alarms, command)]
    if kind is StallEscalated:
        return [StallEscalated(**at_stage, stall_id=step.about, to=step.to)]
    if kind is PermitDeemedGranted:
        due_at = from_micros(step.at).isoformat()
        return [PermitDeemedGranted(**about, number=alarms.number, due_at=due_at)]
    if kind is ComplaintOverdue:
        return [ComplaintOverdue(**about, complaint_id=step.about)]
    if kind is PermitExpiryNoticed:
        return [PermitExpiryNoticed(**_permit(alarms), days=int(step.about))]
    if kind is PermitExpired:
        return [PermitExpired(**_permit(alarms))]
    assert kind is PermitRevoked
    assert alarms.revocation is not None
    return [PermitRevoked(**about, reason=alarms.revocation.reason)]


def _permit(alarms: Alarms) -> dict[str, str]:
    """Return what names a permit in force in its last events."""
    about = {"application_id": alarms.application_id, "office": alarms.office}
    return {**about, "number": alarms.number, "valid_until": alarms.valid_until}


def _question(stall: str, alarms: Alarms, command: NudgePermit) -> StallExplanationRequested:
    """Ask now: nobody can answer before, however long ago it was due."""
    return StallExplanationRequested(
        application_id=alarms.application_id,
        office=alarms.office,
        stage=alarms.clock.stage,
        stall_id=stall,
        asked=alarms.assignee or alarms.role,
        answer_by=_answer_by(command.calendar, command.now, command.ladder.answer_minutes),
    )


@lru_cache(maxsize=256)
def _answer_by(calendar: WorkCalendar, now: datetime, minutes: int) -> str:
    """Return when an answer is due; in a storm it is the same for a whole office."""
    return calendar.add(now, minutes).isoformat()


def explain(command: ExplainStall, state: State) -> Sequence[object]:
    held = opened(state)
    require_officer(command.by, held)
    allowed = possible(state, command.sop, command.by, command.scans)
    stall = next((s for s in held.file.stalls if s.asked.stall_id == command.stall_id), None)
    if stall is None:
        raise UnknownStall(allowed=allowed)
    require_role(command.by, explainers(command.sop, stall.asked.stage), allowed)
    explained = StallExplained(
        application_id=held.file.opened.application_id,
        stage=stall.asked.stage,
        stall_id=command.stall_id,
        explanation=command.explanation,
        promised=command.promised,
    )
    if stall.explained is not None:
        if stall.explained == explained:
            return []
        raise StallAlreadyExplained(allowed=allowed)
    if isinstance(held, Closed):
        raise PermitAlreadyClosed(allowed=allowed)
    return [explained]
