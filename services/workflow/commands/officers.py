"""What officers ask of a permit on its way through the procedure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.workflow.commands.base import AtStage, ByOfficer
from shared.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteStage(AtStage):
    """Finish a stage that needs nothing but an officer's word and an optional note."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSurvey(AtStage):
    """Set or move the date of the survey."""

    on: date
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSurvey(AtStage):
    """Report what the survey found, and whether the permit may go on."""

    report: str
    recommended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipSurvey(AtStage):
    """Go on without an optional survey, for a reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRecommendation(AtStage):
    """Say for a technical agency (OPD) whether the permit may go on, and why.

    ``letter`` is the number of the agency's letter; who enters it on its behalf must name it.
    """

    recommended: bool
    note: str
    letter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchOriginal(AtStage):
    """Say that the original of a requirement agrees with its scan."""

    requirement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MismatchOriginal(AtStage):
    """Say that the original of a requirement differs from its scan, or was not brought."""

    requirement: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignStage(AtStage):
    """Give the stage to an officer, or (``to`` is None) back to everybody with its role.

    Whom the accounts don't know has no office and no roles. ``deputy`` stands in for ``to`` today.
    """

    to: Actor | None
    reason: str
    deputy: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessFee(AtStage):
    """Establish the whole numbers that the tariff needs."""

    measures: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignPermit(AtStage):
    """Grant the permit under the decree's number, for as long as the procedure says."""

    document_number: str
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(AtStage):
    """Hand the signed permit over; ``proof`` may name what the receiver showed or signed."""

    receiver: str
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPermit(AtStage):
    """Ask the applicant for a correction; the clock stands still until it comes."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectPermit(ByOfficer):
    """Refuse the permit, with the reason that the applicant reads."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainStall(ByOfficer):
    """Say why the document stands still; ``promised`` is a date (ISO 8601) or empty."""

    stall_id: str
    explanation: str
    promised: str = ""
