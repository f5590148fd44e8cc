"""What states, channels and audiences are called on pages."""

from __future__ import annotations

from typing import Final

from services.notify.people.recipients import GROUP
from shared.privacy import mask
from shared.web.i18n import Translator, msg

STATES: Final = {
    "queued": (msg("Waiting"), "waiting"),
    "sending": (msg("Being sent"), "progress"),
    "sent": (msg("Sent"), "info"),
    "delivered": (msg("Delivered"), "success"),
    "read": (msg("Read"), "success"),
    "failed": (msg("Not delivered"), "danger"),
    "digested": (msg("Sent with others"), "info"),
    "superseded": (msg("No longer needed"), "neutral"),
    "unknown": (msg("Outcome unknown"), "warning"),
}
"""State -> its name (an msgid) and its tone."""
AUDIENCES: Final = {
    "applicant": msg("Applicant"),
    "officer": msg("Officer"),
    "supervisor": msg("Supervisor"),
    "head": msg("Head of office"),
    "group": msg("Duty group"),
    "writer": msg("Who wrote to us"),
}
CHANNELS: Final = {
    "whatsapp": "WhatsApp",
    "sms": "SMS",
    "twilio": "SMS (Twilio)",
    "8x8": "SMS (8x8)",
    "email": msg("E-mail"),
    "outbox": msg("Outbox only"),
}


def channel_name(channel: str, tr: Translator) -> str:
    """Return what a channel is called; one that is not known by its own name."""
    return tr.t(CHANNELS.get(channel, channel))


def recipient_name(audience: str, recipient: str, tr: Translator) -> str:
    """Return who was told, the number hidden but for its end."""
    who = tr.t(AUDIENCES.get(audience, audience))
    return who if audience == GROUP else f"{who} {mask(recipient)}"
