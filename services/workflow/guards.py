"""Who may: the checks that come before every decision, and what is possible instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.workflow.commands import (
    AnnounceRevocation,
    AnswerComplaint,
    AssessFee,
    CompleteStage,
    ExplainStall,
    GiveRecommendation,
    HandOver,
    LiftRevocation,
    MatchOriginal,
    MismatchOriginal,
    ReassignStage,
    RejectPermit,
    ReportSurvey,
    ReturnPermit,
    Scan,
    ScheduleSurvey,
    SignPermit,
    SkipSurvey,
)
from services.workflow.file import File
from services.workflow.refusals import (
    AgencyReady,
    NotForPeople,
    OtherAgency,
    OtherOffice,
    OtherOfficer,
    OtherRole,
    PermitNotOpened,
)
from services.workflow.sop import Kind, Sop, Stage
from services.workflow.states import Closed, InForce, InProgress, Issued, NotOpened, Opened, State
from shared.actors import Actor, Role
from shared.contracts.workflow import OriginalMatched, SurveyScheduled
from shared.errors import NotAllowed

# Stages that end with an officer's word and nothing else.
_PLAIN = (Kind.VERIFY, Kind.DATA_ENTRY, Kind.REVIEW)
_SURVEY = (ScheduleSurvey, ReportSurvey, SkipSurvey)
_AT_KIND: dict[Kind, tuple[type[Any], ...]] = {
    **dict.fromkeys(_PLAIN, (CompleteStage, ReturnPermit)),
    Kind.SURVEY: (*_SURVEY, ReturnPermit),
    Kind.RECOMMEND: (GiveRecommendation, ReturnPermit),
    Kind.ASSESS_FEE: (AssessFee, ReturnPermit),
    Kind.SIGN: (SignPermit, ReturnPermit),
    Kind.MATCH_ORIGINALS: (MatchOriginal, MismatchOriginal, CompleteStage, ReturnPermit),
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


def require_worker(by: Actor, stage: Stage, file: File, allowed: Sequence[str]) -> None:
    """Raise OtherRole, OtherAgency, AgencyReady or OtherOfficer unless ``by`` works on it."""
    refusal = stranger(by, stage, file)
    if refusal is not None:
        raise refusal(allowed=allowed)


def stranger(
    by: Actor, stage: Stage, file: File, *, assigned: bool = True
) -> type[NotAllowed] | None:
    """Return why ``by`` does not work on a stage; None when they do.

    Without ``assigned`` it does not count whom the stage was given to.
    """
    here = file.stage == stage.id
    if stage.agency is not None:
        refusal = _outside_agency(by, stage, given=file.role if here else "")
    else:
        refusal = OtherRole if stage.role not in by.roles else None
    if refusal is None and assigned and here and file.assignee and not holds(by, file):
        return OtherOfficer
    return refusal


def _outside_agency(by: Actor, stage: Stage, given: str) -> type[NotAllowed] | None:
    """Return why ``by`` does not speak for a stage's agency.

    What was once given to the counter may still be ended there after the agency became ready.
    """
    if stage.agency is not None and Role.AGENCY in by.roles and by.agency == stage.agency.id:
        return None
    if Role.COUNTER not in by.roles:
        return OtherAgency if Role.AGENCY in by.roles else OtherRole
    return None if Role.COUNTER in (stage.role, given) else AgencyReady


def holds(by: Actor, file: File) -> bool:
    """Say whether the present stage was given to ``by``, or to somebody they stand in for."""
    return bool(file.assignee) and file.assignee in {by.name, *by.stands_in}


def unmatched(file: File, stage_id: str, scans: Sequence[Scan]) -> tuple[str, ...]:
    """Return the requirements whose scans, as they are now, match no original yet."""
    matched = {
        (original.requirement, original.sha256)
        for original in file.originals
        if isinstance(original, OriginalMatched) and original.stage == stage_id
    }
    return tuple(s.requirement for s in scans if (s.requirement, s.sha256) not in matched)


def reassignable(state: Opened, sop: Sop, stage_id: str) -> bool:
    """Say whether a stage is under way, or waits, and somebody works on it."""
    stage = sop.stage(stage_id)
    under_way = not isinstance(state, InForce | Closed) and state.file.stage == stage_id
    return under_way and stage is not None and stage.role is not None


def possible(state: State, sop: Sop, by: Actor, scans: Sequence[Scan] = ()) -> tuple[str, ...]:
    """Return the names of the commands that ``by`` may give now."""
    if isinstance(state, NotOpened) or by.kind != "officer":
        return ()
    if by.office != state.file.opened.office or sop.foreign:
        return ()
    offered = (*_at_stage(state, sop, by, scans), *_besides(state, sop, by))
    return tuple(command.__name__ for command in offered)


def _at_stage(state: Opened, sop: Sop, by: Actor, scans: Sequence[Scan]) -> Iterator[type[Any]]:
    file, stage = state.file, sop.stage(state.file.stage)
    works = isinstance(state, InProgress) or (isinstance(state, Issued) and not file.unpaid)
    if not works or stage is None or stranger(by, stage, file) is not None:
        return
    for command in _AT_KIND.get(stage.kind, ()):
        if _fits(command, state, stage, scans):
            yield command


def _fits(command: type[Any], state: Opened, stage: Stage, scans: Sequence[Scan]) -> bool:
    if command is ReturnPermit:
        return isinstance(state, InProgress)
    if command is ReportSurvey:
        survey = state.file.survey
        return isinstance(survey, SurveyScheduled) and survey.stage == stage.id
    if command is MismatchOriginal:
        return bool(scans)
    if stage.kind is Kind.MATCH_ORIGINALS:
        return (command is MatchOriginal) == bool(unmatched(state.file, stage.id, scans))
    return command is not SkipSurvey or stage.survey == "optional"


def _besides(state: Opened, sop: Sop, by: Actor) -> Iterator[type[Any]]:
    """Yield what may be done whatever the stage."""
    file, leads, signs = state.file, Role.SUPERVISOR in by.roles, Role.SIGNER in by.roles
    granted = isinstance(state, Issued | InForce)
    if signs and not granted and not isinstance(state, Closed):
        yield RejectPermit
    if not isinstance(state, Closed) and any(
        stall.explained is None and not by.roles.isdisjoint(explainers(sop, stall.asked.stage))
        for stall in file.stalls
    ):
        yield ExplainStall
    if reassignable(state, sop, file.stage) and (leads or holds(by, file)):
        yield ReassignStage
    if leads and any(complaint.answered is None for complaint in file.complaints):
        yield AnswerComplaint
    if signs and granted and file.issued is not None:
        yield AnnounceRevocation if file.revocation is None else LiftRevocation


def explainers(sop: Sop, stage_id: str) -> tuple[Role, ...]:
    """Return the roles that may explain a stall of a stage: its own, and the supervisor."""
    stage = sop.stage(stage_id)
    own = stage.role if stage is not None else None
    return (Role.SUPERVISOR,) if own is None else (own, Role.SUPERVISOR)
