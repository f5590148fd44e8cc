"""The applicant comes back: what is missing and why, sending it again, or taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints

from services.intake.answers import Strict
from services.intake.desk import Ask, Desk
from services.intake.door import Door, Visit
from services.intake.forms import CorrectFields, FormReader, Kept
from services.intake.pages import Front, labels
from services.intake.refusals import StillTheSame
from services.intake.states import Held, Returned, held
from shared.contracts.intake import Shortcoming
from shared.errors import NotFound
from shared.ids import new_id
from shared.text import CleanParagraph
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import msg
from shared.web.pages import language, translator

_NO_MATCH = msg("The number and the code do not belong together. Check both.")
_REPLACE = msg("Attach a new document: this one was returned before.")
_SENT = msg("Your correction was sent. The office checks it again.")
_TAKEN_BACK = msg("Your application is withdrawn now.")
_STATE_WORDS = {
    "submitted": msg("The office checks whether everything is there. There is nothing to correct."),
    "returned": msg("The office needs something from you before it can go on."),
    "registered": msg("Your application is complete and being worked on. Nothing to correct."),
    "withdrawn": msg("You withdrew this application."),
}
_PAGE = "/perbaiki/isi"


class Proof(Strict):
    """Number and code, as typed."""

    number: Annotated[str, StringConstraints(max_length=40)]
    code: Annotated[str, StringConstraints(max_length=60)]


class Reason(Strict):
    """Why the application is taken back; may stay empty."""

    reason: CleanParagraph = ""


@dataclass(frozen=True)
class Comeback:
    """What the correction pages are drawn from."""

    front: Front
    desk: Desk
    door: Door
    reader: FormReader
    visit: Visit

    async def visited(self, request: Request) -> tuple[str, Held, int] | None:
        """Return (id, state, version) of the application this browser came to see.

        None when it has not shown number and code, or too long ago.
        """
        application_id = self.visit.application(request)
        if application_id is None:
            return None
        loaded = await self.desk.load(application_id)
        return application_id, held(loaded.state), loaded.version

    def kept(self, state: Held) -> dict[str, Kept]:
        """Return the documents that need not be sent again."""
        returned = {item.requirement for item in _shortcomings(state)}
        return {
            requirement: kept
            for requirement, kept in self.reader.keep_all(state.file.documents).items()
            if requirement not in returned
        }

    def draw(
        self, request: Request, state: Held, form: Form, kept: Mapping[str, Kept], status: int
    ) -> Response:
        """Return the page with what is missing, and the form to send it again."""
        lang, submission = language(request), state.file.submission
        kind = (submission.permit_type, submission.permit_version)
        section = self.front.catalogue.section(*kind)
        return self.front.pages.render(
            request,
            "intake/correct.html",
            status_code=status,
            number=submission.number,
            permit=self.front.catalogue.name(*kind, lang),
            state=state.status,
            sentence=translator(request).t(_STATE_WORDS[state.status]),
            why={item.requirement: item.reason for item in _shortcomings(state)},
            note=state.note if isinstance(state, Returned) else "",
            section=section,
            form=form,
            kept=kept,
            labels=labels(section, translator(request)),
            track=self.front.track_link(submission.number),
        )


def _shortcomings(state: Held) -> tuple[Shortcoming, ...]:
    return state.shortcomings if isinstance(state, Returned) else ()


def door_pages(comeback: Comeback) -> APIRouter:
    """Return the page that asks for number and code."""
    router, pages = APIRouter(include_in_schema=False), comeback.front.pages

    @router.get("/perbaiki")
    async def ask(request: Request) -> Response:
        form = Form({"number": request.query_params.get("number", "")[:40]})
        return pages.render(request, "intake/comeback.html", form=form)

    @router.post("/perbaiki")
    async def enter(request: Request) -> Response:
        parsed = parse_form(Proof, await read_form(request))
        form = parsed.form
        if parsed.value is not None:
            proof = parsed.value
            try:
                application_id = await comeback.door.open(proof.number, proof.code, request)
            except NotFound:
                form = form.with_error("code", _NO_MATCH)
            else:
                answer = pages.redirect(request, _PAGE)
                comeback.visit.begin(answer, application_id)
                return answer
        return pages.render(request, "intake/comeback.html", status_code=422, form=form)

    return router


def correction_pages(comeback: Comeback) -> APIRouter:
    """Return the pages behind that door: correct and withdraw."""
    router, pages = APIRouter(include_in_schema=False), comeback.front.pages

    @router.get(_PAGE)
    async def show(request: Request) -> Response:
        visited = await comeback.visited(request)
        if visited is None:
            return pages.redirect(request, "/perbaiki")
        _, state, version = visited
        form = _prefilled(state, version)
        return comeback.draw(request, state, form, comeback.kept(state), 200)

    @router.post(_PAGE)
    async def send(request: Request) -> Response:
        visited = await comeback.visited(request)
        if visited is None:
            return pages.redirect(request, "/perbaiki")
        return await _send(comeback, request, visited[0], visited[1])

    @router.post("/perbaiki/tarik")
    async def withdraw(request: Request) -> Response:
        visited = await comeback.visited(request)
        if visited is None:
            return pages.redirect(request, "/perbaiki")
        application_id, state, version = visited
        parsed = parse_form(Reason, await read_form(request))
        if parsed.value is None:
            typed = {**_prefilled(state, version).values, **parsed.form.values}
            form = Form(typed, parsed.form.errors)
            return comeback.draw(request, state, form, comeback.kept(state), 422)
        await comeback.desk.withdraw(application_id, parsed.value.reason, Ask())
        return pages.redirect(request, _PAGE, flash=_TAKEN_BACK)

    return router


async def _send(comeback: Comeback, request: Request, application_id: str, state: Held) -> Response:
    section = await comeback.desk.section(application_id)
    draft = await comeback.reader.read(request, CorrectFields, section)
    form = draft.form
    if not form.errors:
        fields: CorrectFields = draft.fields
        documents = await comeback.front.submissions.documents(section, draft.named)
        ask = Ask(fields.key, fields.version)
        try:
            await comeback.desk.correct(application_id, draft.answers, documents, ask)
        except StillTheSame:
            for item in _shortcomings(state):
                form = form.with_error(f"document-{item.requirement}", _REPLACE)
        else:
            return comeback.front.pages.redirect(request, _PAGE, flash=_SENT)
    return comeback.draw(request, state, form, draft.kept, 422)


def _prefilled(state: Held, version: int) -> Form:
    answers = {f"answer-{question}": text for question, text in state.file.answers.items()}
    return Form({**answers, "key": new_id(), "version": str(version)})
