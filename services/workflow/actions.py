"""What officers can do, as a table: command -> its form, its words, its place on the page.

A page draws exactly the actions that ``possible`` names for the person looking at it; the API
offers all of them, and the decider refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any

from fastapi.datastructures import FormData
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, create_model

from services.workflow import commands as c
from services.workflow.sop import Sop, Stage
from shared.actors import Actor
from shared.text import CleanParagraph, CleanText
from shared.web.forms import FieldError, Form, Parsed, field_error
from shared.web.i18n import msg

_Stage = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
_Words = Annotated[CleanParagraph, Field(min_length=1)]
_Line = Annotated[CleanText, Field(min_length=1, max_length=200)]
_PREFIX = "measures."


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks, when, and under which procedure; ``today`` is the office's own date."""

    now: datetime
    today: date
    by: Actor
    sop: Sop


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _AtStage(_Body):
    stage: _Stage


class CompleteBody(_AtStage):
    """Finish the stage."""

    note: CleanParagraph = ""


class ScheduleBody(_AtStage):
    """The day of the survey."""

    on: date


class ReportBody(_AtStage):
    """What the survey found."""

    report: _Words
    recommended: bool


class ReasonBody(_AtStage):
    """Why."""

    reason: _Words


class AssessBody(_AtStage):
    """The measures that the tariff needs, by name."""

    measures: dict[str, int]


class SignBody(_AtStage):
    """The decree's number."""

    document_number: _Line


class HandOverBody(_AtStage):
    """Who took the permit, and what they showed."""

    receiver: _Line
    proof: Annotated[CleanText, Field(max_length=200)] = ""


class RejectBody(_Body):
    """Why the office says no."""

    reason: _Words


class ExplainBody(_Body):
    """Why the file stands still, and until when."""

    stall_id: Annotated[str, StringConstraints(max_length=64)]
    explanation: _Words
    promised: date | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. ``tone`` is the button's; ``done`` the sentence after it."""

    name: str
    command: type[Any]
    title: str
    label: str
    done: str
    body: type[_Body]
    build: Callable[[Ask, Any], c.Command]
    tone: str = "primary"


def _at_stage(command: type[Any]) -> Callable[[Ask, Any], Any]:
    def build(ask: Ask, body: Any) -> Any:
        return command(now=ask.now, by=ask.by, sop=ask.sop, **body.model_dump())

    return build


def _schedule(ask: Ask, body: Any) -> c.ScheduleSurvey:
    return c.ScheduleSurvey(
        now=ask.now, by=ask.by, sop=ask.sop, today=ask.today, stage=body.stage, on=body.on
    )


def _explain(ask: Ask, body: Any) -> c.ExplainStall:
    return c.ExplainStall(
        now=ask.now,
        by=ask.by,
        sop=ask.sop,
        stall_id=body.stall_id,
        explanation=body.explanation,
        promised=body.promised.isoformat() if body.promised else "",
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        "complete-stage",
        c.CompleteStage,
        msg("Finish this step"),
        msg("Finish and pass on"),
        msg("Done. {number} goes on to the next step."),
        CompleteBody,
        _at_stage(c.CompleteStage),
    ),
    Action(
        "report-survey",
        c.ReportSurvey,
        msg("Report the survey"),
        msg("Send the report"),
        msg("The survey of {number} is reported."),
        ReportBody,
        _at_stage(c.ReportSurvey),
    ),
    Action(
        "schedule-survey",
        c.ScheduleSurvey,
        msg("Set the day of the survey"),
        msg("Set the day"),
        msg("The survey of {number} is set. The applicant sees the day."),
        ScheduleBody,
        _schedule,
    ),
    Action(
        "assess-fee",
        c.AssessFee,
        msg("Establish the measures for the fee"),
        msg("Establish"),
        msg("The measures of {number} are established. The bill is being made."),
        AssessBody,
        _at_stage(c.AssessFee),
    ),
    Action(
        "sign-permit",
        c.SignPermit,
        msg("Sign the permit"),
        msg("Sign and issue"),
        msg("{number} is issued. The applicant is told."),
        SignBody,
        _at_stage(c.SignPermit),
    ),
    Action(
        "hand-over",
        c.HandOver,
        msg("Hand the permit over"),
        msg("Hand over and close"),
        msg("{number} was handed over. The file is closed."),
        HandOverBody,
        _at_stage(c.HandOver),
    ),
    Action(
        "skip-survey",
        c.SkipSurvey,
        msg("Go on without a survey"),
        msg("Skip the survey"),
        msg("{number} goes on without a survey."),
        ReasonBody,
        _at_stage(c.SkipSurvey),
        "secondary",
    ),
    Action(
        "return-permit",
        c.ReturnPermit,
        msg("Ask the applicant for a correction"),
        msg("Return it"),
        msg("{number} was returned. The clock stands still until the correction comes."),
        ReasonBody,
        _at_stage(c.ReturnPermit),
        "secondary",
    ),
    Action(
        "reject-permit",
        c.RejectPermit,
        msg("Do not grant the permit"),
        msg("Reject it"),
        msg("{number} was rejected. The applicant is told why."),
        RejectBody,
        _at_stage(c.RejectPermit),
        "danger",
    ),
    Action(
        "explain-stall",
        c.ExplainStall,
        msg("Say why this file stands still"),
        msg("Send the explanation"),
        msg("Your explanation is recorded."),
        ExplainBody,
        _explain,
    ),
)
BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS}


def parse_action(action: Action, data: FormData, stage: Stage | None) -> Parsed[Any]:
    """Validate a page's form. Measures are checked against the bounds of ``stage``."""
    values = {
        name: str(value)
        for name, value in data.items()
        if isinstance(value, str) and name not in ("csrf_token", "version", "key")
    }
    filled: dict[str, Any] = {}
    for name, value in values.items():
        if not value.strip():
            continue
        if name.startswith(_PREFIX):
            filled.setdefault("measures", {})[name.removeprefix(_PREFIX)] = value
        else:
            filled[name] = value
    model: type[BaseModel] = action.body
    if action.body is AssessBody and stage is not None:
        model, filled = _bounded(stage), {"measures": {}} | filled
    try:
        body = model.model_validate(filled)
    except ValidationError as error:
        errors: tuple[FieldError, ...] = tuple(map(field_error, error.errors()))
        return Parsed(None, Form(values, errors, scope(action)))
    return Parsed(_plain(action, body), Form(values, scope=scope(action)))


def scope(action: Action) -> str:
    """Return how the field ids of an action's form begin: a page holds several such forms."""
    return f"{action.name}-"


def _plain(action: Action, value: BaseModel) -> BaseModel:
    return action.body.model_validate(value.model_dump())


@cache
def _bounded(stage: Stage) -> type[BaseModel]:
    """Return the form of a stage's measures, each with its own bounds."""
    fields: dict[str, Any] = {
        measure.id: (int, Field(ge=measure.min, le=measure.max)) for measure in stage.measures
    }
    measures = create_model("Measures", __config__=ConfigDict(extra="forbid"), **fields)
    return create_model("Assess", __base__=_AtStage, measures=(measures, ...))
