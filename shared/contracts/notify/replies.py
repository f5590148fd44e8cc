"""What people write back, and what they want no more of.

Streams: ``reply-{reply_id}`` and ``consent-{person}``. ``reply_id`` comes from the provider's own
id of the message, so that a repeated webhook is the same reply; ``person`` is a keyed hash of the
number, which tells nothing to who lacks the key. ``channel`` is ``whatsapp`` or ``sms``.
"""

from __future__ import annotations

from shared.contracts.registry import event
from shared.privacy import Personal


@event("ReplyReceived")
class ReplyReceived:
    """A message came in. ``in_reply_to`` is our message's id that it answers, or empty."""

    reply_id: str
    channel: str
    sender: Personal
    text: Personal
    received_at: str
    in_reply_to: str = ""


@event("StallReplyGiven")
class StallReplyGiven:
    """An officer explained a stall by message; workflow records it as the explanation.

    ``account`` is the officer's account name; ``promised`` a date (ISO 8601) or empty.
    """

    application_id: str
    office: str
    stage: str
    stall_id: str
    reply_id: str
    account: str
    explanation: str
    promised: str = ""


@event("ReplyUnclear")
class ReplyUnclear:
    """An officer replied while several stalls wait for an explanation, and did not say which."""

    reply_id: str
    account: str
    numbers: tuple[str, ...]


@event("StatusAsked")
class StatusAsked:
    """An applicant asked where the permits of their own number stand."""

    reply_id: str
    applications: tuple[str, ...]


@event("ReplyNotUnderstood")
class ReplyNotUnderstood:
    """The reply asks for nothing that we know. ``answered``: one polite line was due today."""

    reply_id: str
    answered: bool


@event("ConsentWithdrawn")
class ConsentWithdrawn:
    """A person wants no more messages on a channel (STOP). ``reason`` is their word or a code."""

    person: str
    channel: str
    reason: str


@event("ConsentGiven")
class ConsentGiven:
    """A person wants messages on a channel again (MULAI)."""

    person: str
    channel: str


@event("ContactPreferenceStated")
class ContactPreferenceStated:
    """A person said how they want to be told. ``channel`` or ``language`` may be empty: unchanged.

    ``language`` is ``id`` or ``en``.
    """

    person: str
    channel: str
    language: str
