"""SMS through 8x8, which has a region in Indonesia: one call per message, and its receipts.

Receipts are not signed, so each message gets an address of its own that we signed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx

from services.notify.channels.http import call, unexpected
from services.notify.channels.protocol import Effect, Failed, Later, Outgoing, Result, Sent, Unknown
from services.notify.channels.sms import ReportSigner, is_wide, plain
from shared.telemetry import log

_REJECTED = frozenset({"rejected", "failed", "error", "undelivered"})


class Receipt(NamedTuple):
    """One delivery receipt: 8x8's id, the state, and the error's code or 0."""

    provider_id: str
    state: str
    code: int

    @property
    def rejected(self) -> bool:
        """Whether the message will not arrive."""
        return self.state in _REJECTED


class EightX8:
    """Sends SMS from one sub-account."""

    name = "8x8"

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        account: str,
        key: str,
        sender: str,
        reports: str,
        signer: ReportSigner,
    ) -> None:
        """``account`` is the sub-account's id, ``reports`` the address at which 8x8 reaches us."""
        self._http = http
        self._path = f"/api/v1/subaccounts/{account}/messages"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._sender = sender
        self._reports = reports
        self._signer = signer

    async def send(self, message: Outgoing) -> Result:
        """Send one SMS under our own id."""
        text = plain(message.text)
        body = {
            "destination": message.recipient,
            "text": text,
            "source": self._sender,
            "clientMessageId": message.message_id,
            "encoding": "UCS2" if is_wide(text) else "GSM7",
            "dlrCallbackUrl": self._signer.address(self._reports, "8x8", message.message_id),
        }
        answer = await call(self._http, "POST", self._path, json=body, headers=self._headers)
        return _result(answer) if isinstance(answer, httpx.Response) else answer


def _result(answer: httpx.Response) -> Result:
    found = _object(answer)
    if answer.is_success:
        status, umid = _dict(found.get("status")), found.get("umid")
        if status.get("state") in _REJECTED:
            return Failed(f"8x8-{status.get('errorCode', 'rejected')}")
        return Sent(umid) if isinstance(umid, str) and umid else Unknown("unreadable")
    if answer.status_code in (401, 403):
        # Our account is wrong: the message is not to blame, people must look.
        log.error("eightx8_needs_attention", status=answer.status_code)
        return Later("8x8-account", 60.0, Effect.PAUSE)
    if answer.status_code == 400:
        return Failed(f"8x8-{found.get('code', 400)}")
    return unexpected(answer.status_code)


def receipt(sent: Any) -> Receipt | None:
    """Return the delivery receipt in a webhook's JSON, None for anything else."""
    if not isinstance(sent, dict) or sent.get("eventType") != "outbound_message_status_changed":
        return None
    payload = _dict(sent.get("payload"))
    status = _dict(payload.get("status"))
    code = status.get("errorCode", 0)
    return Receipt(
        str(payload.get("umid", "")),
        str(status.get("state", "")),
        code if isinstance(code, int) else 0,
    )


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        return _dict(answer.json())
    except ValueError:
        return {}


def _dict(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
