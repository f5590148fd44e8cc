"""Sample commands and events for notify's tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.notify.message.commands import (
    AttemptMessage,
    DeferMessage,
    DigestMessage,
    QueueMessage,
    RecordDelivered,
    RecordFailure,
    RecordRead,
    RecordSent,
    RecordUnknown,
    SupersedeMessage,
)
from shared.actors import system
from shared.contracts.notify import MessageAttempted, MessageQueued
from tests.spec import START

APPLICATION = "3b0a8a52-9d5e-4a3e-9d52-0a3f4c2b1d00"
MESSAGE = "0f1e2d3c-1111-5222-8333-444455556666"
IDS: dict[str, str] = {"application_id": APPLICATION, "message_id": MESSAGE}
BY = system("notify")
PARAMETERS = {"number": "BGR-2026-000042", "office": "Kantor Contoh", "permit": "SITU"}

QUEUED = MessageQueued(
    application_id=APPLICATION,
    message_id=MESSAGE,
    office="bogor",
    rule="registered",
    audience="applicant",
    channel="whatsapp",
    recipient="+6281234567890",
    language="id",
    template="registered",
    template_version=1,
    parameters=PARAMETERS,
)
ATTEMPTED = MessageAttempted(**IDS, channel="whatsapp", attempt=1)


def queue(**changes: Any) -> QueueMessage:
    """Return the command that queues the sample message."""
    given: dict[str, Any] = {
        **IDS,
        "office": "bogor",
        "rule": "registered",
        "audience": "applicant",
        "channel": "whatsapp",
        "recipient": "+6281234567890",
        "language": "id",
        "template": "registered",
        "template_version": 1,
        "parameters": PARAMETERS,
        "now": START,
        "by": BY,
    }
    return QueueMessage(**given | changes)


def attempt(number: int = 1, now: datetime = START) -> AttemptMessage:
    """Return the command before a call."""
    return AttemptMessage(attempt=number, now=now, by=BY)


def sent(channel: str = "whatsapp", provider_id: str = "wamid.1") -> RecordSent:
    """Return the provider's yes."""
    return RecordSent(channel=channel, provider_id=provider_id, now=START, by=BY)


def delivered() -> RecordDelivered:
    """Return the report of arrival."""
    return RecordDelivered(now=START, by=BY)


def read() -> RecordRead:
    """Return the report that it was opened."""
    return RecordRead(now=START, by=BY)


def unknown(number: int = 1) -> RecordUnknown:
    """Return a call that broke off."""
    return RecordUnknown(attempt=number, now=START, by=BY)


def defer(until: datetime, channel: str = "whatsapp") -> DeferMessage:
    """Return a provider's 'later'."""
    return DeferMessage(channel=channel, reason="130429", not_before=until, now=START, by=BY)


def failure(fallback: str = "", channel: str = "whatsapp") -> RecordFailure:
    """Return a provider's no."""
    return RecordFailure(channel=channel, reason="131026", fallback=fallback, now=START, by=BY)


def digest(into: str) -> DigestMessage:
    """Return the command for a message that goes out within another one."""
    return DigestMessage(into=into, now=START, by=BY)


def supersede() -> SupersedeMessage:
    """Return the command for a message overtaken by events."""
    return SupersedeMessage(now=START, by=BY)
