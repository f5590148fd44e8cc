"""SNAP BI, the national payment API standard: what is signed, and how it is written.

Pure functions only; formulas from the standard's security annex (symmetric and asymmetric
signatures). Signatures cover the bytes as received: nothing is parsed and written again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from binascii import Error as BadBase64
from datetime import datetime
from typing import Any, Literal, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.errors import Refused

Encoding = Literal["hex", "base64"]

# A JSON string, or a run of what JSON calls white space outside of strings. A string that never
# ends takes the rest, so that no hostile body is scanned twice.
_STRING_OR_SPACE = re.compile(rb'("(?:[^"\\]++|\\.)*+"?)|[ \t\r\n]+', re.DOTALL)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_MIN_RSA_BITS = 2048


class Reply(NamedTuple):
    """An answer: HTTP ``status``, two-digit ``case``, the standard's message, and the data.

    ``data`` is ``virtualAccountData``, or the whole rest of the body for a token.
    """

    status: int
    case: str
    message: str
    data: dict[str, Any] | None = None

    def code(self, service: str) -> str:
        """Return the response code: HTTP status, service and case."""
        return f"{self.status}{service}{self.case}"


class SnapRefused(Refused):
    """A bank's call is refused with ``reply``, in the standard's own words."""

    code = "snap-refused"
    text = "The bank's call was refused."

    def __init__(self, reply: Reply) -> None:
        """Carry ``reply`` to the edge."""
        super().__init__()
        self.reply = reply


def success(data: dict[str, Any]) -> Reply:
    """Return the answer to a request that was carried out."""
    return Reply(200, "00", "Successful", data)


BAD_REQUEST = Reply(400, "00", "Bad Request")
UNKNOWN_CLIENT = Reply(401, "00", "Unauthorized. [Unknown client]")
BAD_SIGNATURE = Reply(401, "00", "Unauthorized. [Signature]")
BAD_TIMESTAMP = Reply(401, "00", "Unauthorized. [X-TIMESTAMP]")
CUT_OFF = Reply(403, "06", "Cut Off In Progress")
INVALID_TOKEN = Reply(401, "01", "Invalid Token (B2B)")
NOT_FOUND = Reply(404, "01", "Transaction Not Found")
UNKNOWN_BILL = Reply(404, "12", "Invalid Bill/Virtual Account [Not Found]")
WRONG_AMOUNT = Reply(404, "13", "Invalid Amount")
PAID_BILL = Reply(404, "14", "Paid Bill")
INCONSISTENT = Reply(404, "18", "Inconsistent Request")
EXPIRED_BILL = Reply(404, "19", "Invalid Bill/Virtual Account [Expired]")
CONFLICT = Reply(409, "00", "Conflict")
GENERAL_ERROR = Reply(500, "00", "General Error")


def invalid_field(field: str) -> Reply:
    """Return the answer to a field that is not written as it should be."""
    return Reply(400, "01", f"Invalid Field Format {field}")


def missing_field(field: str) -> Reply:
    """Return the answer to a mandatory field that is not there."""
    return Reply(400, "02", f"Invalid Mandatory Field {field}")


def minify(body: bytes) -> bytes:
    """Drop white space outside strings and touch nothing else: no escape, number or key order."""
    return _STRING_OR_SPACE.sub(lambda found: found[1] or b"", body)


def body_hash(body: bytes, *, raw: bool = False) -> str:
    """Return the lower-case hex SHA-256 of the (minified) body; an empty body hashes as empty."""
    return hashlib.sha256(body if raw else minify(body)).hexdigest()


def symmetric_text(method: str, target: str, token: str, digest: str, timestamp: str) -> str:
    """Return what a transaction's HMAC covers. ``target`` is the path with its query."""
    return f"{method}:{target}:{token}:{digest}:{timestamp}"


def symmetric_signature(secret: str, text: str, encoding: Encoding) -> str:
    """Return HMAC-SHA512 of ``text`` as lower-case hex or base64."""
    made = hmac.new(secret.encode(), text.encode(), hashlib.sha512).digest()
    return made.hex() if encoding == "hex" else base64.b64encode(made).decode()


def same_signature(expected: str, given: str) -> bool:
    """Compare in constant time; a header may hold anything, so bytes are compared."""
    return hmac.compare_digest(expected.encode(), given.encode())


def token_text(client_id: str, timestamp: str) -> str:
    """Return what the signature of a token request covers."""
    return f"{client_id}|{timestamp}"


def asymmetric_text(method: str, target: str, digest: str, timestamp: str) -> str:
    """Return what the signature of a transaction without a token covers."""
    return f"{method}:{target}:{digest}:{timestamp}"


def public_key(pem: bytes) -> RSAPublicKey | None:
    """Return a partner's key; None for what is no RSA key of at least 2048 bits."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, RSAPublicKey) or key.key_size < _MIN_RSA_BITS:
        return None
    return key


def verify_rsa(key: RSAPublicKey, text: str, signature: str, encoding: Encoding) -> bool:
    """Say whether ``signature`` is SHA256withRSA (PKCS#1 v1.5) over ``text`` by this key."""
    try:
        key.verify(_decoded(signature, encoding), text.encode(), PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def sign_rsa(key: RSAPrivateKey, text: str, encoding: Encoding) -> str:
    """Return SHA256withRSA (PKCS#1 v1.5) of ``text`` by our key."""
    made = key.sign(text.encode(), PKCS1v15(), SHA256())
    return made.hex() if encoding == "hex" else base64.b64encode(made).decode()


def _decoded(signature: str, encoding: Encoding) -> bytes:
    try:
        if encoding == "hex":
            return bytes.fromhex(signature)
        return base64.b64decode(signature, validate=True)
    except BadBase64 as error:
        raise ValueError("not base64") from error


def parse_timestamp(text: str) -> datetime | None:
    """Return the aware instant of an X-TIMESTAMP, with or without fractions; None if malformed."""
    if _TIMESTAMP.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def within_skew(stamp: datetime, now: datetime, seconds: int) -> bool:
    """Say whether two instants are at most ``seconds`` apart, whichever comes first."""
    return abs((stamp - now).total_seconds()) <= seconds
