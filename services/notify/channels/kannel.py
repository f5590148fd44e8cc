"""SMS through a Kannel gateway: its ``sendsms`` call, and delivery reports at an address of ours.

Kannel gives no id, so ours rides in the report's address, signed: whoever can call that address
can't claim anything about another message.
"""

from __future__ import annotations

import httpx

from services.notify.channels.http import call, unexpected
from services.notify.channels.protocol import Effect, Failed, Later, Outgoing, Result, Sent, Unknown
from services.notify.channels.sms import ReportSigner, is_wide, plain
from shared.telemetry import log

# Kannel's delivery report types; the mask asks for all of them.
DELIVERED, REFUSED, BUFFERED, ACCEPTED, REJECTED = 1, 2, 4, 8, 16
_MASK = DELIVERED | REFUSED | BUFFERED | ACCEPTED | REJECTED


class Kannel:
    """Sends SMS through one gateway."""

    name = "sms"

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        user: str,
        password: str,
        sender: str,
        reports: str,
        signer: ReportSigner,
    ) -> None:
        """``reports`` is the address that Kannel reaches us at, such as ``http://host:8604``."""
        self._http = http
        self._account = {"username": user, "password": password, "from": sender}
        self._reports = reports
        self._signer = signer

    async def send(self, message: Outgoing) -> Result:
        """Send one SMS, asking for a report about every step."""
        text = plain(message.text)
        query = {
            **self._account,
            "to": message.recipient,
            "text": text,
            "charset": "UTF-8",
            "coding": "2" if is_wide(text) else "0",
            "dlr-mask": str(_MASK),
            "dlr-url": self.report_address(message.message_id),
        }
        answer = await call(self._http, "GET", "/cgi-bin/sendsms", params=query)
        return _result(answer) if isinstance(answer, httpx.Response) else answer

    def report_address(self, message_id: str) -> str:
        """Return where Kannel reports; it puts the type in place of ``%d``."""
        return self._signer.address(self._reports, "kannel", message_id) + "&type=%d"


def _result(answer: httpx.Response) -> Result:
    # 0: Accepted, 3: Queued for later delivery. Both come with 202.
    if answer.status_code == 202 and answer.text[:1] in ("0", "3"):
        return Sent()
    if answer.status_code in (401, 403):
        # Our account is wrong: the message is not to blame, people must look.
        log.error("kannel_needs_attention", status=answer.status_code)
        return Later("kannel-account", 60.0, Effect.PAUSE)
    if answer.status_code == 503:
        return Later("kannel-busy", 5.0, Effect.SLOW)
    if answer.status_code == 400:
        return Failed("kannel-400", fallback=False)
    if answer.is_success:
        # A yes that can't be read may still be a yes.
        return Unknown("unreadable")
    return unexpected(answer.status_code)
