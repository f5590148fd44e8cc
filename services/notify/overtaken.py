"""Whether an alert is still true: a permit that moved on makes it news of yesterday."""

from __future__ import annotations

from services.notify.message import Message, NotQueued
from services.notify.rules import Rules
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
        cause = loaded.events[0].cause_id
        permit = f"permit-{state.message.application_id}"
        since = False
        for recorded in await self._handler.store.read_stream(permit):
            if since and recorded.type in MOVED_ON:
                return True
            since = since or recorded.event_id == cause
        return False
