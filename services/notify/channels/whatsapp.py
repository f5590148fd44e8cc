"""WhatsApp Cloud API, as Meta's published OpenAPI file has it: messages and statuses."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NamedTuple

import httpx

from services.notify.channels.http import call, unexpected
from services.notify.channels.protocol import (
    Effect,
    Failed,
    Later,
    Outgoing,
    Result,
    Sent,
    Unknown,
)

API_VERSION = "v23.0"

GROUP = "group:"

# Limits and passing faults of the whole number, with the seconds to wait at least.
_SLOW = {130429: 5.0, 4: 60.0, 80007: 60.0, 2: 5.0, 131016: 5.0}
# Too many messages to one recipient.
_PAIR_LIMIT, _PAIR_SECONDS = 131056, 6.0
# A parameter of ours is wrong: no other channel would make it right.
_WRONG = frozenset({100, 131008, 131009})
_EFFECTS = {
    **dict.fromkeys((0, 190, 10, *range(200, 300), 368, 131031, 131042, 131048), Effect.PAUSE),
    **dict.fromkeys((132007, 132015, 132016), Effect.TEMPLATE_OFF),
    **dict.fromkeys((132000, 132001, 132005, 132008, 132012, *_WRONG), Effect.OUR_BUG),
    131047: Effect.TEXT_CLOSED,
    131049: Effect.NOT_TODAY,
    131050: Effect.OPT_OUT,
}


class Status(NamedTuple):
    """One delivery report. ``code`` is the error's, 0 without one."""

    message_id: str
    provider_id: str
    status: str
    code: int


class WhatsApp:
    """Sends approved templates, and free texts to who just wrote, from one business number."""

    name = "whatsapp"

    def __init__(self, http: httpx.AsyncClient, phone_id: str, token: str) -> None:
        """``http`` has the provider's base address, such as ``https://graph.facebook.com``."""
        self._http = http
        self._path = f"/{API_VERSION}/{phone_id}/messages"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def send(self, message: Outgoing) -> Result:
        """Send one message; our id travels along and comes back with every status."""
        answer = await call(
            self._http, "POST", self._path, json=body(message), headers=self._headers
        )
        return result(answer) if isinstance(answer, httpx.Response) else answer


def body(message: Outgoing) -> dict[str, Any]:
    """Return the request's JSON. Numbers go without their plus sign."""
    group = message.recipient.startswith(GROUP)
    asked: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "group" if group else "individual",
        "to": message.recipient.removeprefix(GROUP).removeprefix("+"),
        "biz_opaque_callback_data": message.message_id,
    }
    if message.reply_to:
        asked["context"] = {"message_id": message.reply_to}
    if not message.template:
        return asked | {"type": "text", "text": {"body": message.text, "preview_url": False}}
    parameters = [
        {"type": "text", "parameter_name": name, "text": value}
        for name, value in message.parameters.items()
    ]
    template = {
        "name": message.template,
        "language": {"policy": "deterministic", "code": message.language},
        "components": [{"type": "body", "parameters": parameters}],
    }
    return asked | {"type": "template", "template": template}


def result(answer: httpx.Response) -> Result:
    """Return what an answer comes to, by the error's own code where there is one."""
    try:
        found = answer.json()
    except ValueError:
        # A yes that can't be read may still be a yes.
        return Unknown("unreadable") if answer.is_success else unexpected(answer.status_code)
    if not isinstance(found, dict):
        return Unknown("unreadable") if answer.is_success else unexpected(answer.status_code)
    error = found.get("error")
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        return refusal(error["code"])
    messages = found.get("messages")
    if answer.is_success and isinstance(messages, list) and messages:
        return Sent(str(messages[0].get("id", "")))
    return Unknown("unreadable") if answer.is_success else unexpected(answer.status_code)


def refusal(code: int) -> Result:
    """Return what an error code comes to: later for limits and passing faults, else no."""
    if code in _SLOW:
        return Later(str(code), _SLOW[code], Effect.SLOW)
    if code == _PAIR_LIMIT:
        return Later(str(code), _PAIR_SECONDS, Effect.REST)
    effect = _EFFECTS.get(code, Effect.NONE)
    return Failed(str(code), fallback=code not in _WRONG, effect=effect)


def signed(secret: str, raw: bytes, header: str) -> bool:
    """Say whether ``X-Hub-Signature-256`` is the app secret's over the raw body."""
    made = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={made}".encode(), header.encode())


def statuses(webhook: Any) -> list[Status]:
    """Return the delivery reports in a webhook's JSON; what is not one is passed over."""
    found: list[Status] = []
    for entry in _dicts(webhook, "entry"):
        for change in _dicts(entry, "changes"):
            for status in _dicts(change.get("value"), "statuses"):
                errors = _dicts(status, "errors")
                code = errors[0].get("code", 0) if errors else 0
                found.append(
                    Status(
                        str(status.get("biz_opaque_callback_data", "")),
                        str(status.get("id", "")),
                        str(status.get("status", "")),
                        code if isinstance(code, int) else 0,
                    )
                )
    return found


def _dicts(holder: Any, key: str) -> list[dict[str, Any]]:
    items = holder.get(key) if isinstance(holder, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
