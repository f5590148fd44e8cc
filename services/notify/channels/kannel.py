"""SMS through a Kannel gateway: its ``sendsms`` call, and delivery reports at an address of ours.

Kannel gives no id, so ours rides in the report's address, signed: whoever can call that address
can't claim anything about another message.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

import httpx

from services.notify.channels.http import broken, unexpected
from services.notify.channels.protocol import Failed, Later, Outgoing, Result, Sent

# Kannel's delivery report types; the mask asks for all of them.
DELIVERED, REFUSED, BUFFERED, ACCEPTED, REJECTED = 1, 2, 4, 8, 16
_MASK = DELIVERED | REFUSED | BUFFERED | ACCEPTED | REJECTED
# The GSM 03.38 basic set: anything else costs twice the segments.
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."})


class ReportSigner:
    """Signs the address of a message's delivery report."""

    def __init__(self, secret: str) -> None:
        """``secret`` is ours alone."""
        self._secret = secret.encode()

    def sign(self, message_id: str) -> str:
        """Return the signature of a message id."""
        return hmac.new(self._secret, message_id.encode(), hashlib.sha256).hexdigest()

    def verify(self, message_id: str, signature: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.sign(message_id).encode(), signature.encode())


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
        text = message.text.translate(_PLAIN)
        wide = not _GSM7.issuperset(text)
        query = {
            **self._account,
            "to": message.recipient,
            "text": text,
            "charset": "UTF-8",
            "coding": "2" if wide else "0",
            "dlr-mask": str(_MASK),
            "dlr-url": self.report_address(message.message_id),
        }
        try:
            answer = await self._http.get("/cgi-bin/sendsms", params=query)
        except httpx.HTTPError as error:
            return broken(error)
        return _result(answer)

    def report_address(self, message_id: str) -> str:
        """Return where Kannel reports; it puts the type in place of ``%d``."""
        signature = self._signer.sign(message_id)
        return f"{self._reports}/webhooks/kannel/{quote(message_id)}?s={signature}&type=%d"


def _result(answer: httpx.Response) -> Result:
    # 0: Accepted, 3: Queued for later delivery. Both come with 202.
    if answer.status_code == 202 and answer.text[:1] in ("0", "3"):
        return Sent()
    if answer.status_code in (401, 403):
        # Our account is wrong: the message is not to blame, people must look.
        return Later("kannel-account", 60.0)
    if answer.status_code == 503:
        return Later("kannel-busy", 5.0)
    if answer.status_code == 400:
        return Failed("kannel-400", fallback=False)
    return unexpected(answer.status_code)
