"""The people's side: an applicant's bill, and the treasurer's list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from services.payment.banks.profile import Banks
from services.payment.bill import DECIDER, Bill, Cancelled, NotIssued, Open, Paid, bill_stream
from services.payment.views import BillRow, BillViews, Rejection, Totals
from shared.actors import Role
from shared.errors import NotFound
from shared.events import from_micros
from shared.handle import Handler
from shared.identity import Account
from shared.money import rupiah_text
from shared.offices import Catalogue, LocalText
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language
from shared.web.session import require
from shared.web.sse import LiveHub, sse_response

STATES = ("open", "paid", "cancelled")
PAGE_ROWS = 50
_STATE_WORDS = {
    "open": (msg("Waiting for payment"), "waiting"),
    "expired": (msg("Past the due date"), "danger"),
    "paid": (msg("Paid"), "success"),
    "cancelled": (msg("Cancelled"), "neutral"),
}
_REASONS = {
    "no-tariff": msg("This permit type has no tariff."),
    "no-virtual-account": msg("No bank takes payments for this office."),
    "missing-measure": msg("A measure that the tariff needs is missing."),
    "unknown-measure": msg("A measure was given that the tariff does not use."),
    "measure-out-of-range": msg("A measure is outside of what the tariff covers."),
    "nothing-owed": msg("The tariff does not come to a payable amount."),
    "bill-already-issued": msg("A bill for another amount was issued before."),
}
_OTHER_REASON = msg("The fee can't be computed.")

Treasurer = Annotated[Account, Depends(require(Role.TREASURER, Role.SUPERVISOR, Role.AUDITOR))]
StateQuery = Annotated[str, Query(pattern="^(open|paid|cancelled)$")]
PageQuery = Annotated[int, Query(ge=1, le=100_000)]


def bill_key(application_id: str) -> str:
    """Return the live key of one bill's page."""
    return f"bill:{application_id}"


def treasury_key(office: str, state: str) -> str:
    """Return the live key of an office's list of bills in a state."""
    return f"treasury:{office}:{state}"


