"""What is decided around and after the decision: complaints, revocation, renewal.

A complaint is timed (UU 25/2009): the office answers within its own number of working days. A
revocation is announced with a day ahead, so that its holder can speak before it takes effect; that
it does is decided by the clock, as is the end of a permit that is not renewed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from services.workflow.commands import (
    AnnounceRevocation,
    AnswerComplaint,
    FileComplaint,
    LaterCommand,
    LiftRevocation,
    RenewPermit,
)
from services.workflow.guards import opened, possible, require_officer, require_role
from services.workflow.refusals import OnlyTheApplicant, PermitAlreadyClosed
from services.workflow.states import Closed, InForce, Issued, Opened, State
from shared.actors import Role
from shared.contracts.workflow import (
    ComplaintAnswered,
    ComplaintFiled,
    PermitRenewed,
    RevocationAnnounced,
    RevocationLifted,
)
from shared.errors import InvalidInput, Refused

# Enough for anyone with a grievance; who floods an office waits for its answers.
MAX_OPEN_COMPLAINTS = 5


class ComplaintAlreadyFiled(Refused):
    """Another complaint came under the same reference."""

    code: ClassVar[str] = "complaint-already-filed"
    text: ClassVar[str] = "A complaint was already filed under this reference, in other words."


class TooManyComplaints(Refused):
    """The office has to answer some first. ``n`` are waiting."""

    code: ClassVar[str] = "too-many-complaints"
    text: ClassVar[str] = "The office has to answer your {n} earlier complaints first."


class UnknownComplaint(Refused):
    """Nobody complained under this reference."""

    code: ClassVar[str] = "unknown-complaint"
    text: ClassVar[str] = "There is no complaint under this reference."


class ComplaintAlreadyAnswered(Refused):
    """The complaint was answered with other words."""

    code: ClassVar[str] = "complaint-already-answered"
    text: ClassVar[str] = "This complaint was already answered."


class NotInForce(Refused):
    """There is no signed permit."""

    code: ClassVar[str] = "not-in-force"
    text: ClassVar[str] = "There is no permit in force."


class OtherPermit(Refused):
    """The permit to be renewed is of another type, or another applicant's."""

    code: ClassVar[str] = "other-permit"
    text: ClassVar[str] = "The permit that was named is of another type, or somebody else's."


class RevocationAlreadyAnnounced(Refused):
    """The revocation was announced with another reason or day."""

    code: ClassVar[str] = "revocation-already-announced"
    text: ClassVar[str] = "A revocation is already announced. Lift it first."


class NoRevocationAnnounced(Refused):
    """There is nothing to lift."""

    code: ClassVar[str] = "no-revocation-announced"
    text: ClassVar[str] = "No revocation of this permit is announced."


class RevocationNotAhead(InvalidInput):
    """A revocation is announced for a day after today."""

    code: ClassVar[str] = "revocation-not-ahead"
    text: ClassVar[str] = "Choose a day after today, so that the holder can speak before it."


def decide_later(command: LaterCommand, state: State) -> Sequence[object]:
    """Return what a complaint or a revocation comes to. Raises the refusals."""
    held = opened(state)
    if isinstance(command, FileComplaint):
        return _file(command, held)
    require_officer(command.by, held)
    allowed = possible(state, command.sop, command.by, command.scans)
    answers = isinstance(command, AnswerComplaint)
    require_role(command.by, (Role.SUPERVISOR if answers else Role.SIGNER,), allowed)
    match command:
        case AnswerComplaint():
            return _answer(command, held, allowed)
        case AnnounceRevocation():
            return _announce(command, held, allowed)
        case LiftRevocation():
            return _lift(command, held, allowed)


def _file(command: FileComplaint, state: Opened) -> Sequence[object]:
    if command.by.kind != "applicant":
        raise OnlyTheApplicant
    about, complaints = state.file.opened, state.file.complaints
    for known in complaints:
        if known.filed.complaint_id == command.complaint_id:
            if known.filed.text == command.text:
                return []
            raise ComplaintAlreadyFiled
    waiting = sum(known.answered is None for known in complaints)
    if waiting >= MAX_OPEN_COMPLAINTS:
        raise TooManyComplaints(n=waiting)
    minutes = command.days * command.calendar.day_minutes
    filed = ComplaintFiled(
        application_id=about.application_id,
        office=about.office,
        complaint_id=command.complaint_id,
        text=command.text,
        answer_by=command.calendar.add(command.now, minutes).isoformat(),
    )
    return [filed]


def _answer(command: AnswerComplaint, state: Opened, allowed: Sequence[str]) -> Sequence[object]:
    known = (c for c in state.file.complaints if c.filed.complaint_id == command.complaint_id)
    complaint = next(known, None)
    if complaint is None:
        raise UnknownComplaint(allowed=allowed)
    answered = ComplaintAnswered(
        application_id=state.file.opened.application_id,
        complaint_id=command.complaint_id,
        answer=command.answer,
    )
    if complaint.answered is None:
        return [answered]
    if complaint.answered == answered:
        return []
    raise ComplaintAlreadyAnswered(allowed=allowed)


def _announce(
    command: AnnounceRevocation, state: Opened, allowed: Sequence[str]
) -> Sequence[object]:
    file = state.file
    announced = RevocationAnnounced(
        application_id=file.opened.application_id,
        office=file.opened.office,
        reason=command.reason,
        effective_on=command.effective_on.isoformat(),
    )
    if file.revocation == announced:
        return []
    _require_in_force(state, allowed)
    if file.revocation is not None:
        raise RevocationAlreadyAnnounced(allowed=allowed)
    if command.effective_on <= command.today:
        raise RevocationNotAhead(allowed=allowed)
    return [announced]


def _lift(command: LiftRevocation, state: Opened, allowed: Sequence[str]) -> Sequence[object]:
    file = state.file
    lifted = RevocationLifted(application_id=file.opened.application_id, reason=command.reason)
    if file.lifted == lifted:
        return []
    _require_in_force(state, allowed)
    if file.revocation is None:
        raise NoRevocationAnnounced(allowed=allowed)
    return [lifted]


def _require_in_force(state: Opened, allowed: Sequence[str]) -> None:
    if isinstance(state, Closed):
        raise PermitAlreadyClosed(allowed=allowed)
    if not isinstance(state, Issued | InForce) or state.file.issued is None:
        raise NotInForce(allowed=allowed)


def renew(command: RenewPermit, state: State) -> Sequence[object]:
    """Return the end of a permit whose place another one takes. Raises NotInForce and others."""
    held = opened(state)
    renewed = PermitRenewed(
        application_id=held.file.opened.application_id, renewed_by=command.renewed_by
    )
    if isinstance(held, Closed) and held.closing == renewed:
        return []
    _require_in_force(held, ())
    return [renewed]
