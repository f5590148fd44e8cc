"""Makes incoming messages durable; what they mean is looked at afterwards, by a reaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

from services.notify.people.persons import Persons
from services.notify.replies.incoming import Incoming
from services.notify.replies.reply import DECIDER, ReceiveReply, reply_stream
from services.notify.views import MessageViews
from shared.actors import system
from shared.handle import Handler

BY = system("provider")


class Inbox:
    """Receives messages, each once."""

    def __init__(
        self,
        handler: Handler,
        views: MessageViews,
        persons: Persons,
        now: Callable[[], datetime],
    ) -> None:
        """``views`` find our message by the provider's id of it."""
        self._handler = handler
        self._views = views
        self._persons = persons
        self._now = now

    async def receive(self, messages: Iterable[Incoming]) -> None:
        """Record all messages of one call, side by side: they share the store's commits."""
        await asyncio.gather(*map(self._receive, messages))

    async def _receive(self, message: Incoming) -> None:
        answers = await self._views.by_provider(message.answers) if message.answers else None
        now = self._now()
        await self._handler.handle(
            DECIDER,
            reply_stream(message.reply_id),
            ReceiveReply(
                reply_id=message.reply_id,
                channel=message.channel,
                sender=message.sender,
                text=message.text,
                received_at=message.received_at or now.isoformat(),
                in_reply_to=answers or "",
                now=now,
                by=BY,
            ),
            cause=message.reply_id,
            # The writer stands for the application: their messages stay in order on the topic.
            application=self._persons.of(message.sender),
        )
