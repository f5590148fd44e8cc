"""When whoever was told first can't be reached, the next on the roster need not wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.notify.message import (
    DECIDER,
    Digested,
    Message,
    NotQueued,
    Queued,
    message_stream,
)
from services.notify.message.commands import BY, ReleaseMessage
from services.notify.people.recipients import Directory
from services.notify.rulebook.rules import Rules
from shared.contracts.notify import MessageFailed
from shared.events import Recorded
from shared.handle import Handler, Loaded
from shared.ids import derived_id
from shared.reactions import Reaction


class Escalation:
    """Hears of alerts that failed for good."""

    def __init__(
        self,
        handler: Handler,
        rules: Rules,
        directory: Directory,
        now: Callable[[], datetime],
    ) -> None:
        """``directory`` says again whom the event concerned, as of when it was told."""
        self._handler = handler
        self._rules = rules
        self._directory = directory
        self._now = now

    def table(self) -> Mapping[type[Any], Reaction]:
        """Return event class -> reaction."""
        return {MessageFailed: self.on_failed}

    async def on_failed(self, failed: MessageFailed, recorded: Recorded) -> None:
        """Release who is next for the message, or for each alert that it told in its stead."""
        loaded = await self._load(failed.message_id)
        if isinstance(loaded.state, NotQueued):
            return
        await self._release_next(loaded, failed, recorded)
        for message_id in loaded.state.message.gathers:
            told = await self._load(message_id)
            if isinstance(told.state, Digested) and told.state.into == failed.message_id:
                await self._release_next(told, failed, recorded)

    async def _load(self, message_id: str) -> Loaded[Message]:
        return await self._handler.load(DECIDER, message_stream(message_id))

    async def _release_next(
        self, loaded: Loaded[Message], failed: MessageFailed, recorded: Recorded
    ) -> None:
        """Release the next message of the same event and rule that waits its turn."""
        assert not isinstance(loaded.state, NotQueued)
        message, queued = loaded.state.message, loaded.events[0]
        rule = self._rules.all.get(message.rule)
        if rule is None or not rule.alert or message.resend_of:
            return
        told = await self._cause(message.application_id, queued.cause_id)
        submitted = await self._directory.submitted(message.application_id)
        if told is None or submitted is None:
            return
        people = await self._directory.recipients(
            rule.audience, told, submitted, queued.occurred_at, alert=True
        )
        for person in people:
            following = derived_id(queued.cause_id, rule.id, person.number)
            if await self._release(following, message.application_id, recorded):
                return

    async def _release(self, message_id: str, application_id: str, recorded: Recorded) -> bool:
        """Say whether there was such a message, waiting, that may go out now."""
        state, now = (await self._load(message_id)).state, self._now()
        if not (isinstance(state, Queued) and state.not_before and state.not_before > now):
            return False
        await self._handler.handle(
            DECIDER,
            message_stream(message_id),
            ReleaseMessage(not_before=now, now=now, by=BY),
            cause=recorded.event_id,
            application=application_id,
        )
        return True

    async def _cause(self, application_id: str, event_id: str) -> Any | None:
        """Return the event that an alert is about: every alert is about a permit."""
        recorded = await self._handler.store.read_stream(f"permit-{application_id}")
        found = next((one for one in recorded if one.event_id == event_id), None)
        return self._handler.codec.decode(found) if found else None
