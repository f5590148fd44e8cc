"""The secret tracking code, and the signed receipt.

The code carries 130 bits and only its SHA-256 is recorded, so neither the store, a topic nor a
backup can reveal it. Yet somebody whose connection broke after sending must see the same code when
the same request is repeated. So the code is not random but derived: HMAC-SHA256 of the
application's id under a secret that is kept apart from the store. To whoever lacks the secret it is
as random as any other; to us it can be shown again without being stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.contracts.intake import ApplicationSubmitted, Document

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
# What people type for what they read (Crockford); separators they put in are dropped.
_READ = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_MAX_TYPED = 60


class Secrecy:
    """Makes and checks codes and receipts under two secrets that differ."""

    def __init__(self, tracking: str, receipt: str) -> None:
        """``tracking`` derives codes, ``receipt`` signs receipts."""
        # Keyed once and copied for each use: setting a key up costs more than the digest itself.
        self._tracking = hmac.new(tracking.encode(), b"code:", "sha256")
        self._receipt = hmac.new(receipt.encode(), b"receipt:1\n", "sha256")

    def code(self, application_id: str) -> str:
        """Return the secret code of an application: 26 letters and digits, 130 bits."""
        number = int.from_bytes(_digest(self._tracking, application_id))
        return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(_LENGTH))

    def sign(self, submission: ApplicationSubmitted, submitted_at: str) -> str:
        """Return the signature of a receipt: who has it can prove what was handed in and when.

        ``submitted_at`` is ISO 8601. The documents count as they were handed in.
        """
        parts = [submission.number, submission.office, submission.permit_type, submitted_at]
        parts += [f"{d.requirement}={d.sha256}" for d in in_order(submission.documents)]
        digest = _digest(self._receipt, "\n".join(parts))
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _digest(keyed: hmac.HMAC, text: str) -> bytes:
    mac = keyed.copy()
    mac.update(text.encode())
    return mac.digest()


def instant(at: datetime) -> str:
    """Return an instant as receipts write it: ISO 8601, UTC, whole seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def in_order(documents: Sequence[Document]) -> list[Document]:
    """Return ``documents`` in the order a receipt lists them."""
    return sorted(documents, key=lambda document: (document.requirement, document.sha256))


def code_hash(code: str) -> str:
    """Return what is recorded of a code: SHA-256, lower-case hex.

    No salt and no slow hash: 130 bits can't be searched.
    """
    return hashlib.sha256(code.encode()).hexdigest()


def read_code(typed: str) -> str:
    """Return a typed code as it was given: capitals, no separators, ``O`` for 0, ``I`` for 1."""
    return typed[:_MAX_TYPED].upper().translate(_READ)


def same(typed_code: str, recorded_hash: str) -> bool:
    """Say whether a typed code belongs to the recorded hash, in the same time either way."""
    return hmac.compare_digest(code_hash(read_code(typed_code)), recorded_hash)
