"""What can be asked of a permit. Everything a decision needs comes with the command.

``sop`` is the procedure that the permit started with; ``stage`` names the stage that the person
saw, so that a repeated or skipped step is recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from services.workflow.sop import Sop
from shared.actors import Actor
from shared.calendar import WorkCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class _AtStage(_Command):
    sop: Sop
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPermit(_Command):
    """Let a registered application enter the procedure; ``now`` is the instant of registration."""

    sop: Sop
    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    planned_end: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteStage(_AtStage):
    """Finish a stage that needs nothing but an officer's word and an optional note."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSurvey(_AtStage):
    """Set or move the date of the survey. ``today`` is the office's own date."""

    on: date
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSurvey(_AtStage):
    """Report what the survey found, and whether the permit may go on."""

    report: str
    recommended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipSurvey(_AtStage):
    """Go on without an optional survey, for a reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessFee(_AtStage):
    """Establish the whole numbers that the tariff needs."""

    measures: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignPermit(_AtStage):
    """Grant the permit under the decree's number."""

    document_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(_AtStage):
    """Hand the signed permit over; ``proof`` may name what the receiver showed or signed."""

    receiver: str
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPermit(_AtStage):
    """Ask the applicant for a correction; the clock stands still until it comes."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectPermit(_Command):
    """Refuse the permit, with the reason that the applicant reads."""

    sop: Sop
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePermit(_Command):
    """The applicant's correction came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPermit(_Command):
    """The applicant took the application back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleFee(_Command):
    """The bill is paid. ``amount`` in rupiah, ``paid_at`` the bank's own instant (ISO 8601)."""

    sop: Sop
    bill_id: str
    amount: int
    paid_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettleFee(_Command):
    """The payment was reversed."""

    bill_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgePermit(_Command):
    """Look whether the clock calls for a warning, a question or an escalation at ``now``.

    A timer only nudges: the decider reads the clock itself. ``answer_minutes`` are the working
    minutes an officer has to explain a stall.
    """

    sop: Sop
    calendar: WorkCalendar
    answer_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainStall(_Command):
    """Say why the document stands still; ``promised`` is a date (ISO 8601) or empty."""

    sop: Sop
    stall_id: str
    explanation: str
    promised: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectOpening(_Command):
    """Note that a registered application could not enter the procedure, and why (a code)."""

    application_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectSettlement(_Command):
    """Note that a payment came for a permit that does not wait for one, and why (a code)."""

    application_id: str
    bill_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectWithdrawal(_Command):
    """Note that an application was taken back too late, and why (a code)."""

    application_id: str
    reason: str


Command: TypeAlias = (
    OpenPermit
    | CompleteStage
    | ScheduleSurvey
    | ReportSurvey
    | SkipSurvey
    | AssessFee
    | SignPermit
    | HandOver
    | ReturnPermit
    | RejectPermit
    | ResumePermit
    | WithdrawPermit
    | SettleFee
    | UnsettleFee
    | NudgePermit
    | ExplainStall
    | RejectOpening
    | RejectSettlement
    | RejectWithdrawal
)
StageCommand: TypeAlias = (
    CompleteStage
    | ScheduleSurvey
    | ReportSurvey
    | SkipSurvey
    | AssessFee
    | SignPermit
    | HandOver
    | ReturnPermit
)
