"""``python -m deploy.bank``: the bank as a program of its own, beside services of their own."""

from __future__ import annotations

import click

from deploy.bank.opening import HOST_PORT
from deploy.bank.program import office_address, run
from shared.settings import Settings


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=HOST_PORT, show_default=True, help="Port to listen on.")
@click.option("--payment-url", help="Where the payment service answers. Default: JEJAK_PAYMENT_URL")
def main(host: str, port: int, payment_url: str | None) -> None:
    """Play the demonstration's bank at /bank. Its books and keys lie in the data folder's bank/."""
    settings = Settings()
    run(settings, host, port, payment_url or office_address(settings))


if __name__ == "__main__":
    main()
