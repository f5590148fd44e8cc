"""Why a permit's decider says no.

::

    NotAllowed
    ├── OtherOffice              an officer of another office
    ├── OtherRole                the stage belongs to another role
    ├── OtherAgency              the recommendation is another agency's
    ├── AgencyReady              the agency works online, nobody speaks on its behalf
    ├── OtherOfficer             the stage was given to a colleague
    ├── OnlyTheApplicant         nobody else complains
    └── NotForPeople             only the system itself does this
    Refused
    ├── PermitNotOpened          the application is not registered yet
    ├── PermitAlreadyIssued      the office has decided
    ├── PermitAlreadyClosed      nothing more happens to this file
    ├── OtherStage               the permit is at another stage
    ├── StageAlreadyCompleted    it was completed before, with something else
    ├── WaitingForApplicant      a correction was asked for
    ├── WaitingForPayment        the bill is not paid
    ├── SurveyRequired           the procedure does not allow to skip it
    ├── SurveyNotScheduled       a report needs a date first
    ├── NoSuchScan               the applicant uploaded nothing for this requirement
    ├── OriginalsNotMatched      some were not held against their scans yet
    ├── UnsuitableOfficer        not of this office, or without the stage's role
    ├── FeeAlreadyAssessed       with other measures
    ├── NotWaitingForPayment     a payment for a permit that waits for none
    ├── LetterNotReady           not signed, or handed over at the counter first
    ├── UnknownStall             nobody asked for this explanation
    └── StallAlreadyExplained    with other words
    NotFound
    └── LetterNotGenuine         a code that is on no letter of ours
    InvalidInput
    ├── SurveyInThePast
    ├── BadMeasure               missing, unknown or out of bounds
    └── LetterNeeded             who speaks on an agency's behalf names its letter

Those of complaints, revocation and renewal are in ``afterwards``.
"""

from __future__ import annotations

from typing import ClassVar

from shared.errors import InvalidInput, NotAllowed, NotFound, Refused


class OtherOffice(NotAllowed):
    """An officer of another office."""

    code: ClassVar[str] = "other-office"
    text: ClassVar[str] = "This permit belongs to another office."


class OtherRole(NotAllowed):
    """The stage belongs to another role."""

    code: ClassVar[str] = "other-role"
    text: ClassVar[str] = "This step belongs to an officer with another role."


class OtherAgency(NotAllowed):
    """The recommendation is another agency's."""

    code: ClassVar[str] = "other-agency"
    text: ClassVar[str] = "This recommendation belongs to another agency."


class AgencyReady(NotAllowed):
    """The agency works online: nobody enters its recommendation on its behalf."""

    code: ClassVar[str] = "agency-ready"
    text: ClassVar[str] = "This agency works online: its own officer gives the recommendation."


class OtherOfficer(NotAllowed):
    """The stage was given to a colleague."""

    code: ClassVar[str] = "other-officer"
    text: ClassVar[str] = "This step was given to another officer. The supervisor can change that."


class OnlyTheApplicant(NotAllowed):
    """Nobody else complains."""

    code: ClassVar[str] = "only-the-applicant"
    text: ClassVar[str] = "Only the applicant can do this, with the number and code on the receipt."


class NotForPeople(NotAllowed):
    """Only the system itself does this."""

    code: ClassVar[str] = "not-for-people"
    text: ClassVar[str] = "The system does this by itself."


class PermitNotOpened(Refused):
    """The application is not registered yet."""

    code: ClassVar[str] = "permit-not-opened"
    text: ClassVar[str] = (
        "This application is not registered yet. The counter has to do that first."
    )


class PermitAlreadyIssued(Refused):
    """The permit was signed."""

    code: ClassVar[str] = "permit-already-issued"
    text: ClassVar[str] = "This permit is already issued."


class PermitAlreadyClosed(Refused):
    """The file is closed."""

    code: ClassVar[str] = "permit-already-closed"
    text: ClassVar[str] = "This file is closed. Nothing more can be done with it."


