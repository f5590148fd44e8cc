"""Ways to a person, and the companies that go them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

EMAIL: Final = "email"
OUTBOX: Final = "outbox"
# A group is a WhatsApp group: no SMS reaches it.
GROUP_CHANNELS = ("whatsapp",)
# The providers of a channel, in the order in which they are tried.
PROVIDERS = {"whatsapp": ("whatsapp",), "sms": ("sms", "twilio", "8x8"), EMAIL: (EMAIL,)}


def rings(provider: str) -> bool:
    """Say whether a telephone rings: neither a mailbox nor the outbox wakes anybody."""
    return provider not in (OUTBOX, EMAIL)


def route(channels: Sequence[str], available: frozenset[str]) -> tuple[str, ...]:
    """Return the providers to try, in order; the outbox where none of them is set up.

    A rule names ways to reach a person; which companies carry an SMS is the installation's affair.
    """
    ways = (provider for name in channels for provider in PROVIDERS[name])
    return tuple(way for way in ways if way in available) or (OUTBOX,)
