"""The applicant's form: what was typed, and documents that stay when something else is wrong.

Field names: ``name nik phone email address office channel renews key``, ``answer-{question}``,
``document-{requirement}`` for files and ``kept-{requirement}`` for documents that are already here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from fastapi import Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from pydantic import Field, StringConstraints, TypeAdapter, create_model
from starlette.datastructures import FormData, UploadFile

from services.intake.answers import ApplicantData, Email, Line, PermitNumber, Strict, answer_type
from services.intake.catalogue import IntakeSection
from services.intake.inspection import check_extension
from services.intake.requests import Word
from services.intake.submission import Named
from services.intake.uploads import Uploads, clean_name
from shared.contracts.intake import Applicant, Document
from shared.errors import InvalidInput
from shared.ids import new_id
from shared.phone import PhoneNumber
from shared.text import CleanParagraph, Nik
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import msg

_ATTACH = msg("Attach this document.")
_READ_BYTES = 256 * 1024
_KEPT_SECONDS = 24 * 3600
FormKey = Annotated[str, StringConstraints(max_length=200, pattern=r"^[!-~]+$")]


class ApplyFields(Strict):
    """Who applies, where, and the form's own idempotency key."""

    name: Line
    nik: Nik
    phone: PhoneNumber
    email: Email = ""
    address: CleanParagraph = ""
    office: Word
    channel: Word = "online"
    renews: PermitNumber = ""
    # The e-mail that an officer enters the application from.
    mail: Annotated[str, StringConstraints(pattern=r"^([0-9a-f-]{36})?$")] = ""
    key: FormKey

    def applicant(self, language: str) -> Applicant:
        """Return who applies; news is sent in ``language``."""
        shown = self.model_dump(include={"name", "nik", "phone", "email", "address"})
        return Applicant(**ApplicantData(**shown, language=language).model_dump())


class CorrectFields(Strict):
    """The version that the applicant looked at, and the form's key."""

    version: Annotated[int, Field(ge=1)]
    key: FormKey


@cache
def form_adapter(base: type[Strict], section: IntakeSection) -> TypeAdapter[Any]:
    """Return what validates a form with the section's questions and kept documents."""
    fields: dict[str, Any] = {}
    for place, question in enumerate(section.fields):
        kind, default = answer_type(question), ... if question.required else None
        fields[f"answer_{place}"] = (kind, Field(alias=f"answer-{question.id}", default=default))
    for place, item in enumerate(section.requirements):
        fields[f"kept_{place}"] = (str, Field(alias=f"kept-{item.id}", default=""))
    return TypeAdapter(create_model("Form", __base__=base, **fields))


@dataclass(frozen=True, slots=True)
class Kept:
    """A document that is already here, as the form carries it on."""

    token: str
    named: Named


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it was sent. ``fields`` is None when something is wrong; ``form`` says what."""

    form: Form
    fields: Any
    answers: Mapping[str, str]
    kept: Mapping[str, Kept]

    @property
    def named(self) -> list[Named]:
        """The documents that the form hands in."""
        return [kept.named for kept in self.kept.values()]


class FormReader:
    """Reads the applicant's forms and takes their documents in."""

    def __init__(self, uploads: Uploads, secret: str) -> None:
        """``secret`` signs what a form carries on, so that nobody can name another's document."""
        self._uploads = uploads
        self._signer = URLSafeTimedSerializer(secret, salt="jejak.kept")

    def keep(self, named: Named) -> Kept:
        """Return a document as a form carries it on."""
        token = str(self._signer.dumps([named.requirement, named.sha256, named.name]))
        return Kept(token, named)

    def keep_all(self, documents: Sequence[Document]) -> dict[str, Kept]:
        """Return an application's documents as a form carries them on."""
        return {
            document.requirement: self.keep(
                Named(
                    requirement=document.requirement,
                    sha256=document.sha256,
                    name=document.name,
                )
            )
            for document in documents
        }

    async def read(
        self,
        request: Request,
        base: type[Strict],
        section: IntakeSection,
        attached: Sequence[str] | None = None,
    ) -> Draft:
        """Return what was sent. ``attached`` names the documents that must be there, if not all."""
        data = await read_form(request)
        parsed = parse_form(form_adapter(base, section), data)
        form, kept = parsed.form, {}
        for item in section.requirements:
            try:
                found = await self._document(data, item.id)
            except InvalidInput as error:
                form = form.with_error(f"document-{item.id}", error.message(), **error.params)
                continue
            if found is not None:
                kept[item.id] = found
            elif item.id in (section.required if attached is None else attached):
                form = form.with_error(f"document-{item.id}", _ATTACH)
        fields = None if form.errors else parsed.value
        return Draft(form, fields, _answers(section, fields), kept)

    async def _document(self, data: FormData, requirement: str) -> Kept | None:
        sent = data.get(f"document-{requirement}")
        if isinstance(sent, UploadFile) and sent.filename:
            stored = await self._uploads.keep(_chunks(sent))
            name = clean_name(sent.filename)
            check_extension(name, stored.media_type)
            return self.keep(Named(requirement=requirement, sha256=stored.sha256, name=name))
        return self._carried(str(data.get(f"kept-{requirement}") or ""), requirement)

    def _carried(self, token: str, requirement: str) -> Kept | None:
        try:
            carried, sha256, name = self._signer.loads(token, max_age=_KEPT_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return None
        if carried != requirement:
            return None
        return Kept(token, Named(requirement=requirement, sha256=sha256, name=name))


def empty_form(**values: str) -> Form:
    """Return a form nobody typed into yet, with a key of its own."""
    return Form({"key": new_id(), "mail": "", **values})


def with_new_key(form: Form) -> Form:
    """Return ``form`` as a new request: sending it again is another application."""
    return Form({**form.values, "key": new_id()}, form.errors)


async def _chunks(sent: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await sent.read(_READ_BYTES):
        yield chunk


def _answers(section: IntakeSection, fields: Any) -> dict[str, str]:
    if fields is None:
        return {}
    return {
        question.id: str(value)
        for place, question in enumerate(section.fields)
        if (value := getattr(fields, f"answer_{place}")) is not None
    }
