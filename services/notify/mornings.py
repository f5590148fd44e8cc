"""What was put off or goes another way may come to be due at night: it waits for the morning."""

from __future__ import annotations

from datetime import datetime

from services.notify.outcomes import WRITER
from services.notify.quiet import Nights
from services.notify.reactions import OUTBOX
from services.notify.rules import Rules
from shared.contracts.notify import MessageQueued


class Mornings:
    """Knows which messages may ring at any hour."""

    def __init__(self, rules: Rules, nights: Nights) -> None:
        """``nights`` has every office's quiet hours; a rule says whether it is urgent."""
        self._rules = rules
        self._nights = nights

    def after(self, at: datetime, message: MessageQueued, channel: str) -> datetime:
        """Return ``at``, or when the night is over that it lies within."""
        rule = self._rules.all.get(message.rule)
        # Who just wrote is awake, and what a person ordered anew is theirs to answer for.
        if channel == OUTBOX or message.audience == WRITER or message.resend_of:
            return at
        return at if rule and rule.urgent else self._nights.after(at, message.office)
