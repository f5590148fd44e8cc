"""What officers decide at a stage: allowed by office, role, stage and procedure, in that order.

A stage that is done answers the same command with nothing, and another one with a refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.workflow.commands import (
    AssessFee,
    CompleteStage,
    GiveRecommendation,
    HandOver,
    MatchOriginal,
    MismatchOriginal,
    ReportSurvey,
    ReturnPermit,
    ScheduleSurvey,
    SignPermit,
    SkipSurvey,
    StageCommand,
)
from services.workflow.file import File
from services.workflow.guards import (
    belongs,
    opened,
    possible,
    require_officer,
    require_worker,
    unmatched,
)
from services.workflow.refusals import (
    BadMeasure,
    FeeAlreadyAssessed,
    LetterNeeded,
    NoSuchScan,
    OriginalsNotMatched,
    OtherStage,
    PermitAlreadyClosed,
    PermitAlreadyIssued,
    StageAlreadyCompleted,
    SurveyInThePast,
    SurveyNotScheduled,
    SurveyRequired,
    WaitingForApplicant,
    WaitingForPayment,
)
from services.workflow.sop import Kind, Sop, Stage
from services.workflow.states import (
    AwaitingApplicant,
    AwaitingPayment,
    Closed,
    InForce,
    Issued,
    Opened,
    State,
)
from shared.contracts.workflow import (
    FeeAssessed,
    OriginalMatched,
    OriginalMismatched,
    PermitHandedOver,
    PermitIssued,
    PermitReturned,
    RecommendationGiven,
    StageCompleted,
    StageStarted,
    SurveyReported,
    SurveyScheduled,
    SurveySkipped,
)
from shared.errors import Refused

_GRANTED = {True: "recommended", False: "not-recommended"}


def decide_at_stage(command: StageCommand, state: State) -> Sequence[object]:
    """Return what an officer's command at its stage comes to."""
    held = opened(state)
    require_officer(command.by, held)
    file, allowed = held.file, possible(state, command.sop, command.by, command.scans)
    stage = command.sop.stage(command.stage)
    if stage is None or not belongs(type(command), stage):
        raise OtherStage(allowed=allowed)
    require_worker(command.by, stage, file, allowed)
    decided = _events(command, file, stage)
    # The same result again is a repeat, wherever the permit is by now.
    if _known(decided, held):
        return []
    refusal = _obstacle(command, held)
    if refusal is not None:
        raise refusal(allowed=allowed)
    _check(command, file, stage, allowed)
    if not any(isinstance(event, StageCompleted) for event in decided):
        return decided
    return [*decided, *following(file, command.sop, stage.id)]


def following(file: File, sop: Sop, stage_id: str) -> Sequence[object]:
    """Return the start of the stage that comes next, skipping what this permit doesn't need."""
    for stage in sop.after(stage_id):
        paid = stage.kind is Kind.AWAIT_PAYMENT and file.settled is not None and not file.unpaid
        if stage.survey != "never" and not paid:
            role = stage.role or ""
            return [
                StageStarted(
                    application_id=file.opened.application_id, stage=stage.id, role=str(role)
                )
            ]
    return []


def _obstacle(command: StageCommand, state: Opened) -> type[Refused] | None:
    """Return why nothing can be done at the command's stage now, None when it can."""
    file = state.file
    if file.stage != command.stage and file.completed(command.stage) is not None:
        assessing = isinstance(command, AssessFee)
        return FeeAlreadyAssessed if assessing else StageAlreadyCompleted
    if isinstance(state, Closed):
        return PermitAlreadyClosed
    if isinstance(state, AwaitingApplicant):
        return WaitingForApplicant
    if isinstance(state, AwaitingPayment):
        return WaitingForPayment
    if file.stage != command.stage:
        if isinstance(state, Issued | InForce):
            return PermitAlreadyIssued
        at = command.sop.stage(file.stage)
        waits = at is not None and at.kind is Kind.AWAIT_PAYMENT
        return WaitingForPayment if waits else OtherStage
    if isinstance(state, Issued) and isinstance(command, ReturnPermit):
        return PermitAlreadyIssued
    return WaitingForPayment if isinstance(state, Issued) and file.unpaid else None


