"""The legacy dialects on the wire: A (virtual account) and B (QRIS). Pure functions only.

Their callbacks carry no signature, so what is read here is a hint and never a fact. Signatures and
fields as public integrations of such a bank have them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import jwt

from shared.errors import InvalidInput

PAID: Final = "2"
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,13})(\.00)?", re.ASCII)
_NAME = re.compile(r"[!-~]{1,64}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{6,28}", re.ASCII)
_TOKEN_LIFE = timedelta(hours=1)


class BadHint(InvalidInput):
    """A callback that is not what the dialect says."""

    code = "bad-callback"
    text = "This is not a callback of this bank's dialect."


class Hint(NamedTuple):
    """What an unsigned callback claims: that ``account`` was paid, under the bank's ``name``."""

    account: str
    name: str


def token_request(client_id: str, secret: str, now: datetime) -> str:
    """Return the body of a token request: an HS256 JWT that ends in an hour."""
    claims = {
        "sub": "va-online",
        "aud": "access-token",
        "iat": int(now.timestamp()),
        "exp": int((now + _TOKEN_LIFE).timestamp()),
    }
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": client_id})


def signature(secret: str, path: str, method: str, token: str, timestamp: int, body: str) -> str:
    """Return the lower-case hex HMAC-SHA256 of one call."""
    text = f"path={path}&method={method}&token={token}&timestamp={timestamp}&body={body}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def read_va_hint(body: bytes) -> Hint | None:
    """Return what a callback of dialect A claims; None when it claims no payment.

    Raises BadHint.
    """
    sent = _object(body)
    if str(sent.get("status", "")) != PAID:
        return None
    return Hint(_account(sent, "va_number"), _name(sent, "client_refnum"))


def read_qris_hint(body: bytes) -> Hint | None:
    """Return what a callback of dialect B claims; None when it claims no payment.

    Raises BadHint.
    """
    sent = _object(body)
    if sent.get("type") != "TRANSACTION":
        return None
    return Hint(_account(sent, "invoiceNumber"), _name(sent, "rrn"))


def rupiah(value: object) -> int | None:
    """Return whole rupiah of what a legacy bank writes: 240000, "240000" or "240000.00"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        value = str(value)
    found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def local_time(value: object, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a legacy bank's time: ISO 8601, or ``d/m/Y H:i:s`` in its zone."""
    if not isinstance(value, str) or not value.isascii() or len(value) > 40:
        return None
    for read in (datetime.fromisoformat, lambda text: datetime.strptime(text, "%d/%m/%Y %H:%M:%S")):
        try:
            found = read(value)
        except ValueError:
            continue
        return found if found.tzinfo is not None else found.replace(tzinfo=zone)
    return None


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BadHint from None
    if not isinstance(found, dict):
        raise BadHint
    return found


def _account(sent: Mapping[str, Any], field: str) -> str:
    value = str(sent.get(field, "")).replace(" ", "")
    if _ACCOUNT.fullmatch(value) is None:
        raise BadHint
    return value


def _name(sent: Mapping[str, Any], field: str) -> str:
    value = sent.get(field)
    if value is None or value == "":
        return ""
    if not isinstance(value, str | int) or _NAME.fullmatch(str(value)) is None:
        raise BadHint
    return str(value)
