"""What SMS providers have in common: the alphabet, and report addresses that only we can make."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

# The GSM 03.38 basic set: anything else costs twice the segments.
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."})


def plain(text: str) -> str:
    """Return ``text`` with typographic marks as the GSM alphabet has them."""
    return text.translate(_PLAIN)


def is_wide(text: str) -> bool:
    """Say whether ``text`` needs UCS-2, which holds 70 characters in a segment instead of 160."""
    return not _GSM7.issuperset(text)


class ReportSigner:
    """Signs the address of a message's delivery report.

    A provider that does not sign its reports calls an address that we signed: whoever can call it
    can't claim anything about another message.
    """

    def __init__(self, secret: str) -> None:
        """``secret`` is ours alone."""
        self._secret = secret.encode()

    def sign(self, message_id: str) -> str:
        """Return the signature of a message id."""
        return hmac.new(self._secret, message_id.encode(), hashlib.sha256).hexdigest()

    def verify(self, message_id: str, signature: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.sign(message_id).encode(), signature.encode())

    def address(self, base: str, provider: str, message_id: str) -> str:
        """Return where ``provider`` reports about a message, below our own address ``base``."""
        path = f"/webhooks/{provider}/{quote(message_id)}"
        return f"{base}{path}?s={self.sign(message_id)}"
