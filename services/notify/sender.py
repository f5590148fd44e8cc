"""Sends what is queued: each call is announced durably before it is made, and its outcome after.

A crash in between leaves a message whose outcome nobody knows. It is not sent again at once: a
delivery report may still tell; after a window it is sent once more, and that is on record. Without
an outcome again it fails, where people see it: a third copy is nobody's but theirs to send.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from prometheus_client import Counter

from services.notify.channels import Channel, Failed, Later, Outgoing, Result, Sent, Unknown
from services.notify.commands import (
    AttemptMessage,
    Command,
    DeferMessage,
    RecordFailure,
    RecordSent,
    RecordUnknown,
    SupersedeMessage,
)
from services.notify.contact import OPTED_OUT, allows, ordered
from services.notify.contacts import Contacts
from services.notify.message import (
    DECIDER,
    NO_OUTCOME,
    Message,
    NotQueued,
    Queued,
    Sending,
    message_stream,
)
from services.notify.message import Unknown as UnknownOutcome
from services.notify.reactions import BY, route
from services.notify.refusals import NotWaiting
from services.notify.rules import Rules
from services.notify.views import MessageViews, Windows
from services.notify.wording import Templates
from shared.contracts.notify import MessageQueued
from shared.errors import BadConfiguration
from shared.handle import Handler, Loaded
from shared.ids import derived_id, new_id
from shared.patience import patiently
from shared.telemetry import log

ATTEMPTS = 12
# No other channel: what may have arrived twice must not arrive a third time by itself.
GIVEN_UP = Failed(NO_OUTCOME, fallback=False)
LONGEST_WAIT = 600.0
POLL_SECONDS = 1.0
# The line that confirms STOP: the only one that goes out on a channel just refused.
LAST_WORD = "reply-stopped"
BATCH = 200
# What makes an alert about a permit untrue.
MOVED_ON = frozenset(
    {
        "StageCompleted",
        "StageStarted",
        "PermitReturned",
        "PermitIssued",
        "PermitRejected",
        "PermitHandedOver",
        "PermitWithdrawn",
        "PermitClosed",
        "StallExplained",
    }
)

CALLS = Counter("jejak_message_calls_total", "Calls to providers", ["channel", "outcome"])


class Limits(NamedTuple):
    """How many applications' calls run at once (they share the store's commits), and the waits."""

    concurrency: int = 32
    windows: Windows = Windows()


class Sender:
    """The task that empties the queue."""

    def __init__(
        self,
        handler: Handler,
        views: MessageViews,
        channels: Mapping[str, Channel],
        rules: Rules,
        templates: Templates,
        contacts: Contacts,
        now: Callable[[], datetime],
        limits: Limits = Limits(),  # noqa: B008 - an immutable tuple
    ) -> None:
        """``channels`` maps the names that messages carry to what this installation has."""
        self._handler = handler
        self._views = views
        self._channels = channels
        self._rules = rules
        self._templates = templates
        self._contacts = contacts
        self._now = now
        self._limits = limits
        self._room = asyncio.Semaphore(limits.concurrency)
        self._busy: set[str] = set()
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look at the queue now: the read model moved."""
        self._news.set()

    async def run(self) -> None:
        """Send for ever. A call that takes its time holds up its own application alone."""
        async with asyncio.TaskGroup() as calls:
            while True:
                self._news.clear()
                await patiently("sender", lambda: self._begin(calls))
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._news.wait()
                except TimeoutError:
                    continue

    async def round(self) -> None:
        """Deal once with everything that is due now, to the end."""
        async with asyncio.TaskGroup() as calls:
            await self._begin(calls)

    async def _begin(self, calls: asyncio.TaskGroup) -> None:
        due = await self._views.due(self._now(), self._limits.windows, BATCH)
        for application, messages in due.items():
            if application not in self._busy:
                self._busy.add(application)
                calls.create_task(self._in_order(application, messages))

    async def _in_order(self, application: str, messages: Sequence[str]) -> None:
        """Deal with one application's news, in order."""
        try:
            async with self._room:
                for message_id in messages:
                    await self._deal_with(message_id)
        finally:
            self._busy.discard(application)

    async def _deal_with(self, message_id: str) -> None:
        try:
            await self._advance(message_id)
        except NotWaiting:
            # The read model is behind, or another process was quicker.
            return
        except Exception:  # noqa: BLE001 - one message must not hold up the others
            log.exception("message_not_sent", message_id=message_id)

    async def _advance(self, message_id: str) -> None:
        loaded = await self._handler.load(DECIDER, message_stream(message_id))
        state, now, windows = loaded.state, self._now(), self._limits.windows
        match state:
            case Queued() if state.not_before is None or state.not_before <= now:
                if await self._overtaken(loaded):
                    await self._record(state, SupersedeMessage(now=now, by=BY), "superseded")
                else:
                    await self._attempt(state)
            case Sending(attempts=attempt, since=since) if now - since >= windows.stuck:
                lost = RecordUnknown(attempt=attempt, now=now, by=BY)
                await self._record(state, lost, f"stuck:{attempt}")
            case UnknownOutcome(since=since) if now - since >= windows.unknown:
                if state.resent:
                    given_up = await self._failure(state.message, state.channel, GIVEN_UP)
                    await self._record(state, given_up, f"given-up:{state.channel}")
                else:
                    await self._attempt(state)
            case _:
                return

    async def _attempt(self, state: Queued | UnknownOutcome) -> None:
        message, number = state.message, state.attempts + 1
        if not await self._wanted(message, state.channel):
            unwanted = await self._failure(message, state.channel, Failed(OPTED_OUT))
            await self._record(state, unwanted, f"opted-out:{state.channel}:{number}")
            return
        channel = self._channels.get(state.channel)
        outgoing = self._outgoing(message)
        if channel is None or outgoing is None:
            problem = Failed("channel-not-set-up") if outgoing else Failed("template", False)
            refused = await self._command(state, number, problem)
            await self._record(state, refused, f"not-sent:{state.channel}:{number}")
            return
        announced = AttemptMessage(attempt=number, now=self._now(), by=BY)
        # A cause of its own: an id derived from the attempt would let the store take a second
        # process's announcement for this one, and both would call.
        await self._record(state, announced, new_id())
        result = await channel.send(outgoing)
        CALLS.labels(state.channel, type(result).__name__.lower()).inc()
        told = await self._command(state, number, result)
        await patiently(
            "message outcome",
            lambda: self._record(state, told, f"outcome:{state.channel}:{number}"),
            message_id=message.message_id,
        )

    async def _command(
        self, state: Queued | UnknownOutcome, number: int, result: Result
    ) -> Command:
        """Return what a call's result means for the message."""
        now, channel = self._now(), state.channel
        match result:
            case Sent(provider_id=provider_id):
                return RecordSent(channel=channel, provider_id=provider_id, now=now, by=BY)
            case Unknown():
                return RecordUnknown(attempt=number, now=now, by=BY)
            case Later(reason=reason, seconds=seconds) if number < ATTEMPTS:
                until = now + timedelta(seconds=_wait(seconds, number))
                return DeferMessage(
                    channel=channel, reason=reason, not_before=until, now=now, by=BY
                )
            case Later(reason=reason):
                return await self._failure(state.message, channel, Failed(reason))
            case Failed():
                return await self._failure(state.message, channel, result)

    async def _failure(self, message: MessageQueued, channel: str, failed: Failed) -> RecordFailure:
        fallback = await self.next_channel(message, channel) if failed.fallback else ""
        return RecordFailure(
            channel=channel, reason=failed.reason, fallback=fallback, now=self._now(), by=BY
        )

    async def next_channel(self, message: MessageQueued, channel: str) -> str:
        """Return the channel to try after ``channel`` that the recipient wants, or nothing."""
        rule = self._rules.all.get(message.rule)
        # Who wrote to us is answered where they wrote, or not at all.
        named = rule.channels if rule else ()
        wanted = ordered(await self._contacts.of(message.recipient), named)
        if not wanted:
            return ""
        ways = route(wanted, frozenset(self._channels))
        if channel not in ways:
            return ways[0]
        following = ways[ways.index(channel) + 1 :]
        return following[0] if following else ""

    async def _wanted(self, message: MessageQueued, channel: str) -> bool:
        """Say whether the recipient wants it there: they may have said STOP since it was queued."""
        if message.rule == LAST_WORD:
            return True
        return allows(await self._contacts.of(message.recipient), channel)

    def _outgoing(self, message: MessageQueued) -> Outgoing | None:
        """Return the message as it goes out; None when its template was taken away."""
        try:
            template = self._templates.get(message.template, message.template_version)
            parameters = {name: message.parameters[name] for name in template.parameters}
        except (BadConfiguration, KeyError):
            log.error("message_template_gone", message_id=message.message_id)
            return None
        return Outgoing(
            message_id=message.message_id,
            recipient=message.recipient,
            language=message.language,
            text=template.render(message.language, parameters),
            template=template.whatsapp,
            parameters=parameters,
        )

    async def _overtaken(self, loaded: Loaded[Message]) -> bool:
        """Say whether an alert is no longer true: its permit has moved on since."""
        state = loaded.state
        assert isinstance(state, Queued)
        rule = self._rules.all.get(state.message.rule)
        if rule is None or not rule.alert:
            return False
        cause = loaded.events[0].cause_id
        permit = f"permit-{state.message.application_id}"
        since = False
        for recorded in await self._handler.store.read_stream(permit):
            if since and recorded.type in MOVED_ON:
                return True
            since = since or recorded.event_id == cause
        return False

    async def _record(self, state: Message, command: Command, what: str) -> None:
        assert not isinstance(state, NotQueued)
        message = state.message
        await self._handler.handle(
            DECIDER,
            message_stream(message.message_id),
            command,
            cause=derived_id("message", message.message_id, what),
            application=message.application_id,
        )


def _wait(least: float, attempt: int) -> float:
    """Return seconds until the next try: doubling, at least ``least``, with jitter."""
    grown = max(least, 1.0) * 2.0 ** (attempt - 1)
    return min(grown, LONGEST_WAIT) * random.uniform(1.0, 1.5)
