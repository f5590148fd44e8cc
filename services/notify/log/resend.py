"""Sending again what did not arrive: a new message; the old one stays what it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
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
from services.notify.message.commands import BY, QueueMessage
from services.notify.people.contact import OPTED_OUT, ordered
from services.notify.people.contacts import Contacts
from services.notify.people.recipients import APPLICANT, GROUP
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
from shared.actors import Actor
from shared.contracts.intake import ApplicationSubmitted
from shared.contracts.notify import MessageQueued
from shared.errors import NotFound, Refused
from shared.handle import Handler, Loaded
from shared.identity import Account
from shared.ids import derived_id

Submitted = Callable[[str], Awaitable[ApplicationSubmitted | None]]
"""Application -> what was submitted, with the number that the applicant has now."""
# Where the rule was removed since.
_ANY = ("whatsapp", "sms")


def resend_id(message_id: str) -> str:
    """Return the id of the message that goes out in place of another: each has at most one.

    A resend that fails too may be sent again itself, so the chain counts the tries.
    """
    return derived_id("resend", message_id)


def check(state: Message, resend: Message, *, moved: bool = False) -> MessageQueued:
    """Return the message to send again; ``moved``: its recipient has another number by now.

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
    if isinstance(state, Failed) and not moved:
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
        submitted: Submitted,
    ) -> None:
        """``available`` names the channels of this installation; ``submitted`` who applied."""
        self._handler = handler
        self._rules = rules
        self._overtaken = Overtaken(handler, rules)
        self._contacts = contacts
        self._available = available
        self._now = now
        self._submitted = submitted

    async def again(self, message_id: str, account: Account, key: str) -> str:
        """Queue a message again and return the new one's id; ``key`` names the request.

        Raises NotFound for a message of another office, and what ``check`` raises; AlertOvertaken.
        """
        loaded = await self._load(message_id)
        if isinstance(loaded.state, NotQueued) or loaded.state.message.office != account.office:
            raise NotFound
        cause = derived_id("resend", account.username, key)
        return await self._order(loaded, account.actor, cause)

    async def to_new_number(self, message_id: str, cause: str) -> str:
        """Queue a message again since its applicant's number was put right; ``cause`` says so.

        Raises what ``check`` raises.
        """
        return await self._order(await self._load(message_id), BY, cause)

    async def _order(self, loaded: Loaded[Message], by: Actor, cause: str) -> str:
        assert not isinstance(loaded.state, NotQueued)
        new = resend_id(loaded.state.message.message_id)
        earlier = await self._load(new)
        if earlier.events and earlier.events[0].cause_id == cause:
            return new
        recipient = await self._recipient(loaded.state.message)
        moved = recipient != loaded.state.message.recipient
        message = check(loaded.state, earlier.state, moved=moved)
        if await self._yesterdays(loaded):
            raise AlertOvertaken
        await self._handler.handle(
            DECIDER,
            message_stream(new),
            await self._command(replace(message, recipient=recipient), new, by),
            cause=cause,
            application=message.application_id,
        )
        return new

    async def _recipient(self, message: MessageQueued) -> str:
        """Return whom a message goes to now: an applicant's number may have been put right."""
        if message.audience != APPLICANT or "@" in message.recipient:
            return message.recipient
        submitted = await self._submitted(message.application_id)
        return submitted.applicant.phone if submitted is not None else message.recipient

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

    async def _command(self, message: MessageQueued, new: str, by: Actor) -> QueueMessage:
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
            by=by,
        )
