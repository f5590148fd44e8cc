"""Answers and documents of an application, checked against what its permit type asks for.

The models are made from the catalogue once per permit type and version. Whatever the form does not
ask for is refused by name, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    create_model,
)

from services.intake.catalogue import IntakeSection, Question
from shared.phone import PhoneNumber
from shared.text import CleanParagraph, CleanText, Nik, bad_value

MAX_NUMBER = 1_000_000_000
MAX_LINE = 200
_NUMBER = re.compile(r"[A-Z]{2,5}-\d{4}-\d{6,9}", re.ASCII)
_EMAIL = re.compile(r"[^@\s<>()\[\]\\,;:\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class Strict(BaseModel):
    """A request's model: a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


def _not_blank(value: str) -> str:
    if not value:
        raise bad_value("Fill this in.")
    return value


def _email(value: str) -> str:
    if value and not _EMAIL.fullmatch(value):
        raise bad_value("Enter an e-mail address, such as nama@contoh.id.")
    return value


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise bad_value("Enter a whole number.")
    return value


Line = Annotated[CleanText, StringConstraints(max_length=MAX_LINE), AfterValidator(_not_blank)]
Paragraph = Annotated[CleanParagraph, AfterValidator(_not_blank)]
Email = Annotated[CleanText, StringConstraints(max_length=254), AfterValidator(_email)]
Whole = Annotated[int, BeforeValidator(_no_truth), Field(ge=0, le=MAX_NUMBER)]


def _permit_number(value: str) -> str:
    number = value.strip().upper()
    if number and not _NUMBER.fullmatch(number):
        raise bad_value("Enter the number as on the permit, such as BGR-2026-000123.")
    return number


PermitNumber = Annotated[str, StringConstraints(max_length=40), AfterValidator(_permit_number)]
"""The registration number of a permit that is renewed; may be empty."""


class ApplicantData(Strict):
    """Who applies, as typed. ``language`` is the language in which news is sent."""

    name: Line
    nik: Nik
    phone: PhoneNumber
    email: Email = ""
    address: CleanParagraph = ""
    language: Annotated[str, Field(pattern="^(id|en)$")] = "id"


_KINDS: Mapping[str, Any] = {"text": Line, "long-text": Paragraph, "number": Whole, "date": date}


@cache
def answers_adapter(section: IntakeSection) -> TypeAdapter[Any]:
    """Return what validates the answers that a permit type's form asks for."""
    fields: dict[str, Any] = {}
    for place, question in enumerate(section.fields):
        default = ... if question.required else None
        fields[f"answer_{place}"] = (
            answer_type(question),
            Field(alias=question.id, default=default),
        )
    return TypeAdapter(create_model("Answers", __base__=Strict, **fields))


def answer_type(question: Question) -> Any:
    """Return the type that validates the answer to a question."""
    kind = _KINDS[question.kind]
    return kind if question.required else kind | None


def read_answers(section: IntakeSection, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the answers as text, by question. Raises pydantic's ValidationError."""
    checked = answers_adapter(section).validate_python(dict(given))
    return {
        question.id: str(value)
        for place, question in enumerate(section.fields)
        if (value := getattr(checked, f"answer_{place}")) is not None
    }