class OtherStage(Refused):
    """The permit is at another stage."""

    code: ClassVar[str] = "other-stage"
    text: ClassVar[str] = "The permit is not at this step."


class StageAlreadyCompleted(Refused):
    """The stage was completed before, with another result."""

    code: ClassVar[str] = "stage-already-completed"
    text: ClassVar[str] = "This step was already completed, with another result."


class WaitingForApplicant(Refused):
    """A correction was asked for and has not come."""

    code: ClassVar[str] = "waiting-for-applicant"
    text: ClassVar[str] = "The permit waits for the applicant's correction."


class WaitingForPayment(Refused):
    """The bill is not paid."""

    code: ClassVar[str] = "waiting-for-payment"
    text: ClassVar[str] = (
        "The permit waits for the payment. It goes on by itself once that arrives."
    )


class SurveyRequired(Refused):
    """The procedure does not allow to skip the survey."""

    code: ClassVar[str] = "survey-required"
    text: ClassVar[str] = "This kind of permit can't be granted without a survey."


class SurveyNotScheduled(Refused):
    """There is no date for the survey that is reported."""

    code: ClassVar[str] = "survey-not-scheduled"
    text: ClassVar[str] = "Set the date of the survey first, so that the applicant knows of it."


class NoSuchScan(Refused):
    """The applicant uploaded nothing for the requirement."""

    code: ClassVar[str] = "no-such-scan"
    text: ClassVar[str] = "The applicant uploaded no document for this requirement."


class OriginalsNotMatched(Refused):
    """Some originals were not held against their scans yet. ``n`` is how many."""

    code: ClassVar[str] = "originals-not-matched"
    text: ClassVar[str] = "Originals that are not matched with their scans yet: {n}."


class UnsuitableOfficer(Refused):
    """Not an officer of this office with the stage's role."""

    code: ClassVar[str] = "unsuitable-officer"
    text: ClassVar[str] = "Choose an officer of this office who has the role of this step."


class FeeAlreadyAssessed(Refused):
    """The fee was assessed with other measures."""

    code: ClassVar[str] = "fee-already-assessed"
    text: ClassVar[str] = "The fee was already assessed, with other measures."


class NotWaitingForPayment(Refused):
    """A payment came for a permit that waits for none."""

    code: ClassVar[str] = "not-waiting-for-payment"
    text: ClassVar[str] = "This permit does not wait for a payment."


class LetterNotReady(Refused):
    """The permit is not signed yet, or its letter is handed over at the counter first."""

    code: ClassVar[str] = "letter-not-ready"
    text: ClassVar[str] = "There is no letter to download yet. The trail says what is waited for."


class LetterNotGenuine(NotFound):
    """The code is none that we put on a letter."""

    code: ClassVar[str] = "letter-not-genuine"
    text: ClassVar[str] = (
        "No letter of ours carries this code. The letter may be forged: ask the office that it "
        "names."
    )


class UnknownStall(Refused):
    """Nobody asked for this explanation."""

    code: ClassVar[str] = "unknown-stall"
    text: ClassVar[str] = "No explanation was asked for under this reference."


class StallAlreadyExplained(Refused):
    """The stall was explained with other words."""

    code: ClassVar[str] = "stall-already-explained"
    text: ClassVar[str] = "This delay was already explained."


class SurveyInThePast(InvalidInput):
    """A survey can't be set for a day that is over."""

    code: ClassVar[str] = "survey-in-the-past"
    text: ClassVar[str] = "Choose today or a later day for the survey."


class BadMeasure(InvalidInput):
    """A measure is missing, unknown, or out of the bounds of the procedure."""

    code: ClassVar[str] = "bad-measure"
    text: ClassVar[str] = "Enter every measure as a whole number within its limits."


class LetterNeeded(InvalidInput):
    """Who speaks on an agency's behalf names its letter."""

    code: ClassVar[str] = "letter-needed"
    text: ClassVar[str] = "Enter the number of the agency's letter."
