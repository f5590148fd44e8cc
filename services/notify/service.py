"""Wires notify's parts together; every rule is elsewhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from services.notify.api import messages_router
from services.notify.channel_pages import ChannelPages, channel_router
from services.notify.channels.sms import ReportSigner
from services.notify.contacts import Contacts, ContactsProjection
from services.notify.escalation import Escalation
from services.notify.gate import Gate
from services.notify.log.drawing import Drawing
from services.notify.log.lists import ApplicationsProjection, FollowUpsProjection, Lists
from services.notify.log.pages import LogPages, log_key, log_pages
from services.notify.log.resend import Resending
from services.notify.outcomes import Outcomes
from services.notify.pages import pages_router
from services.notify.papers import Papers
from services.notify.persons import Persons
from services.notify.preferences import Preferences, preference_pages
from services.notify.providers import build_channels, our_address, plain, speeds
from services.notify.quiet import Nights
from services.notify.reactions import OUTBOX, Reactions
from services.notify.recipients import Directory
from services.notify.replies.parts import build_replies
from services.notify.reports import Reports
from services.notify.rules import Rules
from services.notify.sender import Limits, Sender
from services.notify.views import MessagesProjection, MessageViews, Windows
from services.notify.ways import Ways
from services.notify.webhooks import WebhookSecrets, webhooks_router
from services.notify.wording import Templates
from services.notify.wording_pages import WordingPages, wording_router
from shared.database import Database
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel, Service
from shared.settings import Settings
from shared.topics import INTAKE, NOTIFY, PAYMENT, WORKFLOW
from shared.web.door import Door

HERE = Path(__file__).parent
HEARD = (INTAKE.name, WORKFLOW.name, PAYMENT.name, NOTIFY.name)


def build(kernel: Kernel, database: Database) -> Service:
    """Return the notify service. Raises BadConfiguration for a wrong rule or template."""
    templates = Templates.load(HERE / "texts")
    rules = Rules.load(kernel.settings.notify_rules or HERE / "rules.yaml", templates)
    signer = ReportSigner(kernel.secret("reports"))
    channels = build_channels(kernel, signer)
    views, persons = MessageViews(database), Persons(kernel.secret("persons"))
    contacts = Contacts(kernel.handler, persons, kernel.now)
    limits = Limits(windows=windows(kernel.settings))
    pace = speeds(kernel.settings)
    gate = Gate(database, kernel.now, pace)
    ways = Ways(rules, contacts, channels, gate.closed)
    outcomes = Outcomes(ways, gate, contacts, templates, kernel.now)
    papers = Papers(kernel.store, kernel.codec, kernel.catalogue, places(kernel))
    sender = Sender(
        kernel.handler,
        views,
        channels,
        rules,
        templates,
        outcomes,
        kernel.now,
        limits,
        papers.of,
    )
    directory = Directory(kernel.store, kernel.codec, kernel.catalogue, kernel.accounts)
    available = frozenset(channels) - {OUTBOX}
    nights = Nights(rules.quiet_hours, kernel.catalogue.offices)
    reactions = Reactions(
        kernel.handler,
        rules,
        templates,
        directory,
        contacts,
        available,
        kernel.now,
        nights=nights,
    )
    replies = build_replies(
        kernel,
        database,
        persons=persons,
        contacts=contacts,
        directory=directory,
        rules=rules,
        templates=templates,
        available=available,
        address=kernel.settings.urls["intake"] or our_address(kernel.settings),
    )
    escalation = Escalation(kernel.handler, rules, directory, kernel.now)
    reacting = {**reactions.table(), **escalation.table()}
    reports = Reports(kernel.handler, views, outcomes, persons, kernel.now)
    health = ChannelPages(
        kernel.pages, kernel.hub, gate, views, kernel.catalogue, channels, pace, kernel.now
    )
    gate.on_news = health.publish
    resending = Resending(kernel.handler, rules, contacts, available, kernel.now)
    log = build_log(kernel, database, templates, resending)
    changed: set[str] = set()

    def progress(position: int) -> None:
        sender.wake()
        while changed:
            kernel.hub.publish(log_key(changed.pop()))

    messages = MessagesProjection(kernel.codec, persons, changed.add)
    wishes = ContactsProjection(kernel.codec)
    return Service(
        name="notify",
        database=database,
        routers=[
            webhooks_router(reports, replies.inbox, webhook_secrets(kernel.settings, signer)),
            messages_router(log),
            pages_router(log, views),
            log_pages(log),
            preference_pages(build_preferences(kernel, log.lists, contacts, directory)),
            channel_router(health),
            wording_router(WordingPages(kernel.pages, rules, templates, nights)),
        ],
        projectors=[
            Projector(messages, database, progress),
            Projector(wishes, database),
            Projector(ApplicationsProjection(kernel.codec), database),
            Projector(FollowUpsProjection(kernel.codec), database),
            replies.projector,
        ],
        reactors=[
            Reactor("notify.reactions", HEARD, reacting, kernel.codec, database),
            replies.reactor,
        ],
        tasks={"sender": sender.run},
    )


def build_log(
    kernel: Kernel, database: Database, templates: Templates, resending: Resending
) -> LogPages:
    """Return what the pages about messages stand on."""
    lists = Lists(database)
    drawing = Drawing(kernel.handler, lists, templates, kernel.catalogue)
    return LogPages(kernel.pages, kernel.hub, lists, drawing, resending)


def build_preferences(
    kernel: Kernel, lists: Lists, contacts: Contacts, directory: Directory
) -> Preferences:
    """Return what the page of a person's wishes stands on."""
    secret, secure = kernel.secret("kabar"), kernel.settings.https
    door = Door(lists.find, secret, name="kabar", secure=secure)
    return Preferences(kernel.pages, door, contacts, directory.submitted)


def windows(settings: Settings) -> Windows:
    """Return how long outcomes are waited for."""
    return Windows(
        stuck=timedelta(seconds=settings.message_stuck_seconds),
        unknown=timedelta(seconds=settings.message_unknown_seconds),
    )


def places(kernel: Kernel) -> dict[str, str]:
    """Return where people reach the pages that papers lead to, one by one or at one origin."""
    return {
        name: kernel.pages.link(name, "") or our_address(kernel.settings)
        for name in ("workflow", "payment")
    }


def webhook_secrets(settings: Settings, signer: ReportSigner) -> WebhookSecrets:
    """Return what providers' webhooks are verified with."""
    return WebhookSecrets(
        phone_id=settings.whatsapp_phone_id,
        app_secret=plain(settings.whatsapp_app_secret),
        verify_token=plain(settings.whatsapp_verify_token),
        twilio_token=plain(settings.twilio_token),
        address=our_address(settings),
        signer=signer,
    )
