"""How this bank signs and verifies: SNAP BI and the legacy dialects, from the published texts.

Written apart from the office's code on purpose. Texts are what the standard names; secrets are
text, bodies are bytes as they came.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

_HOUR = 3600
_QUOTE, _ESCAPE = ord('"'), ord("\\")


def snap_signature(
    secret: str, method: str, target: str, token: str, body: bytes, stamp: str
) -> str:
    """Return the symmetric signature of a SNAP call, in base64."""
    digest = hashlib.sha256(without_space(body)).hexdigest()
    text = f"{method}:{target}:{token}:{digest}:{stamp}"
    return base64.b64encode(hmac.digest(secret.encode(), text.encode("latin-1"), "sha512")).decode()


def snap_key_signed(key: RSAPublicKey, text: str, signature: str) -> bool:
    """Say whether ``text`` was signed with the office's key (SHA256withRSA, base64)."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, text.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error):
        return False
    return True


def legacy_signature(
    secret: str, path: str, method: str, token: str, stamp: str, body: bytes
) -> str:
    """Return the signature of a legacy call: lower-case hex."""
    text = f"path={path}&method={method}&token={token}&timestamp={stamp}&body="
    return hmac.new(secret.encode(), text.encode() + body, hashlib.sha256).hexdigest()


def token_asked(raw: bytes, secret: str, client_id: str, now: float) -> bool:
    """Say whether a legacy token request holds: an HS256 JWT of this client that lives an hour."""
    try:
        head, claims, signature = raw.split(b".")
        made = hmac.new(secret.encode(), head + b"." + claims, hashlib.sha256).digest()
        if not hmac.compare_digest(made, _unpadded(signature)):
            return False
        named, said = json.loads(_unpadded(head)), json.loads(_unpadded(claims))
        right = (named["alg"], named["kid"], said["sub"], said["aud"])
        fresh = said["exp"] - said["iat"] == _HOUR and abs(said["iat"] - now) <= 300
    except (ValueError, KeyError, TypeError):
        return False
    return fresh and right == ("HS256", client_id, "va-online", "access-token")


def same(one: str, other: str) -> bool:
    """Compare two signatures without telling by time where they differ."""
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))


def without_space(body: bytes) -> bytes:
    """Return JSON as it came, without the white space that is outside of strings."""
    kept = bytearray()
    inside = escaped = False
    for byte in body:
        if inside:
            inside = escaped or byte != _QUOTE
            escaped = not escaped and byte == _ESCAPE
        elif byte in b" \t\r\n":
            continue
        else:
            inside = byte == _QUOTE
        kept.append(byte)
    return bytes(kept)


def _unpadded(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
