"""From a mail to an application: its attachments become what a permit type asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from services.intake.answers import Strict
from services.intake.catalogue import IntakeSection
from services.intake.desk import Ask, Desk
from services.intake.forms import FormKey
from services.intake.mail.letter import Letter
from services.intake.mail.opening import named
from services.intake.mail.pages import MAIL_PATH, Counter, MailDesk, MailId
from services.intake.refusals import NothingToCorrect, OtherOffice
from services.intake.states import Held, Returned, held
from services.intake.submission import Named, Submissions
from shared.errors import InvalidInput, JejakError, NotFound
from shared.identity import Account
from shared.ids import new_id
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import msg
from shared.web.pages import translator

_UNKNOWN = msg("No application of this office has this number.")
_NOT_RETURNED = msg("This application was not returned, so nothing can be added to it.")
_CHOOSE_ONE = msg("Choose at least one document of the e-mail.")
_ADDED = msg("{number} has the documents of the e-mail now. Check it again.")


class Number(Strict):
    """The registration number of an application that was returned."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class SortFields(Strict):
    """What the officer looked at when the documents were put in order."""

    number: Annotated[str, StringConstraints(max_length=40)]
    version: Annotated[int, Field(ge=1)]
    key: FormKey


@dataclass(frozen=True)
class Sorting:
    """What the pages are drawn from."""

    mail: MailDesk
    desk: Desk
    submissions: Submissions

    async def returned(self, number: str, account: Account) -> tuple[str, Returned, int]:
        """Return (id, state, version) of an application that waits for a correction.

        Raises NotFound, OtherOffice, NothingToCorrect.
        """
        row = await self.mail.applications.by_number(number.strip().upper())
        if row is None:
            raise NotFound
        loaded = await self.desk.load(row.application_id)
        state: Held = held(loaded.state)
        if state.file.office != account.office:
            raise OtherOffice
        if not isinstance(state, Returned):
            raise NothingToCorrect
        return row.application_id, state, loaded.version

    def draw(
        self,
        request: Request,
        letter: Letter,
        section: IntakeSection,
        form: Form,
        status: int = 200,
        **more: Any,
    ) -> Response:
        """Return the page on which documents are put in order."""
        tr = translator(request)
        return self.mail.pages.render(
            request,
            "intake/mail_sort.html",
            status_code=status,
            id=letter.mail.mail_id,
            section=section,
            documents=[(one.sha256, one.name) for one in letter.mail.documents],
            labels={f"doc-{item.id}": item.name.of(tr.lang) for item in section.requirements},
            form=form,
            **more,
        )


def sorting_pages(sorting: Sorting) -> APIRouter:
    """Return the page that puts a mail's documents in order for a new application."""
    router, mail = APIRouter(include_in_schema=False), sorting.mail

    @router.get(MAIL_PATH + "/{mail_id}/izin")
    async def sort(
        request: Request, mail_id: MailId, account: Counter, permit: str = ""
    ) -> Response:
        letter = await mail.room.open(mail_id, account.office)
        offer = mail.catalogue.offer(permit, mail.now())
        if offer.office(account.office) is None:
            raise NotFound
        name = offer.kind.name.of(translator(request).lang)
        return sorting.draw(
            request,
            letter,
            offer.section,
            Form(_guessed(letter, offer.section)),
            permit=(offer.kind.id, name),
            office=account.office,
            number="",
            why={},
        )

    return router


def correcting_pages(sorting: Sorting) -> APIRouter:
    """Return the pages that add a mail's documents to an application that was returned."""
    router, mail = APIRouter(include_in_schema=False), sorting.mail

    @router.get(MAIL_PATH + "/{mail_id}/koreksi")
    async def sort(request: Request, mail_id: MailId, account: Counter) -> Response:
        letter = await mail.room.open(mail_id, account.office)
        form = Form({"number": request.query_params.get("number", "")[:40]})
        try:
            _, state, version = await sorting.returned(form.value("number"), account)
        except JejakError as error:
            said = _NOT_RETURNED if isinstance(error, NothingToCorrect) else _UNKNOWN
            form = form.with_error("number", said)
            return await mail.draw(request, letter, account, form, 422)
        typed = {"number": state.file.number, "version": str(version), "key": new_id()}
        return _draw_correction(sorting, request, letter, state, Form(typed))

    @router.post(MAIL_PATH + "/{mail_id}/koreksi")
    async def add(request: Request, mail_id: MailId, account: Counter) -> Response:
        letter = await mail.room.open(mail_id, account.office)
        return await _correct(sorting, request, letter, account)

    return router


async def _correct(
    sorting: Sorting, request: Request, letter: Letter, account: Account
) -> Response:
    data = await read_form(request)
    typed = {name: value for name, value in data.items() if isinstance(value, str)}
    chosen = {name: value for name, value in typed.items() if name.startswith("doc-")}
    rest = {name: value for name, value in typed.items() if name not in chosen}
    parsed = parse_form(SortFields, rest)
    form = Form({**parsed.form.values, **chosen}, parsed.form.errors)
    if parsed.value is None:
        raise InvalidInput
    fields = parsed.value
    application_id, state, _ = await sorting.returned(fields.number, account)
    section = await sorting.desk.section(application_id)
    new = named(letter, chosen, section)
    if not new:
        form = form.with_error(f"doc-{section.requirements[0].id}", _CHOOSE_ONE)
        return _draw_correction(sorting, request, letter, state, form, 422)
    documents = await sorting.submissions.documents(section, _together(state, new))
    ask = Ask(fields.key, fields.version)
    await sorting.desk.correct(application_id, state.file.answers, documents, ask, account.actor)
    await sorting.mail.room.file(letter.mail.mail_id, application_id, account.actor)
    number = state.file.number
    return sorting.mail.pages.redirect(
        request, f"/pendaftaran/{number}", flash=_ADDED, number=number
    )


def _draw_correction(
    sorting: Sorting,
    request: Request,
    letter: Letter,
    state: Returned,
    form: Form,
    status: int = 200,
) -> Response:
    submission = state.file.submission
    kind = (submission.permit_type, submission.permit_version)
    return sorting.draw(
        request,
        letter,
        sorting.mail.catalogue.section(*kind),
        form,
        status,
        permit=("", sorting.mail.catalogue.name(*kind, translator(request).lang)),
        office=state.file.office,
        number=state.file.number,
        why={item.requirement: item.reason for item in state.shortcomings},
    )


def _together(state: Returned, new: Sequence[Named]) -> list[Named]:
    """Return what the application has then: the mail's documents take the place of older ones."""
    replaced = {one.requirement for one in new}
    kept = [
        Named(requirement=one.requirement, sha256=one.sha256, name=one.name)
        for one in state.file.documents
        if one.requirement not in replaced
    ]
    return [*kept, *new]


def _guessed(letter: Letter, section: IntakeSection) -> dict[str, str]:
    """Return a first guess: a document whose name holds the requirement's own word."""
    found: dict[str, str] = {}
    for item in section.requirements:
        for document in letter.mail.documents:
            plain = document.name.lower().replace("_", "-").replace(" ", "-")
            if item.id in plain:
                found.setdefault(f"doc-{item.id}", document.sha256)
    return found
