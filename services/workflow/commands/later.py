"""What is asked around and after the decision: complaints and revocation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.workflow.commands.base import Asked, ByOfficer
from shared.calendar import WorkCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class FileComplaint(Asked):
    """Complain about the service. The office answers within ``days`` of its working days."""

    complaint_id: str
    text: str
    calendar: WorkCalendar
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerComplaint(ByOfficer):
    """Answer a complaint; the applicant reads it."""

    complaint_id: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceRevocation(ByOfficer):
    """Announce that a permit will be taken back on a day after today."""

    reason: str
    effective_on: date
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftRevocation(ByOfficer):
    """Take an announced revocation back."""

    reason: str
