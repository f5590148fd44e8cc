"""The counter's pages: what waits, one application requirement by requirement, its documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse

from services.intake.catalogue import IntakeSection, PublicCatalogue
from services.intake.desk import Ask, Desk
from services.intake.inspection import EXTENSIONS
from services.intake.pages import channel_word
from services.intake.refusals import OtherOffice
from services.intake.states import Held, Returned, Submitted, Withdrawn, held
from services.intake.uploads import Uploads
from services.intake.verdict import judged, shortcomings_of, verdict_adapter
from services.intake.views import Applications
from shared.actors import Role
from shared.contracts.intake import Document
from shared.errors import NotFound
from shared.events import from_micros
from shared.identity import Account
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language, translator
from shared.web.session import require
from shared.web.sse import LiveHub, sse_response

ROWS = 50
STATES: Mapping[str, tuple[str, str]] = {
    "submitted": (msg("To check"), "info"),
    "returned": (msg("With the applicant"), "waiting"),
    "registered": (msg("Complete and registered"), "success"),
    "withdrawn": (msg("Withdrawn by the applicant"), "neutral"),
}
_REGISTERED = msg("{number} is registered. The clock runs from now on.")
_RETURNED = msg("{number} was returned. The applicant is told what is missing.")

_BACK_OFFICE = frozenset(Role) - {Role.ADMIN, Role.TREASURER}
Counter = Annotated[Account, Depends(require(Role.COUNTER))]
Reader = Annotated[Account, Depends(require(*_BACK_OFFICE))]
StatusQuery = Annotated[str, Query(pattern="^(submitted|returned|registered|withdrawn)$")]
PageQuery = Annotated[int, Query(ge=1, le=100_000)]


def queue_key(office: str, status: str) -> str:
    """Return the live key of an office's list of applications in a status."""
    return f"intake.queue:{office}:{status}"


