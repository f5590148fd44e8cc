"""The bank's pages at ``/bank``.

A person pays a bill, sees what was said over the wire, repeats it, takes it back, and writes the
day's settlement file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints

from deploy.bank.client import Receipt
from deploy.bank.faults import IN_THE_FILE, ON_THE_WIRE, WORDS, Fault
from deploy.bank.house import Bank
from deploy.bank.ledger import Payment
from deploy.bank.opening import open_bank
from deploy.bank.sheets import SNAP
from shared.errors import JejakError
from shared.money import rupiah_text
from shared.service import Kernel
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import msg
from shared.web.pages import Pages

TEMPLATES = {"bank": Path(__file__).parent / "templates"}
_STATES = {
    "asked": (msg("Not answered"), "waiting"),
    "paid": (msg("Paid"), "success"),
    "refused": (msg("Refused"), "danger"),
    "reversed": (msg("Taken back"), "warning"),
}
_SHOWN = 10


class Order(BaseModel):
    """What the form sends. With a ``request_id`` that payment is told again, as it was."""

    va: Annotated[str, StringConstraints(pattern=r"^[0-9 ]{1,35}$")]
    partner: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,40}$")] = ""
    amount: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,12}$")] = ""
    request_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,64}$")] = ""
    fault: Fault = Fault.NONE


class Action(BaseModel):
    """What is done with a booked payment."""

    action: Literal["tell", "reverse"]


def router(kernel: Kernel) -> APIRouter:
    """Return the bank's pages for the embedded demonstration."""
    settings = kernel.settings
    pages = Pages(TEMPLATES, secret=kernel.secret("session"), links=settings.urls)
    bank = open_bank(settings.data, settings.config / "banks", kernel.secret, kernel.now)
    return bank_router(pages, bank, lambda request: settings.payment_url or own_address(request))


def own_address(request: Request) -> str:
    """Return where this very process listens: never the Host header, which anybody can write."""
    host, port = request.scope["server"]
    return f"http://{host}:{port}"


def bank_router(pages: Pages, bank: Bank, payment_url: Callable[[Request], str]) -> APIRouter:
    """Return ``/bank``; ``payment_url`` says where the payment service answers."""
    routes = APIRouter(include_in_schema=False)
    shown = _Shown(pages, bank)
    _paying(routes, shown, bank, payment_url)
    _afterwards(routes, shown, bank, payment_url)
    return routes


def _paying(
    routes: APIRouter, shown: _Shown, bank: Bank, payment_url: Callable[[Request], str]
) -> None:
    @routes.get("/bank")
    async def show(request: Request, va: str = "") -> Response:
        return shown.page(request, Form({"va": va[:35]}))

    @routes.post("/bank")
    async def order(request: Request) -> Response:
        parsed = parse_form(Order, await read_form(request))
        if parsed.value is None:
            return shown.page(request, parsed.form, 422)
        try:
            receipt = await _carried_out(bank, payment_url(request), parsed.value)
        except JejakError as error:
            return shown.page(request, parsed.form, error.status, problem=error)
        return shown.page(request, parsed.form, receipt=receipt)


async def _carried_out(bank: Bank, office: str, sent: Order) -> Receipt:
    if sent.request_id:
        return await bank.tell(office, sent.request_id, advice=False)
    sheet = bank.sheets.of(sent.partner) if sent.partner else bank.sheets.speaking(SNAP)
    amount = int(sent.amount or 0)
    return await bank.pay(office, sent.va, sheet=sheet, amount=amount, fault=sent.fault)


def _afterwards(
    routes: APIRouter, shown: _Shown, bank: Bank, payment_url: Callable[[Request], str]
) -> None:
    @routes.get("/bank/rekening-koran")
    async def statement(partner: str, day: date, fault: Fault = Fault.NONE) -> Response:
        sheet = bank.sheets.of(partner)
        kind = "csv" if sheet.statement["kind"] == "csv" else "sta"
        return Response(
            bank.settlement(sheet, day, fault),
            media_type="text/csv" if kind == "csv" else "text/plain",
            headers={"Content-Disposition": f'attachment; filename="{sheet.id}-{day}.{kind}"'},
        )

    @routes.post("/bank/pembayaran/{request_id}")
    async def act(request: Request, request_id: str) -> Response:
        parsed = parse_form(Action, await read_form(request))
        if parsed.value is None:
            return shown.page(request, parsed.form, 422)
        office = payment_url(request)
        try:
            if parsed.value.action == "reverse":
                back = await bank.reverse(office, request_id)
                return shown.page(request, Form({"va": back.account}), taken_back=back)
            receipt = await bank.tell(office, request_id)
        except JejakError as error:
            return shown.page(request, Form({}), error.status, problem=error)
        return shown.page(request, Form({"va": receipt.virtual_account}), receipt=receipt)


class _Shown:
    """Puts the one page together."""

    def __init__(self, pages: Pages, bank: Bank) -> None:
        self._pages = pages
        self._bank = bank

    def page(self, request: Request, form: Form, status: int = 200, **shown: Any) -> Response:
        """Return the page with what was just done."""
        shown = {"receipt": None, "problem": None, "taken_back": None, **shown}
        receipt: Receipt | None = shown["receipt"]
        sheets = self._bank.sheets.all
        settling = [sheet for sheet in sheets if sheet.settles]
        return self._pages.render(
            request,
            "bank/bank.html",
            status_code=status,
            form=form,
            sheets=sheets,
            settling=settling,
            amount=_shown_amount(receipt),
            faults=_choices(ON_THE_WIRE),
            file_faults=_choices(IN_THE_FILE),
            today=self._bank.now().astimezone(settling[0].zone).date() if settling else "",
            payments=[_row(one) for one in self._bank.ledger.latest(_SHOWN)],
            words=WORDS,
            **shown,
        )


def _choices(faults: Sequence[Fault]) -> list[tuple[str, str]]:
    return [(fault.value, WORDS[fault]) for fault in faults]


def _row(payment: Payment) -> dict[str, Any]:
    said, tone = _STATES[payment.state]
    return {
        "payment": payment,
        "amount": rupiah_text(payment.amount),
        "at": payment.paid_at[:16].replace("T", " "),
        "state": said,
        "tone": tone,
        "fault": WORDS.get(Fault(payment.fault), ""),
    }


def _shown_amount(receipt: Receipt | None) -> str:
    if receipt is None or not receipt.amount:
        return ""
    return rupiah_text(int(receipt.amount.split(".")[0]))
