"""The door that a SNAP partner's calls come through: who calls, is it really them, is it fresh.

The order matters: nothing is remembered and no body is read before the signature is verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from prometheus_client import Counter

from services.payment.banks import snap
from services.payment.banks.dialects import SnapProfile
from services.payment.banks.keys import Keys
from services.payment.banks.profile import Banks
from services.payment.banks.requests import read_object
from services.payment.banks.snap import Reply, SnapRefused
from services.payment.banks.tokens import AccessTokens
from shared.telemetry import log

TOKEN_SERVICE = "73"
_MAX_HEADER = 36
_MAX_SIGNATURE, _MAX_TOKEN = 2048, 1024

REFUSED = Counter("jejak_bank_calls_refused_total", "Bank calls turned away", ["reason"])


class Call(NamedTuple):
    """One HTTP call as received. ``target`` is the path with its query, ``body`` the raw bytes.

    The names of ``headers`` are in small letters.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Caller(NamedTuple):
    """A verified caller, with the id of its call and the digest of its body."""

    profile: SnapProfile
    external_id: str
    digest: str


class Door:
    """Verifies calls by the profiles of the partners."""

    def __init__(self, banks: Banks, tokens: AccessTokens, keys: Keys) -> None:
        """``keys`` holds the partners' secrets and public keys."""
        self._banks = banks
        self._tokens = tokens
        self._keys = keys

    def token(self, call: Call, now: datetime) -> Reply:
        """Answer a token request (service 73). Raises SnapRefused."""
        client_id = _header(call, "X-CLIENT-KEY")
        timestamp = _header(call, "X-TIMESTAMP")
        signature = _header(call, "X-SIGNATURE", longest=_MAX_SIGNATURE)
        profile = self._banks.of_client(client_id)
        if profile is None:
            raise turned_away("client", snap.UNKNOWN_CLIENT)
        _check_fresh(profile, timestamp, now)
        self._check_rsa(profile, snap.token_text(client_id, timestamp), signature)
        if read_object(call.body).get("grantType") != "client_credentials":
            raise SnapRefused(snap.invalid_field("grantType"))
        token = self._tokens.issue(client_id, now, profile.token_seconds)
        return snap.success(
            {"accessToken": token, "tokenType": "Bearer", "expiresIn": str(profile.token_seconds)}
        )

    def caller(self, call: Call, now: datetime) -> Caller:
        """Return who makes a transaction call. Raises SnapRefused."""
        claimed = self._banks.of_partner(call.headers.get("x-partner-id", ""))
        if claimed is not None and claimed.proof == "asymmetric":
            return self._by_key(claimed, call, now)
        return self._by_token(call, now)

    def reversal_service(self, partner_id: str) -> str | None:
        """Return the service code that the claimed partner's reversals are answered with."""
        claimed = self._banks.of_partner(partner_id)
        return claimed.reversal_service if claimed else None

    def _by_token(self, call: Call, now: datetime) -> Caller:
        token = _header(call, "Authorization", longest=_MAX_TOKEN).removeprefix("Bearer ")
        timestamp = _header(call, "X-TIMESTAMP")
        signature = _header(call, "X-SIGNATURE", longest=_MAX_SIGNATURE)
        partner_id = _header(call, "X-PARTNER-ID")
        external_id = _header(call, "X-EXTERNAL-ID")
        channel = _header(call, "CHANNEL-ID")
        client_id = self._tokens.client_of(token, now)
        if client_id is None:
            raise turned_away("token", snap.INVALID_TOKEN)
        profile = self._banks.of_partner(partner_id)
        if profile is None or profile.client_id != client_id or profile.proof != "symmetric":
            raise turned_away("client", snap.UNKNOWN_CLIENT)
        _check_fresh(profile, timestamp, now)
        digest = snap.body_hash(call.body, raw=profile.body == "raw")
        text = snap.symmetric_text(call.method, call.target, token, digest, timestamp)
        live = self._keys.secrets(profile.secrets)
        made = (snap.symmetric_signature(secret, text, profile.signature) for secret in live)
        if not any(snap.same_signature(expected, signature) for expected in made):
            raise turned_away("signature", snap.BAD_SIGNATURE)
        return _verified(profile, channel, external_id, digest)

    def _by_key(self, profile: SnapProfile, call: Call, now: datetime) -> Caller:
        timestamp = _header(call, "X-TIMESTAMP")
        signature = _header(call, "X-SIGNATURE", longest=_MAX_SIGNATURE)
        external_id = _header(call, "X-EXTERNAL-ID")
        channel = _header(call, "CHANNEL-ID")
        _check_fresh(profile, timestamp, now)
        digest = snap.body_hash(call.body, raw=profile.body == "raw")
        text = snap.asymmetric_text(call.method, call.target, digest, timestamp)
        self._check_rsa(profile, text, signature)
        return _verified(profile, channel, external_id, digest)

    def _check_rsa(self, profile: SnapProfile, text: str, signature: str) -> None:
        keys = self._keys.public(profile.public_keys)
        if not any(snap.verify_rsa(key, text, signature, profile.signature) for key in keys):
            raise turned_away("signature", snap.BAD_SIGNATURE)


def turned_away(reason: str, reply: Reply) -> SnapRefused:
    """Return the refusal of a call that proved nothing, counted and logged by its reason."""
    REFUSED.labels(reason).inc()
    log.warning("bank_call_refused", reason=reason)
    return SnapRefused(reply)


def _verified(profile: SnapProfile, channel: str, external_id: str, digest: str) -> Caller:
    if channel != profile.channel_id:
        raise SnapRefused(snap.invalid_field("CHANNEL-ID"))
    return Caller(profile, external_id, digest)


def _check_fresh(profile: SnapProfile, timestamp: str, now: datetime) -> None:
    stamp = snap.parse_timestamp(timestamp)
    if stamp is None:
        raise SnapRefused(snap.invalid_field("X-TIMESTAMP"))
    if not snap.within_skew(stamp, now, profile.skew_seconds):
        # A partner's clock that is wrong stops every payment: people must hear of it.
        log.error("bank_clock_skew", partner=profile.id, limit_seconds=profile.skew_seconds)
        raise turned_away("skew", snap.BAD_TIMESTAMP)


def _header(call: Call, name: str, *, longest: int = _MAX_HEADER) -> str:
    value = call.headers.get(name.lower(), "")
    if not value:
        raise SnapRefused(snap.missing_field(name))
    if len(value) > longest or not value.isprintable():
        raise SnapRefused(snap.invalid_field(name))
    return value
