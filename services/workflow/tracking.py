"""The applicant's page: how far it is, who has it, what is waited for. Live, without an account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from services.workflow import aftermath
from services.workflow.door import Door, normal
from services.workflow.letter import Letters, letter_link
from services.workflow.live import tracking_key
from services.workflow.status import Report, Tracker
from services.workflow.statuses import Status
from services.workflow.supervision.outlook import Outlook
from services.workflow.wording import OBJECT, Teller
from shared.errors import NotFound
from shared.offices import Catalogue
from shared.service import Now
from shared.web.forms import Form, read_form
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language
from shared.web.sse import LiveHub, sse_response

_WRONG = msg("Number and code do not belong together. Check both against your receipt.")
_FILL_IN = msg("Fill this in.")


@dataclass(frozen=True)
class Tracking:
    """What the tracking pages stand on."""

    pages: Pages
    hub: LiveHub
    door: Door
    tracker: Tracker
    outlook: Outlook
    catalogue: Catalogue
    now: Now
    letters: Letters

    async def report(self, application_id: str) -> Report:
        """Return how an application stands now, straight from the store."""
        return self.tracker.report(await self.tracker.case(application_id), self.now())

    async def told(self, application_id: str, lang: str) -> dict[str, Any]:
        """Return everything that the page says, in one language and about no one reader."""
        report = await self.report(application_id)
        about = report.case.about
        office = self.catalogue.offices[about.office]
        teller = Teller(Translator(lang), office)
        return tell(report, teller) | {
            "office": office.name.of(lang),
            "outlook": await self.outlook.said(report, teller),
            "live": f"/lacak/{quote(about.number)}/live",
        }

    def render(self, application_id: str) -> Callable[[str], Awaitable[str]]:
        """Return what draws the live part of the page."""

        async def draw(lang: str) -> str:
            told = await self.told(application_id, lang)
            return self.pages.fragment(lang, "workflow/track_body.html", **told)

        return draw


def tell(report: Report, teller: Teller) -> dict[str, Any]:
    """Return what can be said about an application to its applicant."""
    about, owed, reading = report.case.about, report.case.bill.owed, report.reading
    clock = None
    if reading is not None and report.status is not Status.WITHDRAWN and not report.sop.foreign:
        clock = (*reading.total, report.calendar.day_minutes, teller.paused(reading))
    return {
        "number": about.number,
        "permit": report.sop.name.of(teller.tr.lang),
        "status": teller.status(report.status),
        "code": str(report.status),
        "sentence": teller.sentence(report),
        "reasons": teller.reasons(report),
        "objection": teller.tr.t(OBJECT) if report.status is Status.REJECTED else "",
        "waits_for": teller.waits_for(report),
        "expected": teller.expected(report),
        "clock": clock,
        "bill": owed
        and {
            "amount": teller.tr.rupiah(owed.amount),
            "account": owed.virtual_account,
            "due": teller.day(owed.due_on),
        },
        "steps": teller.steps(report),
        "notices": aftermath.notices(report, teller),
        "holds": aftermath.holds(report, teller),
        "letter": letter_link(report, f"/lacak/{quote(about.number)}", teller.tr),
    }


def tracking_pages(tracking: Tracking) -> APIRouter:
    """Return ``/lacak`` and what is behind it."""
    router, pages = APIRouter(include_in_schema=False), tracking.pages

    @router.get("/lacak")
    async def ask(request: Request, number: str = Query("", max_length=100)) -> Response:
        if normal(number) in tracking.door.remembered(request):
            return pages.redirect(request, f"/lacak/{quote(normal(number))}")
        return _form(tracking, request, Form({"number": number}))

    @router.post("/lacak")
    async def open_door(request: Request) -> Response:
        data = await read_form(request)
        number, code = (str(data.get(name, "")).strip() for name in ("number", "code"))
        form = Form({"number": number})
        for name, value in (("number", number), ("code", code)):
            if not value:
                form = form.with_error(name, _FILL_IN)
        if form.errors:
            return _form(tracking, request, form, 422)
        try:
            await tracking.door.open(number, code, request)
        except NotFound:
            # One sentence at one field: it must not tell whether the number exists.
            return _form(tracking, request, form.with_error("number", _WRONG), 404)
        response = pages.redirect(request, f"/lacak/{quote(normal(number))}")
        tracking.door.remember(request, response, normal(number))
        return response

    @router.get("/lacak/{number}")
    async def show(request: Request, number: str) -> Response:
        try:
            found = await tracking.door.visitor(request, number)
        except NotFound:
            return pages.redirect(request, f"/lacak?number={quote(normal(number))}")
        told = await tracking.told(found.application_id, language(request))
        return pages.render(request, "workflow/track.html", **told)

    @router.get("/lacak/{number}/surat.pdf")
    async def letter(request: Request, number: str) -> Response:
        found = await tracking.door.visitor(request, number)
        return await tracking.letters.answer(request, await tracking.report(found.application_id))

    @router.get("/lacak/{number}/live")
    async def live(request: Request, number: str) -> Response:
        found = await tracking.door.visitor(request, number)
        draw = tracking.render(found.application_id)
        return sse_response(request, tracking.hub, tracking_key(found.application_id), draw)

    return router


def _form(tracking: Tracking, request: Request, form: Form, status_code: int = 200) -> Response:
    return tracking.pages.render(
        request,
        "workflow/track_form.html",
        status_code=status_code,
        form=form,
        remembered=tracking.door.remembered(request)[::-1],
    )
