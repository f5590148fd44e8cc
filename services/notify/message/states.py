"""Where one message stands. What leads from one state to the next is decided in ``message``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.notify import MessageQueued


@dataclass(frozen=True, slots=True)
class NotQueued:
    """There is no such message."""


@dataclass(frozen=True, slots=True)
class Queued:
    """It waits to be sent on ``channel`` after ``attempts`` calls, not before an instant.

    ``as_template``: as a free text it came too late.
    """

    message: MessageQueued
    channel: str
    attempts: int = 0
    not_before: datetime | None = None
    resent: bool = False
    as_template: bool = False

    @property
    def untouched(self) -> bool:
        """Whether no provider was ever asked: only then may another message tell it."""
        return not self.attempts and not self.resent and self.channel == self.message.channel


@dataclass(frozen=True, slots=True)
class Sending:
    """A call is under way, or the process died in it. ``resent``: it may be a second copy."""

    message: MessageQueued
    channel: str
    attempts: int
    since: datetime
    resent: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider may or may not have it."""

    message: MessageQueued
    channel: str
    attempts: int
    since: datetime
    resent: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has it."""

    message: MessageQueued
    channel: str
    attempts: int
    provider_id: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """It arrived."""

    message: MessageQueued
    channel: str


@dataclass(frozen=True, slots=True)
class Read:
    """It was opened."""

    message: MessageQueued
    channel: str


@dataclass(frozen=True, slots=True)
class Failed:
    """No channel could deliver it."""

    message: MessageQueued
    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """It was overtaken by events and never sent."""

    message: MessageQueued
    channel: str


@dataclass(frozen=True, slots=True)
class Digested:
    """It went out as a line of the message ``into``."""

    message: MessageQueued
    channel: str
    into: str


# WhatsApp's word for a free text to somebody who did not write within a day: a template may go.
TEXT_CLOSED = "131047"
# Twice nobody knows whether the provider took it: what a message without any report fails with.
NO_OUTCOME = "no-outcome"
# Why a message waits for the morning that came to be due at night; and why one does of which
# nobody knows whether it went out.
QUIET_HOURS, UNHEARD_OF = "quiet-hours", "unknown"

Ended = Delivered | Read | Failed | Superseded | Digested
Message = NotQueued | Queued | Sending | Unknown | Sent | Ended
