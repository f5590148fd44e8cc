"""What programs send to intake, and how it is checked against the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header
from fastapi.exceptions import RequestValidationError
from pydantic import Field, StringConstraints, ValidationError

from services.intake.answers import ApplicantData, Line, PermitNumber, Strict, read_answers
from services.intake.catalogue import ONLINE, IntakeSection, Offer, PublicCatalogue
from services.intake.submission import Named
from shared.errors import NotFound
from shared.offices import Office
from shared.service import Now
from shared.text import CleanParagraph
from shared.web.i18n import msg

MAX_DOCUMENTS = 20
_CHOOSE = msg("Choose one of the options.")

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$"),
]
Word = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z0-9-]*$")]
Version = Annotated[int | None, Field(ge=1)]


class NamedDocument(Strict):
    """An uploaded document, for one requirement. Its name's ending must fit its content."""

    requirement: Word
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]

    def named(self) -> Named:
        """Return it as the desk takes it."""
        return Named(requirement=self.requirement, sha256=self.sha256, name=self.name)


Documents = Annotated[list[NamedDocument], Field(max_length=MAX_DOCUMENTS)]
Answers = dict[str, Any]


class NewApplication(Strict):
    """An application. ``answers`` are checked against the permit type's form.

    ``renews`` is the number of a permit whose place this one is to take, or empty.
    """

    office: Word
    permit_type: Word
    channel: Word = ONLINE
    renews: PermitNumber = ""
    applicant: ApplicantData
    answers: Answers = Field(default_factory=dict)
    documents: Documents = Field(default_factory=list)


class Missing(Strict):
    """Why one requirement is not met."""

    requirement: Word
    reason: Line


class ReturnRequest(Strict):
    """What is missing; ``version`` is the one the officer looked at."""

    shortcomings: Annotated[list[Missing], Field(max_length=MAX_DOCUMENTS)] = Field(
        default_factory=list
    )
    note: CleanParagraph = ""
    version: Version = None


class RegisterRequest(Strict):
    """Nothing is missing."""

    version: Version = None


class Proof(Strict):
    """The applicant's proof: the registration number and the secret code."""

    number: Annotated[str, StringConstraints(max_length=40)]
    code: Annotated[str, StringConstraints(max_length=60)]


class CorrectRequest(Proof):
    """Everything again as it now stands."""

    answers: Answers = Field(default_factory=dict)
    documents: Documents = Field(default_factory=list)


class WithdrawRequest(Proof):
    """Why the applicant takes it back, if they want to say."""

    reason: CleanParagraph = ""


def choose(
    catalogue: PublicCatalogue, office: str, permit_type: str, now: Now
) -> tuple[Office, Offer]:
    """Return the office and what it offers. Raises RequestValidationError naming the field."""
    try:
        offer = catalogue.offer(permit_type, now())
    except NotFound:
        raise invalid("permit_type", _CHOOSE) from None
    found = offer.office(office)
    if found is None:
        raise invalid("office", _CHOOSE)
    return found, offer


def checked_answers(section: IntakeSection, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the checked answers. Raises RequestValidationError naming each wrong one."""
    try:
        return read_answers(section, given)
    except ValidationError as error:
        raise RequestValidationError(
            [{**item, "loc": ("body", "answers", *item["loc"])} for item in error.errors()]
        ) from None


def invalid(field: str, msgid: str) -> RequestValidationError:
    """Return the error for one field of a request's body."""
    return RequestValidationError(
        [{"loc": ("body", field), "type": "jejak", "msg": msgid, "ctx": {"msgid": msgid}}]
    )
