"""Which channel a message takes next: the rule's order, what the person wants, what is open."""

from __future__ import annotations

from collections.abc import Callable, Collection

from services.notify.channels.routes import PROVIDERS, route
from services.notify.people.contact import allows, ordered, way_of
from services.notify.people.contacts import Contacts
from services.notify.rulebook.rules import Rules
from shared.contracts.notify import MessageQueued

# The line that confirms STOP: the only one that goes out on a channel just refused.
LAST_WORD = "reply-stopped"


class Ways:
    """Knows the ways to a person."""

    def __init__(
        self,
        rules: Rules,
        contacts: Contacts,
        available: Collection[str],
        is_open: Callable[[str], bool],
    ) -> None:
        """``available`` names the channels of this installation; ``is_open``: it may be called."""
        self._rules = rules
        self._contacts = contacts
        self._available = available
        self._is_open = is_open

    async def after(self, message: MessageQueued, channel: str, *, at_once: bool = False) -> str:
        """Return the channel to try after ``channel`` that the recipient wants, or nothing.

        One that is called now comes before one that is not; ``at_once``: no other will do.
        """
        following = await self._following(message, channel)
        ready = [way for way in following if self._is_open(way)]
        return next(iter(ready or ([] if at_once else following)), "")

    async def _following(self, message: MessageQueued, channel: str) -> tuple[str, ...]:
        # Who wrote to us is answered where they wrote, perhaps by another carrier, or not at all.
        own = [way for way in PROVIDERS if way == way_of(channel)]
        named = self._rules.channels(message.rule) or own
        wanted = ordered(await self._contacts.of(message.recipient), named)
        if not wanted:
            return ()
        ways = route(wanted, frozenset(self._available))
        return ways[ways.index(channel) + 1 :] if channel in ways else ways

    async def wanted(self, message: MessageQueued, channel: str) -> bool:
        """Say whether the recipient wants it there: they may have said STOP since it was queued."""
        if message.rule == LAST_WORD:
            return True
        return allows(await self._contacts.of(message.recipient), channel)
