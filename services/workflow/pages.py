"""The officers' pages: the work queue, and one permit with what can be done to it now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response

from services.workflow.actions import ACTIONS, BY_NAME, Action, parse_action, scope
from services.workflow.desk import Desk
from services.workflow.folder import NEED, Folder, masked_name
from services.workflow.letter import Letters
from services.workflow.live import Pump, file_key, queue_key
from services.workflow.staff import Staff
from services.workflow.status import Report
from services.workflow.views import Open
from services.workflow.wording import Teller
from shared.actors import Role
from shared.errors import InvalidInput, NotFound, Refused, StaleScreen
from shared.identity import Account, Accounts
from shared.offices import Catalogue
from shared.web.forms import Form, read_form
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language, translator
from shared.web.session import require
from shared.web.sse import LiveHub, sse_response

ROWS = 25
_WORKERS = (
    Role.COUNTER,
    Role.VERIFIER,
    Role.SURVEYOR,
    Role.ASSESSOR,
    Role.SIGNER,
    Role.SUPERVISOR,
    Role.AGENCY,
)
_NO_SUCH_PERMIT = msg("There is no open permit with this number at your office.")
Worker = Annotated[Account, Depends(require(*_WORKERS))]
Reader = Annotated[Account, Depends(require(*_WORKERS, Role.AUDITOR, Role.TREASURER))]
# The letter names its holder: only who needs the name for the work may have it.
Knower = Annotated[Account, Depends(require(*sorted(NEED)))]
PageQuery = Annotated[int, Query(ge=1, le=100_000)]


@dataclass(frozen=True)
class Counter:
    """What the officers' pages stand on."""

    pages: Pages
    hub: LiveHub
    pump: Pump
    desk: Desk
    catalogue: Catalogue
    accounts: Accounts

    def teller(self, office: str, lang: str) -> Teller:
        """Return who tells officers of an office how things stand."""
        return Teller(Translator(lang), self.catalogue.offices[office], True, self._name)

    def _name(self, username: str) -> str:
        account = self.accounts.find(username)
        return account.display_name if account is not None else username

    async def queued(self, opened: Open, account_roles: frozenset[Role], lang: str) -> Any:
        """Return one line of the queue; the applicant's name comes from the store, if at all."""
        case = await self.desk.tracker.case(opened.row.application_id)
        teller = self.teller(opened.row.procedure_office, lang)
        report = self.desk.tracker.report(case, self.desk.now())
        submission = case.dossier.submission
        name = submission.applicant.name if submission is not None else ""
        return {
            "number": case.about.number,
            "link": file_link(case.about.number),
            "applicant": masked_name(name, account_roles),
            "permit": report.sop.name.of(lang),
            "stage": teller.stage(report.stage),
            "status": teller.status(report.status),
            "since": teller.when(report.case.facts[-1].at),
            "clock": clock_of(opened, teller),
        }


def file_link(number: str) -> str:
    """Return the path of a permit's page."""
    return f"/berkas/{quote(number)}"


def clock_of(opened: Open, teller: Teller) -> tuple[int, int, int, str] | None:
    """Return used, budget, a day's minutes and why it stands still, of the present stage.

    A stage without a budget of its own is measured by the legal total.
    """
    reading = opened.reading
    if reading is None:
        return None
    amount = reading.stage or reading.total
    return (*amount, teller.office.day_minutes, teller.paused(reading))


