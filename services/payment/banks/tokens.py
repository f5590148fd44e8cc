"""Access tokens for bank partners: short-lived, bound to one client, checked without a table."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from binascii import Error as BadBase64
from datetime import datetime

_REMEMBERED = 1024


class AccessTokens:
    """Makes and reads tokens: ``base64url(client|expiry|nonce).base64url(HMAC-SHA256)``.

    Any process with the same secret reads them, and nothing has to be stored.
    """

    def __init__(self, secret: str) -> None:
        """``secret`` must be at least as hard to guess as the tokens should be."""
        self._secret = secret.encode()
        # Tokens that were read before, with their client and expiry: a bank shows one for minutes.
        self._read: dict[str, tuple[str, int]] = {}

    def issue(self, client_id: str, now: datetime, seconds: int) -> str:
        """Return a token of ``client_id`` that ends ``seconds`` after ``now``."""
        expiry = int(now.timestamp()) + seconds
        body = f"{client_id}|{expiry}|{secrets.token_hex(16)}".encode()
        return f"{_text(body)}.{_text(self._sign(body))}"

    def client_of(self, token: str, now: datetime) -> str | None:
        """Return whose token it is, or None for a foreign, changed or expired one."""
        known = self._read.get(token)
        if known is None:
            known = self._client_and_expiry(token)
            if known is None:
                return None
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[token] = known
        client_id, expiry = known
        return client_id if now.timestamp() < expiry else None

    def _client_and_expiry(self, token: str) -> tuple[str, int] | None:
        body_text, _, signature = token.partition(".")
        try:
            body, given = _bytes(body_text), _bytes(signature)
        except (BadBase64, ValueError):
            return None
        if not hmac.compare_digest(self._sign(body), given):
            return None
        client_id, expiry, _ = body.decode().rsplit("|", 2)
        return client_id, int(expiry)

    def _sign(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    # One token, one spelling: loose ends of base64 would make several out of it.
    if _text(raw) != text:
        raise ValueError("not our base64")
    return raw
