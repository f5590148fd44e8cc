"""What notify does about other services' events: the rules say who is told, here it is queued.

Every event type that a rule may name leads to QueueMessage, once per rule and recipient.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from services.notify.channels.routes import EMAIL, GROUP_CHANNELS, rings, route
from services.notify.message import DECIDER, message_stream
from services.notify.message.commands import BY, QueueMessage
from services.notify.people.contact import language_of, ordered
from services.notify.people.contacts import Contacts
from services.notify.people.recipients import GROUP, Directory, Recipient, by_mail
from services.notify.rulebook.quiet import Nights
from services.notify.rulebook.rules import OFFERED, Rule, Rules
from services.notify.rulebook.wording import Templates
from shared.contracts import BY_NAME
from shared.contracts.intake import ApplicationSubmitted
from shared.events import Recorded
from shared.handle import Handler
from shared.ids import derived_id
from shared.reactions import Reaction
from shared.telemetry import log


class Reactions:
    """Queues messages."""

    def __init__(
        self,
        handler: Handler,
        rules: Rules,
        templates: Templates,
        directory: Directory,
        contacts: Contacts,
        available: frozenset[str],
        now: Callable[[], datetime],
        *,
        nights: Nights,
    ) -> None:
        """``available`` names the channels that this installation has."""
        self._nights = nights
        self._handler = handler
        self._rules = rules
        self._templates = templates
        self._directory = directory
        self._contacts = contacts
        self._available = available
        self._now = now

    def table(self) -> dict[type[Any], Reaction]:
        """Return event class -> reaction, for the events that a rule may name."""
        return {BY_NAME[name].cls: self.on_event for name in OFFERED}

    async def on_event(self, event: Any, recorded: Recorded) -> None:
        """Queue what the rules say about one event."""
        named = self._rules.of_event(recorded.type)
        rules = [rule for rule in named if rule.applies_to(event)]
        # An imported log or a long outage must not wake people up about the past.
        oldest = self._now() - timedelta(hours=self._rules.stale_hours)
        if not rules or recorded.occurred_at < oldest:
            return
        submitted = await self._directory.submitted(event.application_id)
        if submitted is None:
            log.error("nobody_to_tell", event_id=recorded.event_id, type=recorded.type)
            return
        told = [
            (rule, person)
            for rule in rules
            for person in await self._people(rule, event, submitted)
        ]
        # Whoever is reached by two rules is told once: by the one that tells them first.
        told.sort(key=lambda pair: pair[1].wait)
        once = {person.number: (rule, person) for rule, person in reversed(told)}
        for rule, person in reversed(once.values()):
            await self._queue(rule, person, event, submitted, recorded)

    async def _people(
        self, rule: Rule, event: Any, submitted: ApplicationSubmitted
    ) -> list[Recipient]:
        if rule.by_mail:
            # What goes by e-mail is told by telephone too: without a server nothing is missed.
            return by_mail(rule.audience, submitted) if EMAIL in self._available else []
        return await self._directory.recipients(
            rule.audience, event, submitted, self._now(), alert=rule.alert
        )

    async def _queue(
        self,
        rule: Rule,
        person: Recipient,
        event: Any,
        submitted: ApplicationSubmitted,
        recorded: Recorded,
    ) -> None:
        message_id = derived_id(recorded.event_id, rule.id, person.number)
        await self._handler.handle(
            DECIDER,
            message_stream(message_id),
            await self._command(message_id, rule, person, event, submitted),
            cause=recorded.event_id,
            application=event.application_id,
        )

    async def _command(
        self,
        message_id: str,
        rule: Rule,
        person: Recipient,
        event: Any,
        submitted: ApplicationSubmitted,
    ) -> QueueMessage:
        template = self._templates.current(rule.template)
        contact = await self._contacts.of(person.number)
        language = language_of(contact, person.language)
        told = self._directory.parameters(event, submitted, language)
        # Who wants nothing on any of them is told so by the sender, on record and without a call.
        channels = ordered(contact, rule.channels) or rule.channels
        if person.audience == GROUP:
            channels = GROUP_CHANNELS
        way = route(channels, self._available)[0]
        # Where nothing rings, one waits only for the next in turn.
        loud = rings(way)
        return QueueMessage(
            application_id=event.application_id,
            message_id=message_id,
            office=submitted.office,
            rule=rule.id,
            audience=person.audience or rule.audience,
            channel=way,
            recipient=person.number,
            language=language,
            template=template.id,
            template_version=template.version,
            parameters={name: told[name] for name in template.parameters},
            not_before=self._not_before(rule, person, submitted.office, loud=loud),
            digest=(rule.digest or "") if loud else "",
            attachment=rule.attachment,
            refused=person.problem,
            now=self._now(),
            by=BY,
        )

    def _not_before(
        self, rule: Rule, person: Recipient, office: str, *, loud: bool
    ) -> datetime | None:
        """Return until when a message waits: for its turn, its digest, and the morning."""
        now = at = self._now()
        if person.wait:
            at += person.wait
        if loud and rule.digest:
            at += timedelta(minutes=self._rules.digests[rule.digest].minutes)
        if loud and not rule.urgent:
            at = self._nights.after(at, office)
        return at if at > now else None
