"""What may be asked of a message. Every command says when and by whom it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.actors import Actor, system

# Who gives the commands that no person gives.
BY = system("notify")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMessage:
    """Tell ``recipient`` something: a template at a version, with its parameters.

    See ``MessageQueued`` for what a recipient may be. It waits until ``not_before``; messages to
    one person with the same ``digest`` may be joined. ``attachment`` names a paper that goes along;
    ``resend_of`` is the message that a person ordered anew. ``refused`` says why it can't be sent
    at all; then it is on record as failed. ``gathers`` are the messages that it tells in one.
    """

    application_id: str
    message_id: str
    office: str
    rule: str
    audience: str
    channel: str
    recipient: str
    language: str
    template: str
    template_version: int
    parameters: Mapping[str, str]
    now: datetime
    by: Actor
    not_before: datetime | None = None
    digest: str = ""
    attachment: str = ""
    resend_of: str = ""
    refused: str = ""
    gathers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptMessage:
    """Say that the provider is about to be called. ``attempt`` counts from 1."""

    attempt: int
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSent:
    """The provider took it on ``channel``."""

    channel: str
    provider_id: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDelivered:
    """The provider reports that it arrived."""

    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRead:
    """The provider reports that it was opened, which may come before it was delivered."""

    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUnknown:
    """The call of ``attempt`` broke off, or nobody knows how it ended."""

    attempt: int
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferMessage:
    """The provider surely did not take it on ``channel``: try again at ``not_before``."""

    channel: str
    reason: str
    not_before: datetime
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFailure:
    """It can't be delivered on ``channel``; ``fallback`` is the next channel, or empty."""

    channel: str
    reason: str
    fallback: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestMessage:
    """It goes out as a line of the message ``into``."""

    into: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldMessage:
    """It came to be due, or to be sent once more, at night: it waits until ``not_before``."""

    not_before: datetime
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMessage:
    """It need not wait longer than ``not_before``: who was told first can't be reached."""

    not_before: datetime
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersedeMessage:
    """What it says is not true any more."""

    now: datetime
    by: Actor


Report = (
    RecordSent
    | RecordDelivered
    | RecordRead
    | RecordUnknown
    | DeferMessage
    | RecordFailure
    | DigestMessage
    | HoldMessage
    | ReleaseMessage
    | SupersedeMessage
)
"""What became of a message that was queued."""

Command = QueueMessage | AttemptMessage | Report
