"""The door that a SNAP partner's calls come through: who calls, is it really them, is it fresh.

The order matters: nothing is remembered and no body is read before the signature is verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Counter

from services.payment.banks import snap
from services.payment.banks.profile import BankProfile, Banks
from services.payment.banks.requests import read_object
from services.payment.banks.snap import Reply, SnapRefused
from services.payment.banks.tokens import AccessTokens
from shared.telemetry import log

TOKEN_SERVICE = "73"
_MAX_HEADER = 36

REFUSED = Counter("jejak_bank_calls_refused_total", "Bank calls turned away", ["reason"])


class Call(NamedTuple):
    """One HTTP call as received. ``target`` is the path with its query, ``body`` the raw bytes."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Caller(NamedTuple):
    """A verified caller, with the id of its call and the digest of its body."""

    profile: BankProfile
    external_id: str
    digest: str


class Door:
    """Verifies calls by the profiles of the partners."""

    def __init__(
        self, banks: Banks, tokens: AccessTokens, secret: Callable[[str], str], keys: Path
    ) -> None:
        """``secret(name)`` gives a partner's shared secret; public keys lie below ``keys``."""
        self._banks = banks
        self._tokens = tokens
        self._secret = secret
        self._keys = keys

    def token(self, call: Call, now: datetime) -> Reply:
        """Answer a token request (service 73). Raises SnapRefused."""
        client_id = _header(call, "X-CLIENT-KEY")
        timestamp = _header(call, "X-TIMESTAMP")
        signature = _header(call, "X-SIGNATURE", longest=2048)
        profile = self._banks.of_client(client_id)
        if profile is None:
            raise _turned_away("client", snap.UNKNOWN_CLIENT)
        self._check_fresh(profile, timestamp, now)
        text = snap.token_text(client_id, timestamp)
        if not snap.verify_rsa(self._public_key(profile), text, signature, profile.signature):
            raise _turned_away("signature", snap.BAD_SIGNATURE)
        if read_object(call.body).get("grantType") != "client_credentials":
            raise SnapRefused(snap.invalid_field("grantType"))
        token = self._tokens.issue(client_id, now, profile.token_seconds)
        return snap.success(
            {"accessToken": token, "tokenType": "Bearer", "expiresIn": str(profile.token_seconds)}
        )

    def caller(self, call: Call, now: datetime) -> Caller:
        """Return who makes a transaction call. Raises SnapRefused."""
        token = _header(call, "Authorization", longest=1024).removeprefix("Bearer ")
        timestamp = _header(call, "X-TIMESTAMP")
        signature = _header(call, "X-SIGNATURE", longest=2048)
        partner_id = _header(call, "X-PARTNER-ID")
        external_id = _header(call, "X-EXTERNAL-ID")
        client_id = self._tokens.client_of(token, now)
        if client_id is None:
            raise _turned_away("token", snap.INVALID_TOKEN)
        profile = self._banks.of_partner(partner_id)
        if profile is None or profile.client_id != client_id:
            raise _turned_away("client", snap.UNKNOWN_CLIENT)
        self._check_fresh(profile, timestamp, now)
        digest = snap.body_hash(call.body, raw=profile.body == "raw")
        text = snap.symmetric_text(call.method, call.target, token, digest, timestamp)
        expected = snap.symmetric_signature(self._secret(profile.secret), text, profile.signature)
        if not snap.same_signature(expected, signature):
            raise _turned_away("signature", snap.BAD_SIGNATURE)
        return Caller(profile, external_id, digest)

    @staticmethod
    def _check_fresh(profile: BankProfile, timestamp: str, now: datetime) -> None:
        stamp = snap.parse_timestamp(timestamp)
        if stamp is None:
            raise SnapRefused(snap.invalid_field("X-TIMESTAMP"))
        if not snap.within_skew(stamp, now, profile.skew_seconds):
            # A partner's clock that is wrong stops every payment: people must hear of it.
            log.error("bank_clock_skew", partner=profile.id, limit_seconds=profile.skew_seconds)
            raise _turned_away("skew", snap.BAD_TIMESTAMP)

    def _public_key(self, profile: BankProfile) -> bytes:
        # Read each time (a token serves for minutes), so that a rotated key needs no restart.
        try:
            return (self._keys / profile.public_key).read_bytes()
        except OSError:
            log.error("bank_public_key_missing", partner=profile.id, file=profile.public_key)
            return b""


def _header(call: Call, name: str, *, longest: int = _MAX_HEADER) -> str:
    value = call.headers.get(name, "")
    if not value:
        raise SnapRefused(snap.missing_field(name))
    if len(value) > longest or not value.isprintable():
        raise SnapRefused(snap.invalid_field(name))
    return value


def _turned_away(reason: str, reply: Reply) -> SnapRefused:
    REFUSED.labels(reason).inc()
    log.warning("bank_call_refused", reason=reason)
    return SnapRefused(reply)
