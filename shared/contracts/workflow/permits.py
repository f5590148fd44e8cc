"""A registered permit from its first stage to hand-over.

Stream: ``permit-{application_id}``. Class names are the storage format; see ``registry.event``
before touching anything here. Instants in fields are ISO 8601 with offset.
"""

from __future__ import annotations

from shared.contracts.registry import event
from shared.privacy import Personal


@event("PermitOpened")
class PermitOpened:
    """A complete application entered the office's procedure (SOP) at the named version."""

    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    planned_end: str = ""


@event("StageStarted")
class StageStarted:
    """A stage began; ``role`` may work on it, ``assignee`` is an account name or empty."""

    application_id: str
    stage: str
    role: str
    assignee: str = ""


@event("StageCompleted")
class StageCompleted:
    """A stage ended with a result in the office's own word and an optional note."""

    application_id: str
    stage: str
    outcome: str = "done"
    note: str = ""


@event("SurveyScheduled")
class SurveyScheduled:
    """A survey was set for ``on`` (a date, ISO 8601)."""

    application_id: str
    stage: str
    on: str


@event("SurveyReported")
class SurveyReported:
    """The surveyors reported; ``recommended`` says whether the permit may go on."""

    application_id: str
    stage: str
    report: str
    recommended: bool


@event("SurveySkipped")
class SurveySkipped:
    """An optional survey was found unnecessary, for a stated reason."""

    application_id: str
    stage: str
    reason: str


@event("StageReassigned")
class StageReassigned:
    """Another officer works on the stage; ``assignee`` and ``previous`` are account names."""

    application_id: str
    stage: str
    assignee: str
    previous: str = ""
    reason: str = ""


@event("RecommendationGiven")
class RecommendationGiven:
    """A technical agency (OPD) said whether the permit may go on.

    ``on_behalf``: the agency is not ready for online work, so an officer entered its letter.
    ``letter`` is the number of that letter, or empty.
    """

    application_id: str
    stage: str
    agency: str
    recommended: bool
    note: str
    on_behalf: bool = False
    letter: str = ""


@event("OriginalMatched")
class OriginalMatched:
    """The original of one requirement was held against its scan, and they agree.

    ``sha256`` is the scan's (lower-case hex): another scan has to be matched again.
    """

    application_id: str
    stage: str
    requirement: str
    sha256: str


@event("OriginalMismatched")
class OriginalMismatched:
    """The original of one requirement differs from its scan (``sha256``), or was not brought."""

    application_id: str
    stage: str
    requirement: str
    sha256: str
    reason: str


@event("FeeAssessed")
class FeeAssessed:
    """The measures that the tariff needs were established. Payment computes the amount.

    ``measures`` maps the tariff's measure names to whole numbers (for example ``area_m2``).
    """

    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    measures: dict[str, int]


@event("FeeSettled")
class FeeSettled:
    """The bill of this permit is paid; the clock runs again. ``amount`` in rupiah."""

    application_id: str
    bill_id: str
    amount: int
    paid_at: str


@event("FeeUnsettled")
class FeeUnsettled:
    """A payment was reversed: the permit is blocked again until it is paid."""

    application_id: str
    bill_id: str


@event("PermitReturned")
class PermitReturned:
    """An officer asked the applicant for a correction; the clock is paused."""

    application_id: str
    stage: str
    reason: str


@event("PermitResumed")
class PermitResumed:
    """The applicant's correction arrived; the clock runs again at the same stage."""

    application_id: str
    stage: str


@event("PermitIssued", version=2)
class PermitIssued:
    """The permit was signed. ``document_number`` is the decree's number.

    ``valid_until`` is its last day (ISO 8601), or empty when it holds without an end.
    ``collected``: it is handed over at the counter; else the applicant downloads it.
    """

    application_id: str
    number: str
    document_number: str
    valid_until: str = ""
    collected: bool = True


@event("PermitRejected")
class PermitRejected:
    """The office said no, with the reason and how to object."""

    application_id: str
    reason: str


@event("PermitHandedOver")
class PermitHandedOver:
    """The permit was handed to ``receiver``; the file is closed."""

    application_id: str
    receiver: Personal
    proof: str = ""


@event("PermitWithdrawn")
class PermitWithdrawn:
    """The applicant took the application back; nothing further happens to it."""

    application_id: str


@event("PermitClosed")
class PermitClosed:
    """A foreign log says that the file ended, without saying how."""

    application_id: str


@event("PermitOpeningRejected")
class PermitOpeningRejected:
    """A registered application could not enter the procedure; people must look."""

    application_id: str
    reason: str


@event("FeeSettlementRejected")
class FeeSettlementRejected:
    """A payment came for a permit that does not wait for one; people must look."""

    application_id: str
    bill_id: str
    reason: str


@event("PermitWithdrawalRejected")
class PermitWithdrawalRejected:
    """An application was taken back after the office had decided; people must look."""

    application_id: str
    reason: str
