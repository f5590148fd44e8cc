"""Sends what is queued: each call is announced durably before it is made, and its outcome after.

A crash in between leaves a message whose outcome nobody knows. It is not sent again at once: a
delivery report may still tell; after a window it is sent once more, and that is on record. Without
an outcome again it fails, where people see it: a third copy is nobody's but theirs to send.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Counts
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from prometheus_client import Counter

from services.notify.channels import Channel, Failed, Outgoing
from services.notify.channels.routes import OUTBOX, PROVIDERS
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
from services.notify.message.commands import (
    BY,
    AttemptMessage,
    Command,
    HoldMessage,
    RecordUnknown,
    SupersedeMessage,
)
from services.notify.people.contact import OPTED_OUT
from services.notify.refusals import NotWaiting
from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import Templates
from services.notify.sending.digest import Digests
from services.notify.sending.mornings import Mornings
from services.notify.sending.outcomes import Outcomes
from services.notify.sending.outgoing import Composer, Draw, no_papers
from services.notify.sending.overtaken import Overtaken
from services.notify.traffic.gate import Detour, Go, Wait
from services.notify.views import Due, MessageViews, Windows
from shared.handle import Handler
from shared.ids import derived_id, new_id
from shared.patience import patiently
from shared.telemetry import log

# No other channel: what may have arrived twice must not arrive a third time by itself.
GIVEN_UP = Failed(NO_OUTCOME, fallback=False)
POLL_SECONDS = 1.0
# Rounds for a channel that is at its pace come no faster than this.
BREATH_SECONDS = 0.02
BATCH = 200
EVERY_CHANNEL = frozenset(way for ways in PROVIDERS.values() for way in ways) | {OUTBOX, "email"}

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
        outcomes: Outcomes,
        now: Callable[[], datetime],
        mornings: Mornings,
        limits: Limits = Limits(),  # noqa: B008 - an immutable tuple
        papers: Draw = no_papers,
    ) -> None:
        """``channels`` maps the names that messages carry to what this installation has.

        ``mornings`` knows what must not ring now; ``papers`` draws what goes along with an e-mail.
        """
        self._handler = handler
        self._views = views
        self._channels = channels
        self._composer = Composer(templates, papers)
        self._overtaken = Overtaken(handler, rules)
        self._digests = Digests(handler, views, rules, templates, self._overtaken, now)
        self._outcomes = outcomes
        self._gate = outcomes.gate
        self._now = now
        self._mornings = mornings
        self._limits = limits
        self._room = asyncio.Semaphore(limits.concurrency)
        self._busy: set[str] = set()
        self._news = asyncio.Event()
        self._next_look = POLL_SECONDS

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
                    async with asyncio.timeout(self._next_look):
                        await self._news.wait()
                except TimeoutError:
                    continue

    async def round(self) -> None:
        """Deal once with everything that is due now and may go, to the end."""
        async with asyncio.TaskGroup() as calls:
            await self._begin(calls)

    async def _begin(self, calls: asyncio.TaskGroup) -> None:
        await self._gate.circuits.refresh()
        # Also what was queued for a channel that this installation has no more.
        names = frozenset(self._channels) | EVERY_CHANNEL
        shares = self._gate.shares(names, BATCH)
        due = await self._views.due(self._now(), self._limits.windows, shares, BATCH)
        for application, messages in due.items():
            if application not in self._busy:
                self._busy.add(application)
                calls.create_task(self._in_order(application, messages))
        await self._gate.write()
        looked = Counts(one.channel for messages in due.values() for one in messages)
        emptied = {share.channel for share in shares if looked[share.channel] < share.limit}
        following = self._gate.next_look(names - emptied)
        self._next_look = POLL_SECONDS if following is None else max(following, BREATH_SECONDS)

    async def _in_order(self, application: str, messages: Sequence[Due]) -> None:
        """Deal with one application's news, in order."""
        try:
            async with self._room:
                for due in messages:
                    await self._deal_with(due)
        finally:
            self._busy.discard(application)

    async def _deal_with(self, due: Due) -> None:
        try:
            await self._advance(due)
        except NotWaiting:
            # The read model is behind, or another process was quicker.
            return
        except Exception:  # noqa: BLE001 - one message must not hold up the others
            log.exception("message_not_sent", message_id=due.message_id)

    async def _advance(self, due: Due) -> None:
        loaded = await self._handler.load(DECIDER, message_stream(due.message_id))
        state, now, windows = loaded.state, self._now(), self._limits.windows
        match state:
            case Queued() if state.not_before is None or state.not_before <= now:
                if await self._overtaken.by_events(loaded):
                    await self._record(state, SupersedeMessage(now=now, by=BY), "superseded")
                elif not await self._held(state) and await self._digests.alone(state):
                    await self._attempt(due, state)
            case Sending(attempts=attempt, since=since) if now - since >= windows.stuck:
                lost = RecordUnknown(attempt=attempt, now=now, by=BY)
                await self._record(state, lost, f"stuck:{state.channel}:{attempt}")
            case UnknownOutcome(since=since) if now - since >= windows.unknown:
                if state.resent:
                    await self._refuse(state, GIVEN_UP, "given-up")
                elif not await self._held(state):
                    await self._attempt(due, state)
            case _:
                return

    async def _held(self, state: Queued | UnknownOutcome) -> bool:
        """Say whether a message waits for the morning from now on."""
        now = self._now()
        until = self._mornings.after(now, state.message, state.channel)
        if until <= now:
            return False
        # A cause of its own: one that is released at night is held until the same morning again.
        await self._record(state, HoldMessage(not_before=until, now=now, by=BY), new_id())
        return True

    async def _attempt(self, due: Due, state: Queued | UnknownOutcome) -> None:
        message, channel = state.message, self._channels.get(state.channel)
        outgoing = self._composer.compose(state)
        if not await self._outcomes.ways.wanted(message, state.channel):
            await self._refuse(state, Failed(OPTED_OUT), "opted-out")
        elif outgoing is None:
            await self._refuse(state, Failed("template", fallback=False), "not-sent")
        elif channel is None:
            await self._refuse(state, Failed("channel-not-set-up"), "not-sent")
        elif not reaches(state.channel, message.recipient):
            await self._refuse(state, Failed("recipient-kind"), "not-sent")
        else:
            match await self._gate.ask(state.channel, outgoing.template, due.person):
                case Go(probe=probe):
                    await self._call(due, state, channel, outgoing, probe=probe)
                case Detour(reason=reason, lasting=lasting):
                    await self._detour(due, state, reason, lasting=lasting)
                case Wait():
                    return

    async def _call(
        self,
        due: Due,
        state: Queued | UnknownOutcome,
        channel: Channel,
        outgoing: Outgoing,
        *,
        probe: bool,
    ) -> None:
        message, number = state.message, state.attempts + 1
        whole = await self._composer.complete(outgoing, message, state.channel)
        announced = AttemptMessage(attempt=number, now=self._now(), by=BY)
        # A cause of its own: an id derived from the attempt would let the store take a second
        # process's announcement for this one, and both would call.
        await self._record(state, announced, new_id())
        result = await channel.send(whole)
        CALLS.labels(state.channel, type(result).__name__.lower()).inc()
        self._gate.counts.count(state.channel, result)

        async def record() -> None:
            # An opt-out comes first: the next channel depends on it.
            await self._outcomes.consent(message, state.channel, result, BY)
            told = await self._outcomes.command(message, state.channel, number, result, BY)
            await self._record(state, told, f"outcome:{state.channel}:{number}")
            await self._outcomes.beyond(
                message, state.channel, due.person, result, told, probe=probe
            )

        await patiently("message outcome", record, message_id=message.message_id)

    async def _detour(
        self, due: Due, state: Queued | UnknownOutcome, reason: str, *, lasting: bool
    ) -> None:
        """Send the message on by another channel, or let it wait for this one."""
        other = await self._outcomes.ways.after(state.message, state.channel, at_once=not lasting)
        if other:
            await self._refuse(state, Failed(reason), "detour")
        elif lasting:
            unknown = isinstance(state, UnknownOutcome)
            await self._refuse(state, GIVEN_UP if unknown else Failed(reason), "detour")
        else:
            self._gate.hold(state.channel, due.person)

    async def _refuse(self, state: Queued | UnknownOutcome, failed: Failed, what: str) -> None:
        """Record that a message does not go out on its channel, without a call."""
        refused = await self._outcomes.failure(state.message, state.channel, failed, BY)
        await self._record(state, refused, f"{what}:{state.channel}:{state.attempts + 1}")

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


def reaches(channel: str, recipient: str) -> bool:
    """Say whether ``channel`` can carry anything to such a recipient at all."""
    match channel:
        case "outbox":
            return True
        case "email":
            return "@" in recipient
        case "whatsapp":
            return recipient.startswith(("+", "group:"))
        case _:
            return recipient.startswith("+")
