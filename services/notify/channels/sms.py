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


# Of the basic set, what takes two places: an escape and a sign (GSM 03.38, extension table).
_ESCAPED = frozenset("^{}\\[~]|€")
_ONE_WIDE, _EACH_WIDE = 70, 67
_ONE, _EACH = 160, 153


def segments(text: str) -> int:
    """Return how many SMS a text takes as it is sent; a sign is never cut in two."""
    sent = plain(text)
    if is_wide(sent):
        sizes, one, each = (
            [len(sign.encode("utf-16-le")) // 2 for sign in sent],
            _ONE_WIDE,
            _EACH_WIDE,
        )
    else:
        sizes, one, each = [2 if sign in _ESCAPED else 1 for sign in sent], _ONE, _EACH
    if sum(sizes) <= one:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used + size > each:
            count, used = count + 1, 0
        used += size
    return count


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
