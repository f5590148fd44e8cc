"""Who may: the checks that come before every decision, and what is possible instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.workflow.commands import (
    AssessFee,
    CompleteStage,
    ExplainStall,
    HandOver,
    RejectPermit,
    ReportSurvey,
    ReturnPermit,
    ScheduleSurvey,
    SignPermit,
    SkipSurvey,
)
from services.workflow.refusals import NotForPeople, OtherOffice, OtherRole, PermitNotOpened
from services.workflow.sop import Kind, Sop, Stage
from services.workflow.states import Closed, InForce, InProgress, Issued, NotOpened, Opened, State
from shared.actors import Actor, Role
from shared.contracts.workflow import SurveyScheduled

# Stages that end with an officer's word and nothing else.
_PLAIN = (Kind.VERIFY, Kind.DATA_ENTRY, Kind.RECOMMEND, Kind.REVIEW, Kind.MATCH_ORIGINALS)
_SURVEY = (ScheduleSurvey, ReportSurvey, SkipSurvey)
_AT_KIND: dict[Kind, tuple[type[Any], ...]] = {
    **dict.fromkeys(_PLAIN, (CompleteStage, ReturnPermit)),
    Kind.SURVEY: (*_SURVEY, ReturnPermit),
    Kind.ASSESS_FEE: (AssessFee, ReturnPermit),
    Kind.SIGN: (SignPermit, ReturnPermit),
    Kind.HAND_OVER: (HandOver,),
}


def belongs(command: type[Any], stage: Stage) -> bool:
    """Say whether a stage of this kind knows the command at all."""
    return command in _AT_KIND.get(stage.kind, ())


def opened(state: State) -> Opened:
    """Return the opened permit. Raises PermitNotOpened."""
    if isinstance(state, NotOpened):
        raise PermitNotOpened
    return state


def require_system(by: Actor) -> None:
    """Raise NotForPeople unless the system itself (a reaction, a timer) asks."""
    if by.kind != "system":
        raise NotForPeople


def require_officer(by: Actor, state: Opened) -> None:
    """Raise OtherOffice unless an officer of the permit's own office asks."""
    if by.kind != "officer" or by.office != state.file.opened.office:
        raise OtherOffice


def require_role(by: Actor, roles: Sequence[Role | None], allowed: Sequence[str]) -> None:
    """Raise OtherRole unless one of ``roles`` is held; ``allowed`` names what is possible."""
    if by.roles.isdisjoint(roles):
        raise OtherRole(allowed=allowed)


def possible(state: State, sop: Sop, by: Actor) -> tuple[str, ...]:
    """Return the names of the commands that ``by`` may give now."""
    if isinstance(state, NotOpened | Closed) or by.kind != "officer":
        return ()
    if by.office != state.file.opened.office:
        return ()
    return tuple(command.__name__ for command in _possible(state, sop, by))


def _possible(state: Opened, sop: Sop, by: Actor) -> Iterator[type[Any]]:
    file, stage = state.file, sop.stage(state.file.stage)
    works = isinstance(state, InProgress) or (isinstance(state, Issued) and not file.unpaid)
    if works and stage is not None and stage.role in by.roles:
        for command in _AT_KIND.get(stage.kind, ()):
            if _fits(command, state, stage):
                yield command
    if Role.SIGNER in by.roles and not isinstance(state, Issued | InForce) and not sop.foreign:
        yield RejectPermit
    if any(
        stall.explained is None and not by.roles.isdisjoint(explainers(sop, stall.asked.stage))
        for stall in file.stalls
    ):
        yield ExplainStall


def _fits(command: type[Any], state: Opened, stage: Stage) -> bool:
    if command is ReturnPermit:
        return isinstance(state, InProgress)
    if command is ReportSurvey:
        survey = state.file.survey
        return isinstance(survey, SurveyScheduled) and survey.stage == stage.id
    return command is not SkipSurvey or stage.survey == "optional"


def explainers(sop: Sop, stage_id: str) -> tuple[Role, ...]:
    """Return the roles that may explain a stall of a stage: its own, and the supervisor."""
    stage = sop.stage(stage_id)
    own = stage.role if stage is not None else None
    return (Role.SUPERVISOR,) if own is None else (own, Role.SUPERVISOR)
