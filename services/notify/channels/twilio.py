"""SMS through Twilio's Messages resource, and its signed status callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import httpx

from services.notify.channels.http import call, unexpected
from services.notify.channels.protocol import Effect, Failed, Later, Outgoing, Result, Sent, Unknown
from services.notify.channels.sms import plain
from shared.telemetry import log

API = "/2010-04-01/Accounts"
# A text that is older than this is not worth sending (Twilio drops it then): four hours.
VALID_SECONDS = 14_400

# The number is wrong or no mobile: no other way to the same number is better.
BAD_NUMBER = frozenset({21211, 21614, 30005, 30006})
OPTED_OUT = 21610
# The handset is off or out of reach: worth another try later.
OUT_OF_REACH = 30003
_LIMIT = 20429
_REACH_SECONDS = 900.0


class Twilio:
    """Sends SMS from one number or messaging service."""

    name = "twilio"

    def __init__(
        self, http: httpx.AsyncClient, *, account: str, token: str, sender: str, reports: str
    ) -> None:
        """``sender`` is an E.164 number, a name or a ``MG..`` service; ``reports`` our address."""
        self._http = http
        self._path = f"{API}/{account}/Messages.json"
        self._auth = httpx.BasicAuth(account, token)
        key = "MessagingServiceSid" if sender.startswith("MG") else "From"
        self._sender = {key: sender}
        self._reports = reports

    async def send(self, message: Outgoing) -> Result:
        """Send one SMS; our id travels in the address that statuses come to."""
        form = {
            **self._sender,
            "To": message.recipient,
            "Body": plain(message.text),
            "StatusCallback": report_address(self._reports, message.message_id),
            "ValidityPeriod": str(VALID_SECONDS),
        }
        answer = await call(self._http, "POST", self._path, data=form, auth=self._auth)
        return result(answer) if isinstance(answer, httpx.Response) else answer


def report_address(base: str, message_id: str) -> str:
    """Return where Twilio reports about a message; the whole address is part of its signature."""
    return f"{base}/webhooks/twilio?nid={message_id}"


def result(answer: httpx.Response) -> Result:
    """Return what an answer comes to, by the error's own code where there is one."""
    found = _object(answer)
    if answer.is_success:
        sid = found.get("sid")
        return Sent(sid) if isinstance(sid, str) and sid else Unknown("unreadable")
    if answer.status_code in (401, 403):
        # Our account is wrong: the message is not to blame, people must look.
        log.error("twilio_needs_attention", status=answer.status_code)
        return Later("twilio-account", 60.0, Effect.PAUSE)
    code = found.get("code")
    return refusal(code) if isinstance(code, int) else unexpected(answer.status_code)


def refusal(code: int) -> Result:
    """Return what an error code comes to, whether it came with the answer or with a status."""
    if code == _LIMIT:
        return Later(str(code), 5.0, Effect.SLOW)
    if code == OUT_OF_REACH:
        return Later(str(code), _REACH_SECONDS)
    if code == OPTED_OUT:
        return Failed(str(code), fallback=False, effect=Effect.OPT_OUT)
    if code in BAD_NUMBER:
        return Failed(str(code), fallback=False, effect=Effect.BAD_NUMBER)
    return Failed(str(code))


def signed(token: str, address: str, form: Mapping[str, str], header: str) -> bool:
    """Say whether ``X-Twilio-Signature`` is the account's over the address and the form."""
    text = address + "".join(f"{name}{form[name]}" for name in sorted(form))
    made = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest())
    return hmac.compare_digest(made, header.encode())


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
