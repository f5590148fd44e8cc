"""Why a permit's decider says no.

::

    NotAllowed
    ├── OtherOffice              an officer of another office
    ├── OtherRole                the stage belongs to another role
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
    ├── FeeAlreadyAssessed       with other measures
    ├── NotWaitingForPayment     a payment for a permit that waits for none
    ├── UnknownStall             nobody asked for this explanation
    └── StallAlreadyExplained    with other words
    InvalidInput
    ├── SurveyInThePast
    └── BadMeasure               missing, unknown or out of bounds
"""

from __future__ import annotations

from typing import ClassVar

from shared.errors import InvalidInput, NotAllowed, Refused


class OtherOffice(NotAllowed):
    """An officer of another office."""

    code: ClassVar[str] = "other-office"
    text: ClassVar[str] = "This permit belongs to another office."


class OtherRole(NotAllowed):
    """The stage belongs to another role."""

    code: ClassVar[str] = "other-role"
    text: ClassVar[str] = "This step belongs to an officer with another role."


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


class FeeAlreadyAssessed(Refused):
    """The fee was assessed with other measures."""

    code: ClassVar[str] = "fee-already-assessed"
    text: ClassVar[str] = "The fee was already assessed, with other measures."


class NotWaitingForPayment(Refused):
    """A payment came for a permit that waits for none."""

    code: ClassVar[str] = "not-waiting-for-payment"
    text: ClassVar[str] = "This permit does not wait for a payment."


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
