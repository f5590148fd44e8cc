"""WhatsApp Cloud API, as Meta's published OpenAPI file has it: template messages and statuses."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NamedTuple

import httpx

from services.notify.channels.http import broken, unexpected
from services.notify.channels.protocol import Failed, Later, Outgoing, Result, Sent, Unknown
from shared.telemetry import log

API_VERSION = "v23.0"

# Limits and passing faults, with the seconds to wait at least; 131056 is about one recipient.
_LATER = {130429: 5.0, 4: 60.0, 80007: 60.0, 2: 5.0, 131016: 5.0, 131056: 6.0}

# A parameter of ours is wrong: no other channel would make it right.
_OUR_BUG = frozenset({100, 131008, 131009})
# The account, its token or its template is in trouble: every message will fail until people act.
_TROUBLE = frozenset(
    {0, 190, 10, *range(200, 300), 368, 131031, 131042, 131048}
    | {132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016}
)


class Status(NamedTuple):
    """One delivery report. ``code`` is the error's, 0 without one."""

    message_id: str
    provider_id: str
    status: str
    code: int


class WhatsApp:
    """Sends approved templates from one business number."""

    name = "whatsapp"

    def __init__(self, http: httpx.AsyncClient, phone_id: str, token: str) -> None:
        """``http`` has the provider's base address, such as ``https://graph.facebook.com``."""
        self._http = http
        self._path = f"/{API_VERSION}/{phone_id}/messages"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def send(self, message: Outgoing) -> Result:
        """Send a template message; our id travels along and comes back with every status."""
        try:
            answer = await self._http.post(self._path, json=body(message), headers=self._headers)
        except httpx.HTTPError as error:
            return broken(error)
        return result(answer)


def body(message: Outgoing) -> dict[str, Any]:
    """Return the request's JSON. Numbers go without their plus sign."""
    parameters = [
        {"type": "text", "parameter_name": name, "text": value}
        for name, value in message.parameters.items()
    ]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.recipient.removeprefix("+"),
        "type": "template",
        "biz_opaque_callback_data": message.message_id,
        "template": {
            "name": message.template,
            "language": {"policy": "deterministic", "code": message.language},
            "components": [{"type": "body", "parameters": parameters}],
        },
    }


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
    if code in _LATER:
        return Later(str(code), _LATER[code])
    if code in _TROUBLE or code in _OUR_BUG:
        log.error("whatsapp_needs_attention", provider_code=code)
    return Failed(str(code), fallback=code not in _OUR_BUG)


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
