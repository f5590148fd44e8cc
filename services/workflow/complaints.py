"""The applicant's complaint about the service: a timed fact, filed with the code on the receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.workflow import aftermath
from services.workflow.commands import FileComplaint
from services.workflow.door import Door, normal
from services.workflow.permit import DECIDER, stream
from services.workflow.status import Report, Tracker
from services.workflow.wording import Teller
from shared.actors import APPLICANT
from shared.errors import NotFound, Refused
from shared.handle import Handler, Outcome
from shared.ids import derived_id, new_id
from shared.offices import Catalogue, Office
from shared.service import Now
from shared.text import CleanParagraph
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language, translator

_FILED = msg("Your complaint is filed. The office answers it here.")


class ComplaintBody(BaseModel):
    """What went wrong, in the applicant's words; ``key`` names the form that was sent."""

    model_config = ConfigDict(extra="ignore")

    text: Annotated[CleanParagraph, Field(min_length=1, max_length=2000)]
    key: Annotated[str, Field(max_length=64)] = ""


@dataclass(frozen=True)
class Grievances:
    """Takes complaints and shows what became of them."""

    pages: Pages
    handler: Handler
    tracker: Tracker
    door: Door
    catalogue: Catalogue
    now: Now

    async def report(self, application_id: str) -> Report:
        """Return how the application stands now."""
        return self.tracker.report(await self.tracker.case(application_id), self.now())

    async def file(self, report: Report, text: str, key: str) -> Outcome[Any]:
        """File a complaint. ``key`` names the request. Raises the decider's refusals."""
        application_id = report.case.application_id
        complaint = derived_id("complaint", application_id, key) if key else new_id()
        command = FileComplaint(
            now=self.now(),
            by=APPLICANT,
            complaint_id=complaint,
            text=text,
            calendar=report.calendar,
            days=self.office(report).complaint_days,
        )
        return await self.handler.handle(
            DECIDER,
            stream(application_id),
            command,
            cause=complaint,
            application=application_id,
        )

    def office(self, report: Report) -> Office:
        """Return the office that answers: the one that opened the permit, once there is one."""
        state = report.case.opened
        about = state.file.opened if state is not None else report.case.about
        return self.catalogue.offices[about.office]

    def drawn(
        self, request: Request, report: Report, form: Form, status_code: int = 200, why: str = ""
    ) -> Response:
        """Return the page: the complaints so far, and the form for another one."""
        lang, office = language(request), self.office(report)
        return self.pages.render(
            request,
            "workflow/complaint.html",
            status_code=status_code,
            office=office.name.of(lang),
            number=report.case.about.number,
            registered=report.case.opened is not None,
            days=office.complaint_days,
            complaints=aftermath.complaints(report, Teller(Translator(lang), office)),
            form=form,
            key=new_id(),
            refusal=why,
        )


def complaint_pages(grievances: Grievances) -> APIRouter:
    """Return ``/lacak/{number}/keluhan``; who has no code yet is asked for it first."""
    router, pages = APIRouter(include_in_schema=False), grievances.pages

    def address(number: str) -> str:
        return f"/lacak/{quote(normal(number))}/keluhan"

    @router.get("/lacak/{number}/keluhan")
    async def show(request: Request, number: str) -> Response:
        try:
            found = await grievances.door.visitor(request, number)
        except NotFound:
            return pages.redirect(request, f"/lacak?number={quote(normal(number))}")
        report = await grievances.report(found.application_id)
        return grievances.drawn(request, report, Form())

    @router.post("/lacak/{number}/keluhan")
    async def file(request: Request, number: str) -> Response:
        found = await grievances.door.visitor(request, number)
        report = await grievances.report(found.application_id)
        parsed = parse_form(ComplaintBody, await read_form(request))
        if parsed.value is None:
            return grievances.drawn(request, report, parsed.form, 422)
        try:
            await grievances.file(report, parsed.value.text, parsed.value.key)
        except Refused as refusal:
            why = translator(request).t(refusal.message(), **refusal.params)
            return grievances.drawn(request, report, parsed.form, refusal.status, why)
        return pages.redirect(request, address(number), flash=_FILED)

    return router
