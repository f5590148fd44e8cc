"""What was put off, or goes another way, may come to be due at night: it waits for the morning.

Quiet hours are asked when a message is queued, and here again before it is sent: a provider that
was slow, a channel that was closed or a fallback may have carried it into them.
"""

from __future__ import annotations

from datetime import datetime

from services.notify.channels.routes import rings
from services.notify.rulebook.quiet import Nights
from services.notify.rulebook.rules import Rules
from services.notify.sending.outcomes import WRITER
from shared.contracts.notify import MessageQueued


class Mornings:
    """Knows which messages may ring at any hour."""

    def __init__(self, rules: Rules, nights: Nights) -> None:
        """``nights`` has every office's quiet hours; a rule says whether it is urgent."""
        self._rules = rules
        self._nights = nights

    def after(self, at: datetime, message: MessageQueued, provider: str) -> datetime:
        """Return ``at``, or when the night is over in which ``provider`` would ring then."""
        rule = self._rules.all.get(message.rule)
        if not rings(provider) or (rule is not None and rule.urgent):
            return at
        # Who just wrote is awake, and what a person ordered anew is theirs to answer for.
        if message.audience == WRITER or message.resend_of:
            return at
        return self._nights.after(at, message.office)
