"""When a document stands still: warn, ask, escalate, and take the explanation.

The ladder: due soon (80 % of the stage's time) -> overdue, an explanation is asked for -> no
explanation within the office's answer time, escalated to the head of office. Each step is decided
once per stage and due instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.workflow import clock
from services.workflow.commands import ExplainStall, NudgePermit
from services.workflow.file import File
from services.workflow.guards import explainers, opened, possible, require_officer, require_role
from services.workflow.refusals import PermitAlreadyClosed, StallAlreadyExplained, UnknownStall
from services.workflow.states import Closed, InProgress, State
from shared.contracts.workflow import (
    StageDueSoon,
    StageOverdue,
    StallEscalated,
    StallExplained,
    StallExplanationRequested,
)
from shared.events import from_micros, to_micros
from shared.ids import derived_id


def stall_id(application_id: str, stage: str, due_at: str) -> str:
    """Return the id of the one stall that a stage's due instant can bring about."""
    return derived_id("stall", application_id, stage, due_at)


def nudge(command: NudgePermit, state: State) -> Sequence[object]:
    """Read the clock and return what it calls for. A permit that waits calls for nothing."""
    if not isinstance(state, InProgress) or command.sop.foreign:
        return []
    file, now = state.file, to_micros(command.now)
    due = clock.due(file.clock, command.calendar, command.sop)
    if due is None:
        return []
    due_at = from_micros(due.due).isoformat()
    escalated = _escalated(file, command)
    if now >= due.due:
        return [*escalated, *_overdue(file, command, due_at)]
    if now >= due.warn and (file.stage, due_at) not in file.warned:
        return [*escalated, StageDueSoon(**_alert(file), due_at=due_at, assignee=file.assignee)]
    return escalated


def _alert(file: File) -> dict[str, str]:
    about = file.opened
    return {
        "application_id": about.application_id,
        "office": about.office,
        "stage": file.stage,
    }


def _overdue(file: File, command: NudgePermit, due_at: str) -> list[object]:
    stall = stall_id(file.opened.application_id, file.stage, due_at)
    if any(known.asked.stall_id == stall for known in file.stalls):
        return []
    answer_by = command.calendar.add(command.now, command.answer_minutes)
    stage = command.sop.stage(file.stage)
    role = str(stage.role or "") if stage is not None else ""
    return [
        StageOverdue(**_alert(file), due_at=due_at, assignee=file.assignee),
        StallExplanationRequested(
            **_alert(file),
            stall_id=stall,
            asked=file.assignee or role,
            answer_by=answer_by.isoformat(),
        ),
    ]


def micros(text: str) -> int:
    """Return microseconds UTC of an ISO 8601 instant with offset, as events hold them."""
    return to_micros(datetime.fromisoformat(text))


def _escalated(file: File, command: NudgePermit) -> list[object]:
    """Return the escalation of a stall at the present stage that nobody explained in time."""
    return [
        StallEscalated(**_alert(file), stall_id=stall.asked.stall_id)
        for stall in file.stalls
        if stall.asked.stage == file.stage
        and stall.explained is None
        and not stall.escalated_to
        and to_micros(command.now) >= micros(stall.asked.answer_by)
    ]


def explain(command: ExplainStall, state: State) -> Sequence[object]:
    held = opened(state)
    require_officer(command.by, held)
    allowed = possible(state, command.sop, command.by)
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
        raise PermitAlreadyClosed
    return [explained]
