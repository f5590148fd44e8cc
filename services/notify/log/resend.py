"""Sending again what did not arrive: a new message; the old one stays what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from services.notify.channels.routes import GROUP_CHANNELS, route
from services.notify.log.reasons import reason_of
from services.notify.message import (
    DECIDER,
    Failed,
    Message,
    NotQueued,
    Unknown,
    message_stream,
)
from services.notify.message.commands import QueueMessage
from services.notify.people.contact import OPTED_OUT, ordered
from services.notify.people.contacts import Contacts
from services.notify.people.recipients import GROUP
from services.notify.refusals import (
    AlertOvertaken,
    AlreadyResent,
    NotFailed,
    NumberUnusable,
    RecipientOptedOut,
    StillResolving,
)
from services.notify.rulebook.rules import Rules
from services.notify.sending.digest import leaves
from services.notify.sending.overtaken import Overtaken
from shared.contracts.notify import MessageQueued
from shared.errors import NotFound, Refused
from shared.handle import Handler, Loaded
from shared.identity import Account
from shared.ids import derived_id

# Where the rule was removed since.
_ANY = ("whatsapp", "sms")


def resend_id(message_id: str) -> str:
    """Return the id of the message that goes out in place of another: each has at most one.

    A resend that fails too may be sent again itself, so the chain counts the tries.
    """
    return derived_id("resend", message_id)


def check(state: Message, resend: Message) -> MessageQueued:
    """Return the message to send again.

    Raises NotFailed, StillResolving, AlreadyResent, NumberUnusable and RecipientOptedOut.
    """
    match state:
        case Unknown(resent=False):
            raise StillResolving
        case Failed() | Unknown():
            pass
        case _:
            raise NotFailed
    if not isinstance(resend, NotQueued):
        raise AlreadyResent
    if isinstance(state, Failed):
        if state.reason == OPTED_OUT:
            raise RecipientOptedOut
        if not reason_of(state.reason).again:
            raise NumberUnusable
    return state.message


class Resending:
    """Orders messages anew, for people who may."""

    def __init__(
        self,
        handler: Handler,
        rules: Rules,
        contacts: Contacts,
        available: frozenset[str],
        now: Callable[[], datetime],
    ) -> None:
        """``available`` names the channels that this installation has."""
        self._handler = handler
        self._rules = rules
        self._overtaken = Overtaken(handler, rules)
        self._contacts = contacts
        self._available = available
        self._now = now

    async def again(self, message_id: str, account: Account, key: str) -> str:
        """Queue a message again and return the new one's id; ``key`` names the request.

        Raises NotFound for a message of another office, and what ``check`` raises; AlertOvertaken.
        """
        loaded = await self._load(message_id)
        if isinstance(loaded.state, NotQueued) or loaded.state.message.office != account.office:
            raise NotFound
        cause = derived_id("resend", account.username, key)
        new = resend_id(message_id)
        earlier = await self._load(new)
        if earlier.events and earlier.events[0].cause_id == cause:
            return new
        message = check(loaded.state, earlier.state)
        if await self._yesterdays(loaded):
            raise AlertOvertaken
        await self._handler.handle(
            DECIDER,
            message_stream(new),
            await self._command(message, new, account),
            cause=cause,
            application=message.application_id,
        )
        return new

    async def many(self, messages: Iterable[str], account: Account, key: str) -> tuple[int, int]:
        """Send several again; return how many were, and how many were refused."""
        done = refused = 0
        for message_id in messages:
            try:
                await self.again(message_id, account, key)
                done += 1
            except Refused:
                refused += 1
        return done, refused

    async def _yesterdays(self, loaded: Loaded[Message]) -> bool:
        """Say whether the files of an alert, or of all that it told in one, have moved on."""
        assert not isinstance(loaded.state, NotQueued)
        if not loaded.state.message.gathers:
            return await self._overtaken.by_events(loaded)
        for one in await leaves(self._handler, loaded.state.message):
            if not await self._overtaken.by_events(one):
                return False
        return True

    async def _load(self, message_id: str) -> Loaded[Message]:
        return await self._handler.load(DECIDER, message_stream(message_id))

    async def _command(self, message: MessageQueued, new: str, account: Account) -> QueueMessage:
        wished = await self._contacts.of(message.recipient)
        channels = ordered(wished, self._rules.channels(message.rule) or _ANY)
        if not channels:
            raise RecipientOptedOut
        if message.audience == GROUP:
            channels = GROUP_CHANNELS
        return QueueMessage(
            application_id=message.application_id,
            message_id=new,
            office=message.office,
            rule=message.rule,
            audience=message.audience,
            channel=route(channels, self._available)[0],
            recipient=message.recipient,
            language=message.language,
            template=message.template,
            template_version=message.template_version,
            parameters=message.parameters,
            attachment=message.attachment,
            resend_of=message.message_id,
            gathers=message.gathers,
            now=self._now(),
            by=account.actor,
        )