class BillPages:
    """Draws bills and lists in the reader's language."""

    def __init__(
        self,
        pages: Pages,
        views: BillViews,
        handler: Handler,
        catalogue: Catalogue,
        banks: Banks,
        now: Callable[[], datetime],
        bank_page: str = "",
    ) -> None:
        """Bills are folded from the store, lists come from ``views``.

        ``bank_page`` is where the demonstration's bank is, empty where there is a real one.
        """
        self.pages = pages
        self.views = views
        self._handler = handler
        self._catalogue = catalogue
        self._banks = banks
        self._now = now
        self._bank_page = bank_page

    async def find(self, number: str) -> BillRow:
        """Return the row of a registration number. Raises NotFound."""
        row = await self.views.by_number(number)
        if row is None:
            raise NotFound
        return row

    async def bill(self, row: BillRow, lang: str) -> dict[str, Any]:
        """Return what the bill's page shows, as it is now."""
        loaded = await self._handler.load(DECIDER, bill_stream(row.application_id))
        state = loaded.state
        if isinstance(state, NotIssued):
            raise NotFound
        bill, tr = state.bill, Translator(lang)
        zone = ZoneInfo(self._catalogue.offices[bill.office].zone)
        profile = self._banks.of_office(bill.office)
        word, tone = _STATE_WORDS[self._state_name(state, zone)]
        return {
            "number": bill.number,
            "permit": self._permit_name(bill.permit_type, lang),
            "office": self._catalogue.offices[bill.office].name.of(lang),
            "lines": [_line(line, lang) for line in bill.lines],
            "amount": rupiah_text(bill.amount),
            "due": tr.date(_noon(bill.due_on, zone), zone),
            "state": tr.t(word),
            "tone": tone,
            "payable": isinstance(state, Open),
            "paid": self._payment(state, tr, zone),
            "bank": profile.name.of(lang) if profile else "",
            "virtual_account": bill.virtual_account,
            "steps": [step.of(lang) for step in profile.how_to_pay] if profile else [],
            "bank_page": self._bank_page and f"{self._bank_page}?va={bill.virtual_account}",
        }

    async def treasury(self, office: str, state: str, page: int, lang: str) -> dict[str, Any]:
        """Return what the treasurer's list shows."""
        totals = await self.views.totals(office)
        rows = await self.views.of_office(office, state, PAGE_ROWS, (page - 1) * PAGE_ROWS)
        count = totals[state].bills if state in totals else 0
        tr, zone = Translator(lang), ZoneInfo(self._catalogue.offices[office].zone)
        return {
            "state": state,
            "tabs": [(name, tr.t(_STATE_WORDS[name][0])) for name in STATES],
            "stats": [_stat(tr, name, totals) for name in STATES],
            "rows": [self._listed(row, tr, zone) for row in rows],
            "rejections": _rejections(await self.views.rejections(office), tr, zone),
            "page": page,
            "pages": max(1, -(-count // PAGE_ROWS)),
        }

    def _state_name(self, state: Bill, zone: ZoneInfo) -> str:
        match state:
            case Paid():
                return "paid"
            case Cancelled():
                return "cancelled"
            case Open(bill=bill) if self._now().astimezone(zone).date() > _day(bill.due_on):
                return "expired"
            case _:
                return "open"

    def _payment(self, state: Bill, tr: Translator, zone: ZoneInfo) -> dict[str, str] | None:
        if not isinstance(state, Paid):
            return None
        at = datetime.fromisoformat(state.payment.paid_at)
        return {"at": tr.datetime(at, zone), "reference": state.payment.reference}

    def _listed(self, row: BillRow, tr: Translator, zone: ZoneInfo) -> dict[str, str]:
        paid = row.paid_at and tr.datetime(datetime.fromisoformat(row.paid_at), zone)
        return {
            "number": row.number,
            "permit": self._permit_name(row.permit_type, tr.lang),
            "amount": rupiah_text(row.amount),
            "account": row.virtual_account,
            "due": tr.date(_noon(row.due_on, zone), zone),
            "paid": paid,
            "reference": row.reference,
        }

    def _permit_name(self, permit_type: str, lang: str) -> str:
        versions = [k for (name, _), k in self._catalogue.types.items() if name == permit_type]
        names: Sequence[LocalText] = [kind.name for kind in versions]
        return names[-1].of(lang) if names else permit_type


def pages_router(bills: BillPages, hub: LiveHub) -> APIRouter:
    """Return ``/tagihan/{number}`` for everybody and ``/bendahara`` for the treasurer."""
    router = APIRouter(include_in_schema=False)
    pages = bills.pages

    @router.get("/tagihan/{number}")
    async def bill(request: Request, number: str) -> Response:
        shown = await bills.bill(await bills.find(number), language(request))
        return pages.render(request, "payment/bill.html", bill=shown)

    @router.get("/tagihan/{number}/langsung")
    async def live_bill(request: Request, number: str) -> Response:
        row = await bills.find(number)

        async def draw(lang: str) -> str:
            return pages.fragment(lang, "payment/bill_body.html", bill=await bills.bill(row, lang))

        return sse_response(request, hub, bill_key(row.application_id), draw)

    @router.get("/bendahara")
    async def treasury(
        request: Request, account: Treasurer, state: StateQuery = "open", page: PageQuery = 1
    ) -> Response:
        shown = await bills.treasury(account.office, state, page, language(request))
        return pages.render(request, "payment/treasury.html", **shown)

    @router.get("/bendahara/langsung")
    async def live_treasury(
        request: Request, account: Treasurer, state: StateQuery = "open"
    ) -> Response:
        return sse_response(
            request,
            hub,
            treasury_key(account.office, state),
            _first_page(bills, account.office, state),
        )

    return router


def _first_page(bills: BillPages, office: str, state: str) -> Callable[[str], Awaitable[str]]:
    async def draw(lang: str) -> str:
        shown = await bills.treasury(office, state, 1, lang)
        return bills.pages.fragment(lang, "payment/treasury_body.html", **shown)

    return draw


def _line(line: Any, lang: str) -> dict[str, str]:
    label = line.label_en if lang == "en" and line.label_en else line.label
    return {
        "label": label,
        "calculation": line.calculation,
        "amount": rupiah_text(line.amount),
    }


def _stat(tr: Translator, state: str, totals: Mapping[str, Totals]) -> tuple[str, str, str, str]:
    word, _ = _STATE_WORDS[state]
    found = totals.get(state)
    count, amount = (found.bills, found.amount) if found else (0, 0)
    return tr.t(word), tr.number(count), rupiah_text(amount), ""


def _rejections(
    rejections: Sequence[Rejection], tr: Translator, zone: ZoneInfo
) -> list[tuple[str, str, str]]:
    return [
        (
            rejected.number,
            tr.t(_REASONS.get(rejected.reason, _OTHER_REASON)),
            tr.datetime(from_micros(rejected.at_us), zone),
        )
        for rejected in rejections
    ]


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _noon(day: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(_day(day), time(12), zone)
