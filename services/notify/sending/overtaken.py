"""Whether an alert is still true: a permit that moved on makes it news of yesterday."""

from __future__ import annotations

from services.notify.message import DECIDER, Message, NotQueued, message_stream
from services.notify.rulebook.rules import Rules
from shared.handle import Handler, Loaded

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


class Overtaken:
    """Looks at the permit's own stream, whatever any read model says."""

    def __init__(self, handler: Handler, rules: Rules) -> None:
        """``rules`` say which messages are alerts."""
        self._handler = handler
        self._rules = rules

    async def by_events(self, loaded: Loaded[Message]) -> bool:
        """Say whether an alert is no longer true: its permit has moved on since."""
        state = loaded.state
        assert not isinstance(state, NotQueued)
        rule = self._rules.all.get(state.message.rule)
        if rule is None or not rule.alert:
            return False
        cause = await self._cause(loaded)
        permit = f"permit-{state.message.application_id}"
        since = False
        for recorded in await self._handler.store.read_stream(permit):
            if since and recorded.type in MOVED_ON:
                return True
            since = since or recorded.event_id == cause
        return False

    async def _cause(self, loaded: Loaded[Message]) -> str:
        """Return the event that a message is about; one sent anew is about what the first was."""
        while not isinstance(loaded.state, NotQueued) and loaded.state.message.resend_of:
            first = message_stream(loaded.state.message.resend_of)
            loaded = await self._handler.load(DECIDER, first)
        return loaded.events[0].cause_id
