"""Wires notify's parts together; every rule is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from services.notify.api import messages_router
from services.notify.channels import Channel
from services.notify.channels.eightx8 import EightX8
from services.notify.channels.http import client
from services.notify.channels.kannel import Kannel
from services.notify.channels.mail import Mail, server_of
from services.notify.channels.outbox import Outbox
from services.notify.channels.sms import ReportSigner
from services.notify.channels.twilio import Twilio
from services.notify.channels.whatsapp import WhatsApp
from services.notify.contacts import Contacts, ContactsProjection
from services.notify.pages import OutboxPages, outbox_key, pages_router
from services.notify.persons import Persons
from services.notify.reactions import OUTBOX, Reactions
from services.notify.recipients import Directory
from services.notify.reports import Reports
from services.notify.rules import Rules
from services.notify.sender import Limits, Sender
from services.notify.views import MessagesProjection, MessageViews, Windows
from services.notify.webhooks import WebhookSecrets, webhooks_router
from services.notify.wording import Templates
from shared.database import Database
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel, Service
from shared.settings import Settings
from shared.topics import INTAKE, PAYMENT, WORKFLOW

HERE = Path(__file__).parent
HEARD = (INTAKE.name, WORKFLOW.name, PAYMENT.name)


def build(kernel: Kernel, database: Database) -> Service:
    """Return the notify service. Raises BadConfiguration for a wrong rule or template."""
    templates = Templates.load(HERE / "texts")
    rules = Rules.load(HERE / "rules.yaml", templates)
    signer = ReportSigner(kernel.secret("reports"))
    channels = build_channels(kernel, signer)
    views, persons = MessageViews(database), Persons(kernel.secret("persons"))
    contacts = Contacts(kernel.handler, persons, kernel.now)
    limits = Limits(windows=windows(kernel.settings))
    sender = Sender(kernel.handler, views, channels, rules, templates, contacts, kernel.now, limits)
    directory = Directory(kernel.store, kernel.codec, kernel.catalogue, kernel.accounts)
    reactions = Reactions(
        kernel.handler,
        rules,
        templates,
        directory,
        contacts,
        frozenset(channels) - {OUTBOX},
        kernel.now,
    )
    reports = Reports(kernel.handler, views, sender, kernel.now)
    outbox = OutboxPages(kernel.pages, views, kernel.handler, templates, kernel.catalogue)
    changed: set[str] = set()

    def progress(position: int) -> None:
        sender.wake()
        while changed:
            kernel.hub.publish(outbox_key(changed.pop()))

    messages = MessagesProjection(kernel.codec, persons, changed.add)
    wishes = ContactsProjection(kernel.codec)
    return Service(
        name="notify",
        database=database,
        routers=[
            webhooks_router(reports, webhook_secrets(kernel.settings, signer)),
            messages_router(views),
            pages_router(outbox, kernel.hub),
        ],
        projectors=[Projector(messages, database, progress), Projector(wishes, database)],
        reactors=[Reactor("notify.reactions", HEARD, reactions.table(), kernel.codec, database)],
        tasks={"sender": sender.run},
    )


def build_channels(kernel: Kernel, signer: ReportSigner) -> dict[str, Channel]:
    """Return the channels that the settings name, and always the outbox."""
    settings = kernel.settings
    channels: list[Channel] = [Outbox(settings.data / "outbox", kernel.now)]
    if settings.whatsapp_url and settings.whatsapp_phone_id:
        http, token = client(settings.whatsapp_url), _plain(settings.whatsapp_token)
        channels.append(WhatsApp(http, settings.whatsapp_phone_id, token))
    channels.extend(_sms_providers(settings, signer))
    if settings.mail_url:
        password = _plain(settings.mail_password)
        server = server_of(settings.mail_url, settings.mail_user, password)
        channels.append(Mail(server, settings.mail_sender, kernel.now))
    return {channel.name: channel for channel in channels}


def _sms_providers(settings: Settings, signer: ReportSigner) -> Iterator[Channel]:
    reports = our_address(settings)
    if settings.kannel_url:
        yield Kannel(
            client(settings.kannel_url),
            user=settings.kannel_user,
            password=_plain(settings.kannel_password),
            sender=settings.kannel_sender,
            reports=reports,
            signer=signer,
        )
    if settings.twilio_url:
        yield Twilio(
            client(settings.twilio_url),
            account=settings.twilio_account,
            token=_plain(settings.twilio_token),
            sender=settings.twilio_sender,
            reports=reports,
        )
    if settings.eightx8_url:
        yield EightX8(
            client(settings.eightx8_url),
            account=settings.eightx8_account,
            key=_plain(settings.eightx8_key),
            sender=settings.eightx8_sender,
            reports=reports,
            signer=signer,
        )


def windows(settings: Settings) -> Windows:
    """Return how long outcomes are waited for."""
    return Windows(
        stuck=timedelta(seconds=settings.message_stuck_seconds),
        unknown=timedelta(seconds=settings.message_unknown_seconds),
    )


def our_address(settings: Settings) -> str:
    """Return where providers reach us: it must be the public one, or no report arrives."""
    return settings.notify_url.rstrip("/") or f"http://{settings.host}:{settings.port}"


def webhook_secrets(settings: Settings, signer: ReportSigner) -> WebhookSecrets:
    """Return what providers' webhooks are verified with."""
    return WebhookSecrets(
        app_secret=_plain(settings.whatsapp_app_secret),
        verify_token=_plain(settings.whatsapp_verify_token),
        twilio_token=_plain(settings.twilio_token),
        address=our_address(settings),
        signer=signer,
    )


def _plain(given: SecretStr | None) -> str:
    return given.get_secret_value() if given is not None else ""
