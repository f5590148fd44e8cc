"""The channels that this installation has, from its settings."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from pydantic import SecretStr

from services.notify.channels import Channel
from services.notify.channels.eightx8 import EightX8
from services.notify.channels.http import client
from services.notify.channels.kannel import Kannel
from services.notify.channels.mail import Mail, sender_of, server_of
from services.notify.channels.outbox import Outbox
from services.notify.channels.sms import ReportSigner
from services.notify.channels.twilio import Twilio
from services.notify.channels.whatsapp import WhatsApp
from shared.errors import BadConfiguration
from shared.service import Kernel
from shared.settings import Settings


def build_channels(kernel: Kernel, signer: ReportSigner) -> dict[str, Channel]:
    """Return the channels that the settings name, and always the outbox.

    Raises BadConfiguration for an address whose host is not on the list of allowed ones.
    """
    settings = kernel.settings
    hosts = allowed_hosts(settings)
    channels: list[Channel] = [Outbox(settings.data / "outbox", kernel.now)]
    if settings.whatsapp_url and settings.whatsapp_phone_id:
        http, token = client(settings.whatsapp_url, hosts), plain(settings.whatsapp_token)
        channels.append(WhatsApp(http, settings.whatsapp_phone_id, token))
    channels.extend(_sms_providers(settings, signer))
    if settings.mail_url:
        password = plain(settings.mail_password)
        server = server_of(settings.mail_url, settings.mail_user, password)
        channels.append(Mail(server, sender_of(settings.mail_sender), kernel.now))
    return {channel.name: channel for channel in channels}


def _sms_providers(settings: Settings, signer: ReportSigner) -> Iterator[Channel]:
    reports, hosts = our_address(settings), allowed_hosts(settings)
    if settings.kannel_url:
        yield Kannel(
            client(settings.kannel_url, hosts, private=True),
            user=settings.kannel_user,
            password=plain(settings.kannel_password),
            sender=settings.kannel_sender,
            reports=reports,
            signer=signer,
        )
    if settings.twilio_url:
        yield Twilio(
            client(settings.twilio_url, hosts),
            account=settings.twilio_account,
            token=plain(settings.twilio_token),
            sender=settings.twilio_sender,
            reports=reports,
        )
    if settings.eightx8_url:
        yield EightX8(
            client(settings.eightx8_url, hosts),
            account=settings.eightx8_account,
            key=plain(settings.eightx8_key),
            sender=settings.eightx8_sender,
            reports=reports,
            signer=signer,
        )


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts that providers may live at; none: the hosts of their own addresses.

    Raises BadConfiguration for a provider's address that is not among them.
    """
    named = frozenset(settings.outbound_hosts.lower().replace(",", " ").split())
    for name in ("whatsapp", "kannel", "twilio", "eightx8", "mail"):
        address = getattr(settings, f"{name}_url")
        if named and address and httpx.URL(address).host.lower() not in named:
            raise BadConfiguration(
                file=f"JEJAK_{name.upper()}_URL",
                reason="its host is not one of JEJAK_OUTBOUND_HOSTS",
            )
    return named


def our_address(settings: Settings) -> str:
    """Return where providers reach us: it must be the public one, or no report arrives."""
    return settings.notify_url.rstrip("/") or f"http://{settings.host}:{settings.port}"


def plain(given: SecretStr | None) -> str:
    """Return a secret setting as it is; empty where none is given."""
    return given.get_secret_value() if given is not None else ""
