"""Who works on a stage: given to one officer by the supervisor, or given back by that officer."""

from __future__ import annotations

from collections.abc import Sequence

from services.workflow.commands import ReassignStage
from services.workflow.file import File
from services.workflow.guards import (
    holds,
    opened,
    possible,
    reassignable,
    require_officer,
    require_role,
    stranger,
)
from services.workflow.refusals import (
    OtherStage,
    PermitAlreadyClosed,
    PermitAlreadyIssued,
    StageAlreadyCompleted,
    UnsuitableOfficer,
)
from services.workflow.sop import Stage
from services.workflow.states import Closed, InForce, Opened, State
from shared.actors import Actor, Role
from shared.contracts.workflow import StageReassigned


def reassign(command: ReassignStage, state: State) -> Sequence[object]:
    """Return the change of hands. Who already has the stage keeps it: nothing is decided."""
    held = opened(state)
    require_officer(command.by, held)
    file, allowed = held.file, possible(state, command.sop, command.by, command.scans)
    stage = command.sop.stage(command.stage)
    if not _gives_back(command, file):
        require_role(command.by, (Role.SUPERVISOR,), allowed)
    if stage is None or not reassignable(held, command.sop, command.stage):
        raise _obstacle(command, held)(allowed=allowed)
    to = command.deputy or command.to
    name = to.name if to is not None else ""
    if name == file.assignee:
        return []
    if command.to is not None and not _suits(command.to, stage, held):
        raise UnsuitableOfficer(allowed=allowed)
    reassigned = StageReassigned(
        application_id=file.opened.application_id,
        stage=command.stage,
        assignee=name,
        previous=file.assignee,
        reason=command.reason,
    )
    return [reassigned]


def _gives_back(command: ReassignStage, file: File) -> bool:
    """Say whether who has the stage gives it back, or has just done so."""
    if command.to is not None or file.stage != command.stage:
        return False
    last, own = file.reassigned, {command.by.name, *command.by.stands_in}
    before = last is not None and not last.assignee and last.previous in own
    return before or holds(command.by, file)


def _suits(officer: Actor, stage: Stage, state: Opened) -> bool:
    """Say whether an officer of this office could work on the stage, were it nobody's."""
    own = officer.office == state.file.opened.office
    return own and stranger(officer, stage, state.file, assigned=False) is None


def _obstacle(
    command: ReassignStage, state: Opened
) -> type[OtherStage | StageAlreadyCompleted | PermitAlreadyClosed | PermitAlreadyIssued]:
    if isinstance(state, Closed):
        return PermitAlreadyClosed
    if state.file.completed(command.stage) is not None:
        return StageAlreadyCompleted
    return PermitAlreadyIssued if isinstance(state, InForce) else OtherStage
