"""Wires notify's rooms together; what they share is made in ``parts``, every rule is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from services.notify.api import messages_router
from services.notify.channels.providers import our_address, plain
from services.notify.log.drawing import Drawing
from services.notify.log.lists import FollowUpsProjection, Lists
from services.notify.log.pages import LogPages, log_key, log_pages
from services.notify.pages import pages_router
from services.notify.parts import (
    Parts,
    make_parts,
    make_reactions,
    make_replies,
    make_resending,
    make_sender,
)
from services.notify.people.applications import Applications, ApplicationsProjection
from services.notify.people.contacts import ContactsProjection
from services.notify.people.preferences import Preferences, preference_pages
from services.notify.replies.inbox import Inbox
from services.notify.replies.parts import Replies
from services.notify.rulebook.pages import WordingPages, wording_router
from services.notify.sending.reports import Reports
from services.notify.sending.sender import Sender
from services.notify.traffic.pages import ChannelPages, channel_router
from services.notify.views import MessagesProjection
from services.notify.webhooks import WebhookSecrets, webhooks_router
from shared.database import Database
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel, Service
from shared.topics import INTAKE, NOTIFY, PAYMENT, WORKFLOW
from shared.web.door import Door

HEARD = (INTAKE.name, WORKFLOW.name, PAYMENT.name, NOTIFY.name)


def build(kernel: Kernel, database: Database) -> Service:
    """Return the notify service. Raises BadConfiguration for a wrong rule, template or channel."""
    parts = make_parts(kernel, database)
    sender, replies = make_sender(parts), make_replies(parts)
    table = make_reactions(parts)
    return Service(
        name="notify",
        database=database,
        routers=_routers(parts, replies.inbox),
        projectors=_projectors(parts, sender, replies),
        reactors=[
            Reactor("notify.reactions", HEARD, table, kernel.codec, database),
            replies.reactor,
        ],
        tasks={"sender": sender.run},
    )


def _projectors(parts: Parts, sender: Sender, replies: Replies) -> Sequence[Projector]:
    kernel, database, changed = parts.kernel, parts.database, set[str]()

    def progress(position: int) -> None:
        sender.wake()
        while changed:
            kernel.hub.publish(log_key(changed.pop()))

    messages = MessagesProjection(kernel.codec, parts.persons, changed.add)
    return [
        Projector(messages, database, progress),
        Projector(ContactsProjection(kernel.codec), database),
        Projector(ApplicationsProjection(kernel.codec), database),
        Projector(FollowUpsProjection(kernel.codec), database),
        replies.projector,
    ]


def _routers(parts: Parts, inbox: Inbox) -> Sequence[APIRouter]:
    kernel, lists = parts.kernel, Lists(parts.database)
    applications = Applications(parts.database)
    reports = Reports(kernel.handler, parts.views, parts.outcomes, parts.persons, kernel.now)
    drawing = Drawing(kernel.handler, lists, parts.rules, parts.templates, kernel.catalogue)
    log = LogPages(kernel.pages, kernel.hub, applications, lists, drawing, make_resending(parts))
    return [
        webhooks_router(reports, inbox, _secrets(parts)),
        messages_router(log),
        pages_router(log, parts.views),
        log_pages(log),
        preference_pages(_preferences(parts, applications)),
        channel_router(_channel_pages(parts)),
        wording_router(WordingPages(kernel.pages, parts.rules, parts.templates, parts.nights)),
    ]


def _channel_pages(parts: Parts) -> ChannelPages:
    kernel = parts.kernel
    pages = ChannelPages(
        kernel.pages,
        kernel.hub,
        parts.gate,
        parts.views,
        kernel.catalogue,
        parts.channels,
        parts.pace,
        kernel.now,
    )
    parts.gate.on_news = pages.publish
    return pages


def _preferences(parts: Parts, applications: Applications) -> Preferences:
    kernel = parts.kernel
    secret, secure = kernel.secret("kabar"), kernel.settings.https
    door = Door(applications.find, secret, name="kabar", secure=secure)
    return Preferences(kernel.pages, door, parts.contacts, parts.directory.submitted)


def _secrets(parts: Parts) -> WebhookSecrets:
    """Return what providers' webhooks are verified with."""
    settings = parts.kernel.settings
    return WebhookSecrets(
        phone_id=settings.whatsapp_phone_id,
        app_secret=plain(settings.whatsapp_app_secret),
        verify_token=plain(settings.whatsapp_verify_token),
        twilio_token=plain(settings.twilio_token),
        address=our_address(settings),
        signer=parts.signer,
    )
