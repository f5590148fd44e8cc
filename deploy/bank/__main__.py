"""``python -m deploy.bank``: the bank as a program of its own, beside services of their own."""

from __future__ import annotations

import click
import uvicorn

from deploy.bank.keys import open_keys
from deploy.bank.page import TEMPLATES, bank_router
from deploy.wiring import secret
from shared.identity import Accounts
from shared.settings import Settings
from shared.web.app import build_app
from shared.web.pages import Pages


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8605, show_default=True, help="Port to listen on.")
@click.option("--payment-url", help="Where the payment service answers. Default: JEJAK_PAYMENT_URL")
def main(host: str, port: int, payment_url: str | None) -> None:
    """Play the demonstration's bank at /bank. Its keys lie in the data folder's bank/."""
    settings = Settings()
    target = payment_url or settings.payment_url or f"http://{settings.host}:{settings.port}"
    session = secret(settings, "session")
    keys = open_keys(settings.data, secret(settings, "bank"))
    pages = Pages(TEMPLATES, secret=session, links=settings.urls)
    app = build_app(
        "Bank",
        [bank_router(pages, keys, lambda request: target)],
        pages=pages,
        accounts=Accounts([]),
        secret=session,
    )
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
