"""What we say back, by the same queue as every message; each answer once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from services.notify.channels.routes import route
from services.notify.message import DECIDER, message_stream
from services.notify.message.commands import BY, QueueMessage
from services.notify.people.contact import language_of
from services.notify.people.contacts import Contacts
from services.notify.rulebook.wording import Templates
from services.notify.sending.outcomes import WRITER
from shared.contracts.notify import ReplyReceived
from shared.events import Recorded
from shared.handle import Handler
from shared.ids import derived_id
from shared.phone import reachable
from shared.text import msg
from shared.web.i18n import DEFAULT_LANGUAGE

# Why workflow does not take an officer's reply, by the code of its refusal.
REASONS: Final = {
    "stall-already-explained": msg("it was explained before"),
    "permit-already-closed": msg("the file is closed"),
    "unknown-stall": msg("no explanation is asked for"),
    "other-role": msg("your account may not explain this step"),
    "other-office": msg("the file belongs to another office"),
}
OTHER_REASON: Final = msg("your account may not do this now")


class Answers:
    """Queues answers to those who write."""

    def __init__(
        self,
        handler: Handler,
        templates: Templates,
        contacts: Contacts,
        available: frozenset[str],
        now: Callable[[], datetime],
    ) -> None:
        """``available`` names the channels that this installation has."""
        self._handler = handler
        self._templates = templates
        self._contacts = contacts
        self._available = available
        self._now = now

    async def language(self, number: str, otherwise: str = DEFAULT_LANGUAGE) -> str:
        """Return the language in which a writer is answered."""
        return language_of(await self._contacts.of(number), otherwise)

    async def say(
        self,
        reply: ReplyReceived,
        recorded: Recorded,
        template_id: str,
        parameters: Mapping[str, str],
        *,
        language: str,
        about: str = "",
        office: str = "",
        once: str = "",
    ) -> bool:
        """Queue one answer where the reply came from; say whether it is this event's answer.

        ``about`` is the application, else the writer's own name stands for it. ``once`` makes
        answers of one kind, such as those of a day, one and the same.
        """
        if not reachable(reply.sender):
            # A company's short code or name: nobody reads there, and machines answer machines.
            return False
        template = self._templates.current(template_id)
        message_id = derived_id("answer", once or recorded.event_id, template.id)
        command = QueueMessage(
            application_id=about or recorded.correlation_id,
            message_id=message_id,
            office=office,
            rule=template.id,
            audience=WRITER,
            channel=route((reply.channel,), self._available)[0],
            recipient=reply.sender,
            language=language,
            template=template.id,
            template_version=template.version,
            parameters={name: parameters[name] for name in template.parameters},
            now=self._now(),
            by=BY,
        )
        stream = message_stream(message_id)
        await self._handler.handle(
            DECIDER,
            stream,
            command,
            cause=recorded.event_id,
            application=command.application_id,
        )
        first = (await self._handler.store.read_stream(stream))[0]
        return first.cause_id == recorded.event_id
