"""The channel's seam: hand one message to a provider, and say honestly what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that goes along: a file name, a media type such as ``application/pdf``, its bytes."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message on its way. ``recipient`` is E.164, or an address for e-mail.

    ``template`` is the provider's own name; ``text`` the rendered text; providers with templates of
    their own take ``parameters``. ``subject`` and ``papers`` are e-mail's.
    """

    message_id: str
    recipient: str
    language: str
    text: str
    template: str
    parameters: Mapping[str, str]
    subject: str = ""
    papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it, under its own id (empty when it gives none)."""

    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider will not deliver it. ``reason`` is its code or ours.

    ``fallback`` says whether another channel may do better; not when the message itself is wrong.
    """

    reason: str
    fallback: bool = True


@dataclass(frozen=True, slots=True)
class Later:
    """The provider surely did not take it now; it may later, in ``seconds`` at the earliest."""

    reason: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether the provider took it. ``reason`` says how the call ended."""

    reason: str


Result = Sent | Failed | Later | Unknown


class Channel(Protocol):
    """One way to reach a person. Never raises for what a provider or network does."""

    @property
    def name(self) -> str: ...

    async def send(self, message: Outgoing) -> Result:
        """Make one call, and only one."""
        ...
