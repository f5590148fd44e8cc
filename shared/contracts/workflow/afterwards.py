"""What happens around and after the decision: complaints, expiry, renewal, revocation.

Stream: ``permit-{application_id}``. Days are ISO 8601 dates, instants carry their offset.
"""

from __future__ import annotations

from shared.contracts.registry import event
from shared.privacy import Personal


@event("ComplaintFiled")
class ComplaintFiled:
    """The applicant complained about the service; the office answers until ``answer_by``."""

    application_id: str
    office: str
    complaint_id: str
    text: Personal
    answer_by: str


@event("ComplaintOverdue")
class ComplaintOverdue:
    """The office did not answer a complaint in time."""

    application_id: str
    office: str
    complaint_id: str


@event("ComplaintAnswered")
class ComplaintAnswered:
    """The office answered a complaint; the applicant reads the answer."""

    application_id: str
    complaint_id: str
    answer: str


@event("RevocationAnnounced")
class RevocationAnnounced:
    """The office will take an issued permit back on ``effective_on``, unless it is lifted."""

    application_id: str
    office: str
    reason: str
    effective_on: str


@event("RevocationLifted")
class RevocationLifted:
    """The announced revocation does not happen."""

    application_id: str
    reason: str


@event("PermitRevoked")
class PermitRevoked:
    """The issued permit was taken back; it holds no longer."""

    application_id: str
    office: str
    reason: str


@event("PermitExpiryNoticed")
class PermitExpiryNoticed:
    """The permit ends soon. ``days`` is the notice's place on the ladder (60, 30, 7 ..)."""

    application_id: str
    office: str
    number: str
    valid_until: str
    days: int


@event("PermitExpired")
class PermitExpired:
    """The permit's last day is over."""

    application_id: str
    office: str
    number: str
    valid_until: str


@event("PermitRenewed")
class PermitRenewed:
    """A new permit takes this one's place. ``renewed_by`` is the new application's number."""

    application_id: str
    renewed_by: str


@event("PermitRenewalRejected")
class PermitRenewalRejected:
    """This new permit took no other's place, though ``renews`` named one; people must look.

    It is a fact of the new permit's stream. ``reason`` is a code.
    """

    application_id: str
    renews: str
    reason: str
