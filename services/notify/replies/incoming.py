"""Messages that come in, as each provider tells of them, in one form.

Whatever a provider sends may be of any shape: what is not a message is passed over. The id comes
from the provider's own, so that a webhook that is repeated is the same message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import phonenumbers

from services.notify.replies.meaning import clean
from shared.ids import derived_id

# How long ids and senders may be; providers' own are shorter.
_ID, _SENDER = 200, 32
_CHARSETS: Final = {
    "utf-8": "utf-8",
    "utf-16be": "utf-16-be",
    "ucs-2": "utf-16-be",
    "iso-8859-1": "latin-1",
    "windows-1252": "cp1252",
}


class Incoming(NamedTuple):
    """One message. ``answers`` is the provider's id of our message, or empty.

    ``received_at`` is the provider's instant (ISO 8601, UTC), or empty.
    """

    reply_id: str
    channel: str
    sender: str
    text: str
    received_at: str
    answers: str = ""


def ours(webhook: Any, phone_id: str) -> tuple[dict[str, Any], int]:
    """Return a WhatsApp webhook with what is about our number, and how many changes are not."""
    kept, passed = [], 0
    for entry in dicts(webhook, "entry"):
        for change in dicts(entry, "changes"):
            value = change.get("value")
            about = value.get("metadata") if isinstance(value, dict) else None
            if isinstance(about, dict) and phone_id and about.get("phone_number_id") == phone_id:
                kept.append(change)
            else:
                passed += 1
    return {"entry": [{"changes": kept}]}, passed


def from_whatsapp(webhook: Any) -> Iterator[Incoming]:
    """Yield the messages in a webhook's JSON. A picture or a voice has no text."""
    for entry in dicts(webhook, "entry"):
        for change in dicts(entry, "changes"):
            for message in dicts(change.get("value"), "messages"):
                found, sender = _text(message.get("id")), _text(message.get("from"))
                if not found or not (sender.isascii() and sender.isdigit()):
                    continue
                yield Incoming(
                    derived_id("reply", "whatsapp", found[:_ID]),
                    "whatsapp",
                    f"+{sender[:_SENDER]}",
                    clean(_words(message)),
                    _instant(_text(message.get("timestamp"))),
                    _text(_dict(message, "context").get("id"))[:_ID],
                )


def from_kannel(query: Mapping[str, bytes]) -> Incoming | None:
    """Return the message of a gateway's call; None without a sender. See notify's README.

    ``time`` is ``YYYY-MM-DD HH:MM`` in UTC. Where the gateway gives no ``id``, the words, sender
    and minute are the message.
    """
    sender = number_of(query.get("sender", b"").decode("latin-1"))
    if not sender:
        return None
    charset = _CHARSETS.get(query.get("charset", b"").decode("latin-1").lower(), "utf-8")
    text = query.get("text", b"").decode(charset, "replace")
    at = query.get("time", b"").decode("latin-1")
    found = query.get("id", b"").decode("latin-1")[:_ID] or derived_id(sender, at, text)
    smsc = query.get("smsc", b"").decode("latin-1")[:_ID]
    try:
        received = datetime.strptime(at, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).isoformat()
    except ValueError:
        received = ""
    return Incoming(
        derived_id("reply", "kannel", smsc, found), "sms", sender, clean(text), received
    )


def from_twilio(form: Mapping[str, str]) -> Incoming | None:
    """Return the message of Twilio's form; None where it is none."""
    found, sender = form.get("MessageSid", "")[:_ID], number_of(form.get("From", ""))
    if not found or not sender:
        return None
    return Incoming(
        derived_id("reply", "twilio", found), "sms", sender, clean(form.get("Body", "")), ""
    )


def number_of(sender: str) -> str:
    """Return a sender as E.164 where it is a number; a name or short code stays as it is."""
    given = sender.strip()[:_SENDER]
    try:
        parsed = phonenumbers.parse(given, "ID")
    except phonenumbers.NumberParseException:
        return clean(given)
    if not phonenumbers.is_valid_number(parsed):
        return clean(given)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def dicts(holder: Any, key: str) -> list[dict[str, Any]]:
    """Return the objects in the list ``holder[key]``, whatever ``holder`` is."""
    items = holder.get(key) if isinstance(holder, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _dict(holder: dict[str, Any], key: str) -> dict[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _words(message: dict[str, Any]) -> str:
    """Return what a person wrote, or the words of the button that they pressed."""
    match message.get("type"):
        case "text":
            return _text(_dict(message, "text").get("body"))
        case "button":
            return _text(_dict(message, "button").get("text"))
        case "interactive":
            pressed = _dict(message, "interactive")
            chosen = _dict(pressed, "button_reply") or _dict(pressed, "list_reply")
            return _text(chosen.get("title"))
        case _:
            return ""


def _instant(seconds: str) -> str:
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        return ""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
