"""What the forms and the API take for each command, and how a command is built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.workflow import commands as c
from services.workflow.sop import Sop
from services.workflow.staff import Staff
from shared.actors import Actor
from shared.text import CleanParagraph, CleanText

_Stage = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
_Id = Annotated[str, StringConstraints(max_length=64)]
_Account = Annotated[str, StringConstraints(max_length=64)]
_Words = Annotated[CleanParagraph, Field(min_length=1)]
_Line = Annotated[CleanText, Field(min_length=1, max_length=200)]
_MaybeLine = Annotated[CleanText, Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks, when, and under which procedure; ``today`` is the office's own date.

    ``scans`` are the applicant's documents as they are now, ``staff`` the office's officers.
    """

    now: datetime
    today: date
    by: Actor
    sop: Sop
    scans: tuple[c.Scan, ...]
    staff: Staff

    @property
    def known(self) -> dict[str, Any]:
        """What every officer's command is given."""
        return {"now": self.now, "by": self.by, "sop": self.sop, "scans": self.scans}


class Body(BaseModel):
    """What somebody fills in. A word that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class AtStageBody(Body):
    """The stage that the person saw."""

    stage: _Stage


class CompleteBody(AtStageBody):
    """Finish the stage."""

    note: CleanParagraph = ""


class ScheduleBody(AtStageBody):
    """The day of the survey."""

    on: date


class ReportBody(AtStageBody):
    """What the survey found."""

    report: _Words
    recommended: bool


class RecommendBody(AtStageBody):
    """What the agency says; ``letter`` is the number of its letter."""

    recommended: bool
    note: _Words
    letter: _MaybeLine = ""


class RequirementBody(AtStageBody):
    """The requirement whose original was looked at."""

    requirement: _Stage


class MismatchBody(RequirementBody):
    """How the original differs."""

    reason: _Words


class ReassignBody(AtStageBody):
    """To whom (an account; empty: back to everybody with the role), and why."""

    to: _Account = ""
    reason: _Words


class ReasonAtStageBody(AtStageBody):
    """Why."""

    reason: _Words


class AssessBody(AtStageBody):
    """The measures that the tariff needs, by name."""

    measures: dict[str, int]


class SignBody(AtStageBody):
    """The decree's number."""

    document_number: _Line


class HandOverBody(AtStageBody):
    """Who took the permit, and what they showed."""

    receiver: _Line
    proof: _MaybeLine = ""


class ReasonBody(Body):
    """Why."""

    reason: _Words


class ExplainBody(Body):
    """Why the file stands still, and until when."""

    stall_id: _Id
    explanation: _Words
    promised: date | None = None


class AnswerBody(Body):
    """What the office answers to a complaint."""

    complaint_id: _Id
    answer: _Words


class RevokeBody(Body):
    """Why the permit is taken back, and from which day on."""

    reason: _Words
    effective_on: date


Build = Callable[[Ask, Any], c.Command]


def plainly(command: type[Any]) -> Build:
    """Return what builds a command whose fields are those of its body."""

    def build(ask: Ask, body: Any) -> Any:
        return command(**ask.known, **body.model_dump())

    return build


def dated(command: type[Any]) -> Build:
    """Return the same for a command that also asks for the office's own date."""

    def build(ask: Ask, body: Any) -> Any:
        return command(**ask.known, today=ask.today, **body.model_dump())

    return build


def explain(ask: Ask, body: ExplainBody) -> c.ExplainStall:
    """Return the explanation of a stall."""
    return c.ExplainStall(
        **ask.known,
        stall_id=body.stall_id,
        explanation=body.explanation,
        promised=body.promised.isoformat() if body.promised else "",
    )


def reassign(ask: Ask, body: ReassignBody) -> c.ReassignStage:
    """Return the change of hands; who is away today is stood in for."""
    return c.ReassignStage(
        **ask.known,
        stage=body.stage,
        reason=body.reason,
        to=ask.staff.officer(body.to) if body.to else None,
        deputy=ask.staff.deputy(body.to) if body.to else None,
    )
