"""The code that a letter's QR carries: only we can make one, so a forged letter has none.

It is the application's id and a truncated HMAC-SHA256 (128 bits; RFC 2104 section 5) of it, in URL
safe base64: short, so that the QR code stays coarse enough for a cheap phone.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from uuid import UUID

_ID_BYTES, _MAC_BYTES = 16, 16
_MAX_LENGTH = 64


class Seal:
    """Makes and reads the codes of letters under a kept secret."""

    def __init__(self, secret: str) -> None:
        """``secret`` must be the same in every process, and stay for as long as letters do."""
        # Keyed once and copied for each use.
        self._keyed = hmac.new(secret.encode(), b"permit-letter:1\n", "sha256")

    def token(self, application_id: str) -> str:
        """Return the code of an application's letter: 43 letters, digits, ``-`` and ``_``."""
        identity = UUID(application_id).bytes
        return base64.urlsafe_b64encode(identity + self._mac(identity)).rstrip(b"=").decode()

    def opened(self, token: str) -> str | None:
        """Return the application's id, None for a code that we did not make. Reads nothing."""
        if len(token) > _MAX_LENGTH:
            return None
        try:
            held = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            application_id = str(UUID(bytes=held[:_ID_BYTES]))
        except (binascii.Error, ValueError):
            return None
        # Made again and compared as text: of the spellings that decode alike only one is ours.
        genuine = hmac.compare_digest(token.encode(), self.token(application_id).encode())
        return application_id if genuine else None

    def _mac(self, identity: bytes) -> bytes:
        mac = self._keyed.copy()
        mac.update(identity)
        return mac.digest()[:_MAC_BYTES]