def queue_pages(counter: Counter) -> APIRouter:
    """Return ``/tugas``: what the officer's roles work on, the least time left first."""
    router, views = APIRouter(include_in_schema=False), counter.desk.views

    async def told(account: Account, lang: str, page: int) -> dict[str, Any]:
        by = await counter.desk.acting(account)
        found, total = await views.queue(by, ROWS, (page - 1) * ROWS), await views.queued(by)
        lines = [await counter.queued(opened, by.roles, lang) for opened in found]
        return {"lines": lines, "total": total, "page": page, "pages": -(-total // ROWS)}

    @router.get("/tugas")
    async def show(request: Request, account: Worker, page: PageQuery = 1) -> Response:
        lang = language(request)
        office = counter.catalogue.offices[account.office]
        return counter.pages.render(
            request,
            "workflow/queue.html",
            office=office.name.of(lang),
            form=Form(),
            leads=account.has(Role.SUPERVISOR, Role.SIGNER),
            **await told(account, lang, page),
        )

    @router.get("/tugas/live")
    async def live(request: Request, account: Worker) -> Response:
        async def draw(lang: str) -> str:
            context = await told(account, lang, 1)
            return counter.pages.fragment(lang, "workflow/queue_body.html", **context)

        key = queue_key(account.office, account.username)
        counter.pump.follow(key)
        return sse_response(request, counter.hub, key, draw)

    @router.get("/berkas")
    async def look_up(
        request: Request, account: Reader, number: str = Query("", max_length=100)
    ) -> Response:
        try:
            await counter.desk.find(number, account)
        except NotFound:
            return counter.pages.redirect(request, "/tugas", flash=_NO_SUCH_PERMIT, tone="warning")
        return counter.pages.redirect(request, file_link(number.strip().upper()))

    return router


@dataclass(frozen=True)
class FilePage:
    """One permit's page: how it stands, and the commands allowed to this person now."""

    counter: Counter

    async def opened(self, number: str, account: Account) -> Report:
        """Return how a permit of the account's office stands now. Raises NotFound."""
        desk = self.counter.desk
        found = await desk.find(number, account)
        return await desk.report(found.application_id)

    def drawn(
        self,
        request: Request,
        report: Report,
        account: Account,
        staff: Staff,
        *,
        sent: tuple[str, Form] | None = None,
        refusal: str = "",
        status_code: int = 200,
    ) -> Response:
        """Return the page; ``sent`` is the form that came in, by its action's name."""
        teller = self.counter.teller(account.office, language(request))
        folder = Folder(report, teller, account, self.counter.catalogue, staff)
        forms = {action.name: Form(scope=scope(action)) for action in ACTIONS}
        return self.counter.pages.render(
            request,
            "workflow/file.html",
            status_code=status_code,
            forms=forms | dict([sent] if sent else []),
            sent=sent[0] if sent else "",
            refusal=refusal,
            **folder.told(),
        )

    async def acted(
        self, request: Request, number: str, action: Action, account: Account
    ) -> Response:
        """Carry out what a form asks for; draw the page again, with the reason, when refused."""
        report, data = await self.opened(number, account), await read_form(request)
        parsed = parse_action(action, data, report.sop.stage(str(data.get("stage", ""))))
        sent = (action.name, parsed.form)
        if parsed.value is None:
            staff = await self.counter.desk.staff(account.office)
            return self.drawn(request, report, account, staff, sent=sent, status_code=422)
        seen, key = str(data.get("version", "")), str(data.get("key", ""))[:64]
        version = int(seen) if seen.isascii() and seen.isdigit() else None
        desk = self.counter.desk
        try:
            await desk.act(report, action, parsed.value, account, seen=version, key=key)
        except (Refused, StaleScreen, InvalidInput) as error:
            refusal = translator(request).t(error.message(), **error.params)
            fresh = await desk.report(report.case.application_id)
            staff = await desk.staff(account.office)
            return self.drawn(
                request, fresh, account, staff, sent=sent, refusal=refusal, status_code=error.status
            )
        about = report.case.about.number
        return self.counter.pages.redirect(
            request, file_link(about), flash=action.done, number=about
        )


def file_pages(counter: Counter, letters: Letters) -> APIRouter:
    """Return ``/berkas/{number}``."""
    router, page = APIRouter(include_in_schema=False), FilePage(counter)

    @router.get("/berkas/{number}")
    async def show(request: Request, number: str, account: Reader) -> Response:
        report = await page.opened(number, account)
        return page.drawn(request, report, account, await counter.desk.staff(account.office))

    @router.get("/berkas/{number}/surat.pdf")
    async def letter(request: Request, number: str, account: Knower) -> Response:
        report = await page.opened(number, account)
        return await letters.answer(request, report, officer=True)

    @router.get("/berkas/{number}/live")
    async def live(request: Request, number: str, account: Reader) -> Response:
        found = await counter.desk.find(number, account)
        draw = _drawing(counter, found.application_id, account.office)
        return sse_response(request, counter.hub, file_key(found.application_id), draw)

    @router.post("/berkas/{number}/{name}")
    async def act(request: Request, number: str, name: str, account: Reader) -> Response:
        action = BY_NAME.get(name)
        if action is None:
            raise NotFound
        return await page.acted(request, number, action, account)

    return router


def _drawing(counter: Counter, application_id: str, office: str) -> Callable[[str], Awaitable[str]]:
    async def draw(lang: str) -> str:
        report = await counter.desk.report(application_id)
        teller = counter.teller(office, lang)
        told = Folder(report, teller, None, counter.catalogue).trail()
        return counter.pages.fragment(lang, "workflow/file_body.html", **told)

    return draw