@dataclass(frozen=True)
class CounterDesk:
    """What the counter's pages are drawn from."""

    pages: Pages
    catalogue: PublicCatalogue
    desk: Desk
    applications: Applications
    uploads: Uploads
    hub: LiveHub

    async def queue(self, office: str, status: str, page: int, lang: str) -> dict[str, Any]:
        """Return what the list shows."""
        counts = await self.applications.counts(office)
        rows = await self.applications.queue(office, status, ROWS, (page - 1) * ROWS)
        tr, zone = Translator(lang), ZoneInfo(self.catalogue.office(office).zone)
        return {
            "status": status,
            "tabs": [(name, tr.t(word), counts.get(name, 0)) for name, (word, _) in STATES.items()],
            "rows": [
                {
                    "number": row.number,
                    "permit": self.catalogue.name(row.permit_type, row.permit_version, lang),
                    "since": tr.datetime(from_micros(row.changed_us), zone),
                    "channel": channel_word(row.channel, tr),
                    "documents": tr.number(row.documents),
                    "again": row.corrections > 0,
                }
                for row in rows
            ],
            "page": page,
            "pages": max(1, -(-counts.get(status, 0) // ROWS)),
        }

    async def find(self, number: str, account: Account) -> tuple[str, Held, int]:
        """Return (id, state, version). Raises NotFound, OtherOffice."""
        row = await self.applications.by_number(number)
        if row is None:
            raise NotFound
        loaded = await self.desk.load(row.application_id)
        state = held(loaded.state)
        if state.file.office != account.office:
            raise OtherOffice
        return row.application_id, state, loaded.version

    def _came_to(self, state: Held, lang: str) -> str:
        """Return the name of the office that handed the application over, or nothing."""
        first = state.file.submission.office
        return "" if first == state.file.office else self.catalogue.office(first).name.of(lang)

    def draw(
        self, request: Request, state: Held, version: int, form: Form, status: int
    ) -> Response:
        """Return the page of one application."""
        tr, submission = translator(request), state.file.submission
        section = self.catalogue.section(submission.permit_type, submission.permit_version)
        office = self.catalogue.office(state.file.office)
        zone = ZoneInfo(office.zone)
        word, tone = STATES[state.status]
        return self.pages.render(
            request,
            "intake/check.html",
            status_code=status,
            **_described(state, section, tr.lang),
            permit=self.catalogue.name(submission.permit_type, submission.permit_version, tr.lang),
            channel=channel_word(submission.channel, tr),
            came_to=self._came_to(state, tr.lang),
            submitted=tr.datetime(state.file.submitted_at, zone),
            state=tr.t(word),
            tone=tone,
            version=version,
            form=form,
        )


def _described(state: Held, section: IntakeSection, lang: str) -> dict[str, Any]:
    """Return what the page says of an application, in the words of its permit type."""
    file, submission = state.file, state.file.submission
    names = {item.id: item.name.of(lang) for item in section.requirements}
    return {
        "id": submission.application_id,
        "number": submission.number,
        "person": replace(submission.applicant, phone=file.phone),
        "renews": submission.renews,
        "answers": [
            (item.label.of(lang), file.answers.get(item.id, "")) for item in section.fields
        ],
        "requirements": [
            _shown(item.id, names[item.id], item.required, state) for item in section.requirements
        ],
        "earlier": [(names.get(d.requirement, d.requirement), d) for d in file.earlier],
        "note": state.note if isinstance(state, Returned) else "",
        "open": isinstance(state, Submitted),
        "correctable": not isinstance(state, Withdrawn),
        "labels": {
            f"{part}-{requirement}": name
            for part in ("check", "reason")
            for requirement, name in names.items()
        },
    }


def _shown(requirement: str, name: str, required: bool, state: Held) -> dict[str, Any]:
    documents = [d for d in state.file.documents if d.requirement == requirement]
    shortcomings = state.shortcomings if isinstance(state, Returned) else ()
    reasons = [item.reason for item in shortcomings if item.requirement == requirement]
    return {
        "id": requirement,
        "name": name,
        "required": required,
        "document": documents[0] if documents else None,
        "reason": reasons[0] if reasons else "",
    }


def queue_pages(counter: CounterDesk) -> APIRouter:
    """Return the list, and its live stream."""
    router, pages = APIRouter(include_in_schema=False), counter.pages

    @router.get("/pendaftaran")
    async def queue(
        request: Request, account: Counter, status: StatusQuery = "submitted", page: PageQuery = 1
    ) -> Response:
        shown = await counter.queue(account.office, status, page, language(request))
        return pages.render(request, "intake/queue.html", **shown)

    @router.get("/pendaftaran/langsung")
    async def live(
        request: Request, account: Counter, status: StatusQuery = "submitted"
    ) -> Response:
        draw = _first_page(counter, account.office, status)
        return sse_response(request, counter.hub, queue_key(account.office, status), draw)

    return router


def check_pages(counter: CounterDesk) -> APIRouter:
    """Return the completeness check."""
    router, pages = APIRouter(include_in_schema=False), counter.pages

    @router.get("/pendaftaran/{number}")
    async def look(request: Request, number: str, account: Counter) -> Response:
        _, state, version = await counter.find(number, account)
        return counter.draw(request, state, version, Form(), 200)

    @router.post("/pendaftaran/{number}")
    async def judge(request: Request, number: str, account: Counter) -> Response:
        application_id, state, version = await counter.find(number, account)
        section = await counter.desk.section(application_id)
        parsed = parse_form(verdict_adapter(section), await read_form(request))
        form, verdict = parsed.form, parsed.value
        if verdict is not None:
            form = judged(form, verdict, section, state)
        if verdict is None or form.errors:
            return counter.draw(request, state, version, form, 422)
        ask = Ask(seen=verdict.version)
        if verdict.action == "register":
            await counter.desk.register(application_id, account.actor, ask)
        else:
            shortcomings = shortcomings_of(verdict, section)
            await counter.desk.return_to_applicant(
                application_id, account.actor, shortcomings, verdict.note, ask
            )
        said = _REGISTERED if verdict.action == "register" else _RETURNED
        return pages.redirect(request, "/pendaftaran", flash=said, number=state.file.number)

    return router


def document_pages(counter: CounterDesk) -> APIRouter:
    """Return the documents, for officers of the office that holds the application."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dokumen/{application_id}/{sha256}")
    async def document(application_id: str, sha256: str, account: Reader) -> Response:
        state = held((await counter.desk.load(application_id)).state)
        if state.file.office != account.office:
            raise OtherOffice
        for one in (*state.file.documents, *state.file.earlier):
            if one.sha256 == sha256:
                return _download(counter.uploads, state.file.number, one)
        raise NotFound

    return router


def _first_page(counter: CounterDesk, office: str, status: str) -> Callable[[str], Awaitable[str]]:
    async def draw(lang: str) -> str:
        shown = await counter.queue(office, status, 1, lang)
        return counter.pages.fragment(lang, "intake/queue_body.html", **shown)

    return draw


def _download(uploads: Uploads, number: str, document: Document) -> Response:
    """Return a document to be saved, never shown: under a name of ours, as what it is."""
    path = uploads.path(document.sha256)
    if not path.is_file():
        raise NotFound
    return FileResponse(
        path,
        media_type=document.media_type,
        filename=f"{number}-{document.requirement}.{EXTENSIONS[document.media_type][0]}",
        content_disposition_type="attachment",
        headers={"content-security-policy": "default-src 'none'; sandbox"},
    )
