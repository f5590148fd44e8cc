"""Several alerts to one person as one message, so that a storm rings once.

Who finds alerts that wait together queues a message that gathers them, and marks each of them
``MessageDigested(into)``. The mark alone decides: an alert carries one at most, and none once it
was called out on its own. So before a gathering message goes out, its alerts are marked and looked
at again: what it says must be what is true of those that are its own. If it is not (one was
overtaken, or a second process gathered the same ones), another message gathers this one, and says
the rest. Each step is a fact of one stream and is repeated harmlessly: a crash in between leaves
nothing lost and nothing told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from services.notify.message import (
    DECIDER,
    Digested,
    Message,
    NotQueued,
    Queued,
    message_stream,
)
from services.notify.message.commands import (
    BY,
    Command,
    DigestMessage,
    QueueMessage,
    SupersedeMessage,
)
from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import Templates
from services.notify.sending.overtaken import Overtaken
from services.notify.views import MessageViews
from shared.contracts.notify import MessageQueued
from shared.errors import BadConfiguration
from shared.handle import Handler, Loaded
from shared.ids import derived_id, new_id
from shared.text import msg
from shared.web.i18n import Translator

# WhatsApp takes 1,024 characters in a text with all its parameters, and no line break in one.
MOST_CHARACTERS = 700
MOST_GATHERED = 200
BETWEEN = "; "
_MORE = msg("and {count} more")


class Digests:
    """Gathers alerts before they are sent."""

    def __init__(
        self,
        handler: Handler,
        views: MessageViews,
        rules: Rules,
        templates: Templates,
        overtaken: Overtaken,
        now: Callable[[], datetime],
    ) -> None:
        """``views`` finds what waits for the same person; the streams say what is true."""
        self._handler = handler
        self._views = views
        self._rules = rules
        self._templates = templates
        self._overtaken = overtaken
        self._now = now
        self._gathering: set[tuple[str, str, str]] = set()

    async def alone(self, state: Queued) -> bool:
        """Say whether a message that is due goes out as it is; else it is dealt with here."""
        message = state.message
        if message.gathers:
            return await self._settled(state)
        if message.digest not in self._rules.digests or not state.untouched:
            return True
        key = (message.recipient, message.digest, message.office)
        if key in self._gathering:
            # Somebody is at it, in this process; whoever is left over comes up again.
            return False
        self._gathering.add(key)
        try:
            return await self._gathered(state)
        finally:
            self._gathering.discard(key)

    async def _gathered(self, state: Queued) -> bool:
        """Say whether nothing else waits for the same person; else gather what does."""
        together = await self._together(state)
        ids = [one.message_id for one in map(message_of, together)]
        if state.message.message_id not in ids:
            return False
        into = derived_id("digest", ids[0])
        gathering = (await self._load(into)).state
        if isinstance(gathering, NotQueued):
            if len(ids) == 1:
                return True
            await self._queue(into, message_of(together[0]), ids, self._said(together))
            gathering = (await self._load(into)).state
        if not isinstance(gathering, Queued):
            return True
        # Another process may have gathered others under this id: its list is the one that counts.
        await self._mark(gathering.message)
        return False

    async def _together(self, state: Queued) -> list[Loaded[Message]]:
        """Return what waits for the same person and is true, the longest waiting first."""
        message = state.message
        until = self._now() + timedelta(minutes=self._rules.digests[message.digest].minutes)
        found: list[Loaded[Message]] = []
        for message_id in await self._views.waiting_with(message.message_id, until, MOST_GATHERED):
            loaded = await self._load(message_id)
            other = loaded.state
            if not isinstance(other, Queued) or not other.untouched:
                continue
            if (other.message.language, other.channel) != (message.language, state.channel):
                continue
            if await self._overtaken.by_events(loaded):
                await self._give(other.message, SupersedeMessage(now=self._now(), by=BY))
            else:
                found.append(loaded)
        return found

    async def _settled(self, state: Queued) -> bool:
        """Say whether what a gathering message says is true of what is its own."""
        message = state.message
        if state.untouched:
            await self._mark(message)
        own = await leaves(self._handler, message)
        true = [one for one in own if not await self._overtaken.by_events(one)]
        if not true:
            await self._give(message, SupersedeMessage(now=self._now(), by=BY))
            return False
        # Once a provider was asked, its text stays: nothing else may be said under its id.
        if not state.untouched or self._said(true, message) == dict(message.parameters):
            return True
        into = derived_id("digest", message.message_id)
        await self._queue(into, message, [message.message_id], self._said(true, message))
        await self._give(message, DigestMessage(into=into, now=self._now(), by=BY))
        return False

    async def _mark(self, gathering: MessageQueued) -> None:
        """Mark everything that is gathered and still waits."""
        for message_id in gathering.gathers:
            loaded = await self._load(message_id)
            state = loaded.state
            if not isinstance(state, Queued):
                continue
            command: Command = DigestMessage(into=gathering.message_id, now=self._now(), by=BY)
            if await self._overtaken.by_events(loaded):
                command = SupersedeMessage(now=self._now(), by=BY)
            await self._give(state.message, command)

    def _said(
        self, together: Sequence[Loaded[Message]], like: MessageQueued | None = None
    ) -> dict[str, str]:
        """Return the parameters that tell ``together``, in the words of ``like`` or the first."""
        first = like or message_of(together[0])
        digest = self._rules.digests.get(like.rule if like else first.digest)
        most = digest.most if digest else len(together)
        # The last word about each file: who is asked to explain knows that it is overdue.
        lines = {one.application_id: self._line(one) for one in map(message_of, together)}
        return listed(list(lines.values()), most, Translator(first.language))

    def _line(self, message: MessageQueued) -> str:
        try:
            template = self._templates.get(message.template, message.template_version)
            text = template.render_line(message.language, message.parameters)
        except (BadConfiguration, KeyError):
            text = message.parameters.get("number", message.message_id)
        return " ".join(text.split())

    async def _queue(
        self, into: str, first: MessageQueued, ids: Sequence[str], said: Mapping[str, str]
    ) -> None:
        name = first.digest or first.rule
        digest = self._rules.digests.get(name)
        template = self._templates.current(digest.template if digest else first.template)
        command = QueueMessage(
            application_id=first.application_id,
            message_id=into,
            office=first.office,
            rule=name,
            audience=first.audience,
            channel=first.channel,
            recipient=first.recipient,
            language=first.language,
            template=template.id,
            template_version=template.version,
            parameters=said,
            gathers=tuple(ids),
            # What a person ordered stays theirs, also in other words.
            resend_of=first.resend_of,
            now=self._now(),
            by=BY,
        )
        await self._handler.handle(
            DECIDER,
            message_stream(into),
            command,
            # Not derived: two processes may gather different alerts, and the first one counts.
            cause=new_id(),
            application=first.application_id,
        )

    async def _give(self, message: MessageQueued, command: Command) -> None:
        await self._handler.handle(
            DECIDER,
            message_stream(message.message_id),
            command,
            cause=new_id(),
            application=message.application_id,
        )

    async def _load(self, message_id: str) -> Loaded[Message]:
        return await self._handler.load(DECIDER, message_stream(message_id))


async def leaves(handler: Handler, gathering: MessageQueued) -> list[Loaded[Message]]:
    """Return the alerts that a message told as its own, also through one that it took over.

    One that a person sent anew tells those of the first.
    """
    found: list[Loaded[Message]] = []
    names = await _names(handler, gathering)
    for message_id in gathering.gathers:
        loaded = await handler.load(DECIDER, message_stream(message_id))
        state = loaded.state
        if not isinstance(state, Digested) or state.into not in names:
            continue
        found += await leaves(handler, state.message) if state.message.gathers else [loaded]
    return found


async def _names(handler: Handler, gathering: MessageQueued) -> set[str]:
    """Return the ids of a message and of those that it was sent anew for."""
    names = {gathering.message_id}
    while (first := gathering.resend_of) and first not in names:
        names.add(first)
        gathering = message_of(await handler.load(DECIDER, message_stream(first)))
    return names


def message_of(loaded: Loaded[Message]) -> MessageQueued:
    """Return what was queued."""
    assert not isinstance(loaded.state, NotQueued)
    return loaded.state.message


def listed(lines: Sequence[str], most: int, tr: Translator) -> dict[str, str]:
    """Return ``count`` and ``lines``: at most so many and so long, the others only counted."""
    shown: list[str] = []
    for line in lines[:most]:
        # One is always shown, cut where it alone would be too long.
        if shown and len(BETWEEN.join([*shown, line])) > MOST_CHARACTERS:
            break
        shown.append(line[:MOST_CHARACTERS])
    if len(shown) < len(lines):
        shown.append(tr.t(_MORE, count=len(lines) - len(shown)))
    return {"count": str(len(lines)), "lines": BETWEEN.join(shown)}