def _check(command: StageCommand, file: File, stage: Stage, allowed: Sequence[str]) -> None:
    """Raise what speaks against the command itself, once its turn has come."""
    match command:
        case ScheduleSurvey() if command.on < command.today:
            raise SurveyInThePast(allowed=allowed)
        case ReportSurvey() if not (
            isinstance(file.survey, SurveyScheduled) and file.survey.stage == stage.id
        ):
            raise SurveyNotScheduled(allowed=allowed)
        case SkipSurvey() if stage.survey != "optional":
            raise SurveyRequired(allowed=allowed)
        case AssessFee() if not _within_bounds(command, stage):
            raise BadMeasure(allowed=allowed)
        case GiveRecommendation() if _on_behalf(command, stage) and not command.letter:
            raise LetterNeeded(allowed=allowed)
        case MatchOriginal() | MismatchOriginal() if not _scanned(command):
            raise NoSuchScan(allowed=allowed)
        case CompleteStage() if stage.kind is Kind.MATCH_ORIGINALS:
            missing = unmatched(file, stage.id, command.scans)
            if missing:
                raise OriginalsNotMatched(n=len(missing), allowed=allowed)


def _on_behalf(command: GiveRecommendation, stage: Stage) -> bool:
    return stage.agency is None or command.by.agency != stage.agency.id


def _scanned(command: MatchOriginal | MismatchOriginal) -> str:
    """Return the SHA-256 of the scan that an original is held against, empty for none."""
    found = (scan.sha256 for scan in command.scans if scan.requirement == command.requirement)
    return next(found, "")


def _within_bounds(command: AssessFee, stage: Stage) -> bool:
    given = command.measures
    return given.keys() == {measure.id for measure in stage.measures} and all(
        measure.min <= given[measure.id] <= measure.max for measure in stage.measures
    )


def _events(command: StageCommand, file: File, stage: Stage) -> list[object]:
    """Return the facts that the command states, without what follows from them."""
    app, name = file.opened.application_id, stage.id

    def completed(outcome: str = "done", note: str = "") -> StageCompleted:
        return StageCompleted(application_id=app, stage=name, outcome=outcome, note=note)

    match command:
        case CompleteStage(note=note):
            return [completed(note=note)]
        case ScheduleSurvey(on=on):
            return [SurveyScheduled(application_id=app, stage=name, on=on.isoformat())]
        case ReportSurvey(report=report, recommended=yes):
            reported = SurveyReported(
                application_id=app, stage=name, report=report, recommended=yes
            )
            return [reported, completed(_GRANTED[yes])]
        case SkipSurvey(reason=reason):
            skipped = SurveySkipped(application_id=app, stage=name, reason=reason)
            return [skipped, completed("skipped")]
        case AssessFee(measures=measures):
            return [_assessed(file, measures), completed("assessed")]
        case GiveRecommendation(recommended=yes):
            return [_recommended(command, file, stage), completed(_GRANTED[yes])]
        case MatchOriginal(requirement=requirement):
            about = {"application_id": app, "stage": name, "requirement": requirement}
            return [OriginalMatched(**about, sha256=_scanned(command))]
        case MismatchOriginal(requirement=requirement, reason=reason):
            about = {"application_id": app, "stage": name, "requirement": requirement}
            return [OriginalMismatched(**about, sha256=_scanned(command), reason=reason)]
        case SignPermit():
            return [completed("signed"), _issued(command, file)]
        case HandOver(receiver=receiver, proof=proof):
            handed = PermitHandedOver(application_id=app, receiver=receiver, proof=proof)
            return [completed("handed-over"), handed]
        case ReturnPermit(reason=reason):
            return [PermitReturned(application_id=app, stage=name, reason=reason)]


def _recommended(command: GiveRecommendation, file: File, stage: Stage) -> RecommendationGiven:
    return RecommendationGiven(
        application_id=file.opened.application_id,
        stage=stage.id,
        agency=stage.agency.id if stage.agency is not None else "",
        recommended=command.recommended,
        note=command.note,
        on_behalf=_on_behalf(command, stage),
        letter=command.letter,
    )


def _issued(command: SignPermit, file: File) -> PermitIssued:
    before = file.issued
    if before is not None and before.document_number == command.document_number:
        # Signing again, on another day perhaps, changes nothing about the first time.
        return before
    validity = command.sop.validity
    return PermitIssued(
        application_id=file.opened.application_id,
        number=file.opened.number,
        document_number=command.document_number,
        valid_until=validity.last_day(command.today).isoformat() if validity else "",
        collected=any(stage.kind is Kind.HAND_OVER for stage in command.sop.stages),
    )


def _assessed(file: File, measures: Any) -> FeeAssessed:
    opened_as = file.opened
    return FeeAssessed(
        application_id=opened_as.application_id,
        number=opened_as.number,
        office=opened_as.office,
        permit_type=opened_as.permit_type,
        permit_version=opened_as.permit_version,
        measures=dict(measures),
    )


def _known(decided: Sequence[object], state: Opened) -> bool:
    """Say whether every fact is already among those of the permit."""
    file = state.file
    held: list[object] = [*file.done, *file.recommendations, *file.originals]
    held += [file.survey, file.fee, file.issued, file.handed]
    if isinstance(state, AwaitingApplicant):
        held.append(state.returned)
    return all(event in held for event in decided)
