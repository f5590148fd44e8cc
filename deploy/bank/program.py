"""The bank as a program of its own, beside services of their own: its page, and its host."""

from __future__ import annotations

from functools import partial

import uvicorn

from deploy.bank.host import PATHS, Host, host_router
from deploy.bank.opening import open_bank
from deploy.bank.page import TEMPLATES, bank_router
from deploy.wiring import secret
from shared.identity import Accounts
from shared.settings import Settings
from shared.web.app import build_app
from shared.web.pages import Pages


def office_address(settings: Settings) -> str:
    """Return where the payment service answers: its own process, or the one that has all."""
    return settings.payment_url or f"http://{settings.host}:{settings.port}"


def run(settings: Settings, host: str, port: int, office: str) -> None:
    """Serve the bank until told to stop. ``office`` is the payment service's address."""
    session = secret(settings, "session")
    bank = open_bank(settings.data, settings.config / "banks", partial(secret, settings))
    pages = Pages(TEMPLATES, secret=session, links=settings.urls)
    app = build_app(
        "Bank",
        [bank_router(pages, bank, lambda request: office), host_router(Host(bank, settings.data))],
        pages=pages,
        accounts=Accounts([]),
        secret=session,
        csrf_exempt=PATHS,
    )
    try:
        uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
    finally:
        bank.ledger.close()
