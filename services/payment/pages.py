"""The people's side: an applicant's bills, their letters, and the proof of payment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from services.payment.banks.profile import Banks
from services.payment.bill import DECIDER, Bill, bill_stream
from services.payment.letters import Letter, drawn
from services.payment.sheets import Sheets
from services.payment.views import BillRow, BillViews
from shared.errors import NotFound
from shared.handle import Handler
from shared.offices import Catalogue
from shared.web.i18n import Translator
from shared.web.pages import Pages, language
from shared.web.qr import qr
from shared.web.sse import LiveHub, sse_response

Ordinal = Annotated[int, Path(ge=1, le=10_000)]


def bill_key(application_id: str) -> str:
    """Return the live key of one bill's page."""
    return f"bill:{application_id}"


class BillPages:
    """Finds bills, and draws them in the reader's language."""

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
        """Bills are found in ``views`` and folded from the store. See ``Sheets`` for the rest."""
        self.pages = pages
        self.views = views
        self.sheets = Sheets(catalogue, banks, now, bank_page)
        self._handler = handler

    async def find(self, number: str) -> BillRow:
        """Return the row of a registration number. Raises NotFound."""
        row = await self.views.by_number(number)
        if row is None:
            raise NotFound
        return row

    async def state(self, row: BillRow) -> Bill:
        """Return how an application's bills stand now."""
        return (await self._handler.load(DECIDER, bill_stream(row.application_id))).state

    async def bill(self, row: BillRow, lang: str) -> dict[str, Any]:
        """Return what the bill's page shows, as it is now."""
        return self.sheets.page(await self.state(row), Translator(lang))


def pages_router(bills: BillPages, hub: LiveHub) -> APIRouter:
    """Return ``/tagihan/{number}`` and its letters, for everybody who knows the number."""
    router = APIRouter(include_in_schema=False)
    pages, sheets = bills.pages, bills.sheets

    @router.get("/tagihan/{number}")
    async def bill(request: Request, number: str) -> Response:
        row = await bills.find(number)
        shown = await bills.bill(row, language(request))
        code = qr(_address(request, row))
        return pages.render(request, "payment/bill.html", bill=shown, qr=code)

    @router.get("/tagihan/{number}/langsung")
    async def live_bill(request: Request, number: str) -> Response:
        row = await bills.find(number)

        async def draw(lang: str) -> str:
            return pages.fragment(lang, "payment/bill_body.html", bill=await bills.bill(row, lang))

        return sse_response(request, hub, bill_key(row.application_id), draw)

    @router.get("/tagihan/{number}/surat/{ordinal}.pdf")
    async def letter(request: Request, number: str, ordinal: Ordinal) -> Response:
        row = await bills.find(number)
        state, tr = await bills.state(row), Translator(language(request))
        return await _printed(sheets.bill(state, ordinal, _address(request, row), tr), row)

    @router.get("/tagihan/{number}/bukti/{ordinal}.pdf")
    async def receipt(request: Request, number: str, ordinal: Ordinal) -> Response:
        row = await bills.find(number)
        state, tr = await bills.state(row), Translator(language(request))
        return await _printed(sheets.receipt(state, ordinal, _address(request, row), tr), row)

    return router


def _address(request: Request, row: BillRow) -> str:
    return f"{str(request.base_url).rstrip('/')}/tagihan/{row.number}"


async def _printed(letter: Letter, row: BillRow) -> Response:
    # Drawing takes some hundredths of a second: not on the loop that answers everybody.
    pdf = await asyncio.to_thread(drawn, letter)
    # A letter may be void tomorrow, so no copy of it is kept on the way.
    headers = {
        "content-disposition": f'inline; filename="{row.number}.pdf"',
        "cache-control": "no-store",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)
