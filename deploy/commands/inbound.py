"""``jejak inbound``: the addresses to write into the gateway's and the provider's settings."""

from __future__ import annotations

import click

from deploy.console import Session, answer, as_json
from deploy.wiring import secret
from services.notify.channels.providers import our_address
from services.notify.channels.sms import ReportSigner
from services.notify.webhooks import INCOMING


@click.command()
@as_json
@click.pass_obj
def inbound(session: Session, as_json: bool) -> None:
    """Print where SMS gateways hand in what people write. The first address holds a secret."""
    base = our_address(session.settings)
    signed = ReportSigner(secret(session.settings, "reports")).sign(INCOMING)
    fields = "sender=%p&text=%b&charset=%C&time=%t&id=%I&smsc=%i"
    addresses = {
        "kannel": f"{base}/webhooks/kannel/{INCOMING}?s={signed}&{fields}",
        "twilio": f"{base}/webhooks/twilio/{INCOMING}",
        "whatsapp": f"{base}/webhooks/whatsapp",
    }

    def text(out: object) -> None:
        # As it is: a gateway's settings take no line breaks.
        for name, address in addresses.items():
            click.echo(f"{name:10}{address}")

    answer(addresses, text, as_json=as_json)
