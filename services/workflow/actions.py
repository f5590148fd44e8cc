"""What officers can do, as a table: command -> its form, its words, its place on the page.

A page draws exactly the actions that ``possible`` names for the person looking at it; the API
offers all of them, and the decider refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi.datastructures import FormData
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from services.workflow import bodies as b
from services.workflow import commands as c
from services.workflow.sop import Stage
from shared.web.forms import FieldError, Form, Parsed, field_error
from shared.web.i18n import msg

_PREFIX = "measures."


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. ``tone`` is the button's; ``done`` the sentence after it."""

    name: str
    command: type[Any]
    title: str
    label: str
    done: str
    body: type[b.Body]
    build: b.Build
    tone: str = "primary"

    @property
    def staged(self) -> bool:
        """Whether its form names the stage that the person saw."""
        return "stage" in self.body.model_fields


ACTIONS: tuple[Action, ...] = (
    Action(
        "complete-stage",
        c.CompleteStage,
        msg("Finish this step"),
        msg("Finish and pass on"),
        msg("Done. {number} goes on to the next step."),
        b.CompleteBody,
        b.plainly(c.CompleteStage),
    ),
    Action(
        "report-survey",
        c.ReportSurvey,
        msg("Report the survey"),
        msg("Send the report"),
        msg("The survey of {number} is reported."),
        b.ReportBody,
        b.plainly(c.ReportSurvey),
    ),
    Action(
        "schedule-survey",
        c.ScheduleSurvey,
        msg("Set the day of the survey"),
        msg("Set the day"),
        msg("The survey of {number} is set. The applicant sees the day."),
        b.ScheduleBody,
        b.dated(c.ScheduleSurvey),
    ),
    Action(
        "give-recommendation",
        c.GiveRecommendation,
        msg("Give the agency's recommendation"),
        msg("Send the recommendation"),
        msg("The recommendation for {number} is recorded."),
        b.RecommendBody,
        b.plainly(c.GiveRecommendation),
    ),
    Action(
        "match-original",
        c.MatchOriginal,
        msg("Hold each original against its scan"),
        msg("It agrees"),
        msg("The original is matched."),
        b.RequirementBody,
        b.plainly(c.MatchOriginal),
    ),
    Action(
        "mismatch-original",
        c.MismatchOriginal,
        msg("An original differs from its scan"),
        msg("Note the difference"),
        msg("The difference is noted. The applicant sees it."),
        b.MismatchBody,
        b.plainly(c.MismatchOriginal),
        "secondary",
    ),
    Action(
        "assess-fee",
        c.AssessFee,
        msg("Establish the measures for the fee"),
        msg("Establish"),
        msg("The measures of {number} are established. The bill is being made."),
        b.AssessBody,
        b.plainly(c.AssessFee),
    ),
    Action(
        "sign-permit",
        c.SignPermit,
        msg("Sign the permit"),
        msg("Sign and issue"),
        msg("{number} is issued. The applicant is told."),
        b.SignBody,
        b.dated(c.SignPermit),
    ),
    Action(
        "hand-over",
        c.HandOver,
        msg("Hand the permit over"),
        msg("Hand over and close"),
        msg("{number} was handed over. The file is closed."),
        b.HandOverBody,
        b.plainly(c.HandOver),
    ),
    Action(
        "skip-survey",
        c.SkipSurvey,
        msg("Go on without a survey"),
        msg("Skip the survey"),
        msg("{number} goes on without a survey."),
        b.ReasonAtStageBody,
        b.plainly(c.SkipSurvey),
        "secondary",
    ),
    Action(
        "return-permit",
        c.ReturnPermit,
        msg("Ask the applicant for a correction"),
        msg("Return it"),
        msg("{number} was returned. The clock stands still until the correction comes."),
        b.ReasonAtStageBody,
        b.plainly(c.ReturnPermit),
        "secondary",
    ),
    Action(
        "reject-permit",
        c.RejectPermit,
        msg("Do not grant the permit"),
        msg("Reject it"),
        msg("{number} was rejected. The applicant is told why."),
        b.ReasonBody,
        b.plainly(c.RejectPermit),
        "danger",
    ),
    Action(
        "explain-stall",
        c.ExplainStall,
        msg("Say why this file stands still"),
        msg("Send the explanation"),
        msg("Your explanation is recorded."),
        b.ExplainBody,
        b.explain,
    ),
    Action(
        "reassign-stage",
        c.ReassignStage,
        msg("Give this step to another officer"),
        msg("Give it"),
        msg("{number} has changed hands."),
        b.ReassignBody,
        b.reassign,
        "secondary",
    ),
    Action(
        "answer-complaint",
        c.AnswerComplaint,
        msg("Answer the complaint"),
        msg("Send the answer"),
        msg("The complaint about {number} is answered. The applicant reads it."),
        b.AnswerBody,
        b.plainly(c.AnswerComplaint),
    ),
    Action(
        "announce-revocation",
        c.AnnounceRevocation,
        msg("Announce that the permit is taken back"),
        msg("Announce it"),
        msg("The revocation of {number} is announced. Its holder sees it."),
        b.RevokeBody,
        b.dated(c.AnnounceRevocation),
        "danger",
    ),
    Action(
        "lift-revocation",
        c.LiftRevocation,
        msg("Lift the announced revocation"),
        msg("Lift it"),
        msg("The revocation of {number} is lifted."),
        b.ReasonBody,
        b.plainly(c.LiftRevocation),
        "secondary",
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
    if action.body is b.AssessBody and stage is not None:
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
    return create_model("Assess", __base__=b.AtStageBody, measures=(measures, ...))
