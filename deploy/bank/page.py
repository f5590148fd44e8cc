"""The bank's page at ``/bank``: a person pays a bill, and sees what was said over the wire."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints

from deploy.bank.client import Receipt, pay
from deploy.bank.keys import BankKeys, open_keys
from shared.money import rupiah_text
from shared.service import Kernel
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import msg
from shared.web.pages import Pages

TEMPLATES = {"bank": Path(__file__).parent / "templates"}
_FAULTS = (
    ("amount", msg("One rupiah too much")),
    ("signature", msg("A wrong signature")),
    ("clock", msg("A clock that is ten minutes slow")),
)


class Order(BaseModel):
    """What the form sends. ``request_id`` and ``amount`` come back with a repeat."""

    va: Annotated[str, StringConstraints(pattern=r"^[0-9 ]{1,35}$")]
    request_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,64}$")] = ""
    amount: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,14}(\.[0-9]{2})?$")] = ""
    fault: Annotated[str, StringConstraints(pattern="^(amount|signature|clock)?$")] = ""


def router(kernel: Kernel) -> APIRouter:
    """Return the bank's page for the embedded demonstration."""
    settings = kernel.settings
    pages = Pages(TEMPLATES, secret=kernel.secret("session"), links=settings.urls)
    keys = open_keys(settings.data, kernel.secret("bank"))
    return bank_router(pages, keys, lambda request: settings.payment_url or own_address(request))


def own_address(request: Request) -> str:
    """Return where this very process listens: never the Host header, which anybody can write."""
    host, port = request.scope["server"]
    return f"http://{host}:{port}"


def bank_router(pages: Pages, keys: BankKeys, payment_url: Callable[[Request], str]) -> APIRouter:
    """Return ``/bank``; ``payment_url`` says where the payment service answers."""
    bank = APIRouter(include_in_schema=False)

    def page(request: Request, form: Form, status: int = 200, **shown: Any) -> Response:
        shown = {"receipt": None, "unreachable": False, "amount": "", **shown}
        return pages.render(
            request, "bank/bank.html", status_code=status, form=form, faults=_FAULTS, **shown
        )

    @bank.get("/bank")
    async def show(request: Request, va: str = "") -> Response:
        return page(request, Form({"va": va[:35]}))

    @bank.post("/bank")
    async def order(request: Request) -> Response:
        parsed = parse_form(Order, await read_form(request))
        if parsed.value is None:
            return page(request, parsed.form, 422)
        sent = parsed.value
        try:
            receipt = await pay(
                payment_url(request),
                sent.va,
                keys=keys,
                request_id=sent.request_id,
                amount=sent.amount,
                fault=sent.fault,
            )
        except httpx.HTTPError:
            return page(request, parsed.form, 503, unreachable=True)
        return page(request, parsed.form, receipt=receipt, amount=_shown_amount(receipt))

    return bank


def _shown_amount(receipt: Receipt) -> str:
    return rupiah_text(int(receipt.amount.split(".")[0])) if receipt.amount else ""
