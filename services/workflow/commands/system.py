"""What the system asks of itself: reactions to other services, and the clock."""

from __future__ import annotations

from dataclasses import dataclass

from services.workflow.commands.base import Asked
from services.workflow.sop import Sop
from shared.calendar import WorkCalendar
from shared.offices import Ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPermit(Asked):
    """Let a registered application enter the procedure; ``now`` is the instant of registration."""

    sop: Sop
    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    planned_end: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePermit(Asked):
    """The applicant's correction came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPermit(Asked):
    """The applicant took the application back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleFee(Asked):
    """The bill is paid. ``amount`` in rupiah, ``paid_at`` the bank's own instant (ISO 8601)."""

    sop: Sop
    bill_id: str
    amount: int
    paid_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettleFee(Asked):
    """The payment was reversed."""

    bill_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgePermit(Asked):
    """Look what the clock calls for at ``now``: a warning, a question, an escalation, an end.

    A timer only nudges: the decider reads the clock itself. ``ladder`` is the office's own.
    """

    sop: Sop
    calendar: WorkCalendar
    ladder: Ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewPermit(Asked):
    """A new permit takes this one's place; ``renewed_by`` is the new application's number."""

    renewed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectOpening(Asked):
    """Note that a registered application could not enter the procedure, and why (a code)."""

    application_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectSettlement(Asked):
    """Note that a payment came for a permit that does not wait for one, and why (a code)."""

    application_id: str
    bill_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectWithdrawal(Asked):
    """Note that an application was taken back too late, and why (a code)."""

    application_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectStallReply(Asked):
    """Note that an officer's message explains no stall, and why (a code)."""

    application_id: str
    stall_id: str
    reply_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectRenewal(Asked):
    """Note that this new permit took no other's place, and why (a code)."""

    application_id: str
    renews: str
    reason: str
