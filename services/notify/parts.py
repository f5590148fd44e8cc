"""What notify's rooms share, made once: texts, rules, channels, and who may be told how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.notify.channels import Channel
from services.notify.channels.providers import build_channels, our_address
from services.notify.channels.routes import OUTBOX
from services.notify.channels.sms import ReportSigner
from services.notify.log.corrected import Corrections
from services.notify.log.lists import Lists
from services.notify.log.resend import Resending
from services.notify.people.contacts import Contacts
from services.notify.people.persons import Persons
from services.notify.people.recipients import Directory
from services.notify.reactions import Reactions
from services.notify.replies.parts import Replies, build_replies
from services.notify.rulebook.quiet import Nights
from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import Templates
from services.notify.sending.escalation import Escalation
from services.notify.sending.mornings import Mornings
from services.notify.sending.outcomes import Outcomes
from services.notify.sending.papers import Papers
from services.notify.sending.sender import Limits, Sender
from services.notify.sending.ways import Ways
from services.notify.traffic.gate import Gate
from services.notify.traffic.pace import Speed
from services.notify.views import MessageViews, Windows
from shared.database import Database
from shared.reactions import Reaction
from shared.service import Kernel
from shared.settings import Settings

RULEBOOK = Path(__file__).parent / "rulebook"


@dataclass(frozen=True)
class Parts:
    """The shared parts; ``channels`` and ``pace`` are by the channel's name."""

    kernel: Kernel
    database: Database
    templates: Templates
    rules: Rules
    signer: ReportSigner
    channels: Mapping[str, Channel]
    pace: Mapping[str, Speed]
    persons: Persons
    contacts: Contacts
    views: MessageViews
    gate: Gate
    outcomes: Outcomes
    directory: Directory
    nights: Nights

    @property
    def available(self) -> frozenset[str]:
        """The channels that reach a person; the outbox reaches nobody."""
        return frozenset(self.channels) - {OUTBOX}


def make_parts(kernel: Kernel, database: Database) -> Parts:
    """Return the parts. Raises BadConfiguration for a wrong rule, template or channel."""
    templates = Templates.load(RULEBOOK / "texts")
    rules = Rules.load(kernel.settings.notify_rules or RULEBOOK / "rules.yaml", templates)
    signer, persons = ReportSigner(kernel.secret("reports")), Persons(kernel.secret("persons"))
    channels, pace = build_channels(kernel, signer), speeds(kernel.settings)
    contacts = Contacts(kernel.handler, persons, kernel.now)
    gate = Gate(database, kernel.now, pace)
    ways = Ways(rules, contacts, channels, gate.closed)
    return Parts(
        kernel=kernel,
        database=database,
        templates=templates,
        rules=rules,
        signer=signer,
        channels=channels,
        pace=pace,
        persons=persons,
        contacts=contacts,
        views=MessageViews(database),
        gate=gate,
        outcomes=Outcomes(ways, gate, contacts, templates, kernel.now),
        directory=Directory(kernel.store, kernel.codec, kernel.catalogue, kernel.accounts),
        nights=Nights(rules.quiet_hours, kernel.catalogue.offices),
    )


def make_sender(parts: Parts) -> Sender:
    """Return what empties the queue."""
    kernel = parts.kernel
    papers = Papers(kernel.store, kernel.codec, kernel.catalogue, places(kernel))
    return Sender(
        kernel.handler,
        parts.views,
        parts.channels,
        parts.rules,
        parts.templates,
        parts.outcomes,
        kernel.now,
        Mornings(parts.rules, parts.nights),
        Limits(windows=windows(kernel.settings)),
        papers.of,
    )


def make_reactions(parts: Parts) -> dict[type[Any], Reaction]:
    """Return what is done about others' events, and about alerts that reached nobody."""
    kernel = parts.kernel
    reactions = Reactions(
        kernel.handler,
        parts.rules,
        parts.templates,
        parts.directory,
        parts.contacts,
        parts.available,
        kernel.now,
        nights=parts.nights,
    )
    escalation = Escalation(kernel.handler, parts.rules, parts.directory, kernel.now)
    corrections = Corrections(Lists(parts.database), make_resending(parts))
    return {**reactions.table(), **escalation.table(), **corrections.table()}


def make_resending(parts: Parts) -> Resending:
    """Return what orders messages anew."""
    kernel = parts.kernel
    return Resending(
        kernel.handler,
        parts.rules,
        parts.contacts,
        parts.available,
        kernel.now,
        parts.directory.submitted,
    )


def make_replies(parts: Parts) -> Replies:
    """Return what hears people out and answers them."""
    settings = parts.kernel.settings
    return build_replies(
        parts.kernel,
        parts.database,
        persons=parts.persons,
        contacts=parts.contacts,
        directory=parts.directory,
        rules=parts.rules,
        templates=parts.templates,
        available=parts.available,
        address=settings.urls["intake"] or our_address(settings),
    )


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


def speeds(settings: Settings) -> Mapping[str, Speed]:
    """Return how fast each channel may be used by this process."""
    return {
        "whatsapp": Speed(settings.whatsapp_per_second, settings.whatsapp_gap_seconds),
        "sms": Speed(settings.kannel_per_second),
        "twilio": Speed(settings.twilio_per_second),
        "8x8": Speed(settings.eightx8_per_second),
        "email": Speed(settings.mail_per_second),
    }
