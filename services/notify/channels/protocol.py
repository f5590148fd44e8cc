"""The channel's seam: hand one message to a provider, and say honestly what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that goes along: a file name, a media type such as ``application/pdf``, its bytes."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message on its way. ``recipient`` is E.164, an address for e-mail, or ``group:ID``.

    ``template`` is the provider's own name, empty for a free text; ``text`` the rendered text;
    providers with templates of their own take ``parameters``. ``subject`` and ``papers`` are
    e-mail's; ``reply_to`` is the provider's id of the message that this one answers.
    """

    message_id: str
    recipient: str
    language: str
    text: str
    template: str
    parameters: Mapping[str, str]
    subject: str = ""
    papers: tuple[Paper, ...] = ()
    reply_to: str = ""


class Effect(StrEnum):
    """What a provider's no means beyond the one message."""

    NONE = ""
    # The account, its token or its payment is in trouble: nothing gets through until people act.
    PAUSE = "pause"
    # The number is at its limit: everybody waits.
    SLOW = "slow"
    # This recipient was told too often; others may be told.
    REST = "rest"
    # The provider took the template out of use.
    TEMPLATE_OFF = "template-off"
    # The template and we disagree: nothing that time mends.
    OUR_BUG = "our-bug"
    # No more to this recipient for a day.
    NOT_TODAY = "not-today"
    OPT_OUT = "opt-out"
    # The recipient's number is wrong: somebody asks them for another.
    BAD_NUMBER = "bad-number"
    # A free text is too late, a template is not.
    TEXT_CLOSED = "text-closed"


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
    effect: Effect = Effect.NONE


@dataclass(frozen=True, slots=True)
class Later:
    """The provider surely did not take it now; it may later, in ``seconds`` at the earliest."""

    reason: str
    seconds: float = 0.0
    effect: Effect = Effect.NONE


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
