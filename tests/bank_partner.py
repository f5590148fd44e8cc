"""A bank that calls our service as a SNAP partner, with signing code of its own.

Its servers, which our own calls reach, are in ``tests/bank_stand_in.py``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

JAKARTA = timezone(timedelta(hours=7))
TOKEN_PATH = "/v1.0/access-token/b2b"
VA_PATH = "/v1.0/transfer-va"
_COUNT = itertools.count(1)


def new_key(folder: Path, name: str) -> RSAPrivateKey:
    """Make a key pair: ``name.pem`` and ``name-public.pem`` in ``folder``; return the private."""
    folder.mkdir(parents=True, exist_ok=True)
    key = generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / f"{name}.pem").write_bytes(key.private_bytes(pem, pkcs8, plain))
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    (folder / f"{name}-public.pem").write_bytes(key.public_key().public_bytes(pem, public))
    return key


def digits() -> str:
    """Return a number that no other call of this process has."""
    return f"{next(_COUNT):012d}"


@dataclass
class Partner:
    """A bank that calls our service as a SNAP partner.

    ``shift`` moves its clock. ``encoding`` is ``base64`` or ``hex``; with ``by_key`` transactions
    are signed with the key and carry no token.
    """

    http: httpx.AsyncClient
    key: RSAPrivateKey
    secret: str
    client_id: str
    partner_id: str
    prefix: str = "12345"
    encoding: str = "base64"
    channel: str = "95221"
    by_key: bool = False
    shift: timedelta = timedelta()
    token: str = ""

    async def sign_in(self) -> dict[str, Any]:
        """Ask for a token (73)."""
        answer = (await self.ask_for_token(b'{"grantType":"client_credentials"}')).json()
        self.token = str(answer.get("accessToken", ""))
        return dict(answer)

    async def ask_for_token(self, raw: bytes) -> httpx.Response:
        """Make one signed token request with any body."""
        stamp = self.stamp()
        headers = {
            "X-TIMESTAMP": stamp,
            "X-CLIENT-KEY": self.client_id,
            "X-SIGNATURE": self._rsa(f"{self.client_id}|{stamp}"),
            "Content-Type": "application/json",
        }
        return await self.http.post(TOKEN_PATH, content=raw, headers=headers)

    async def call(
        self, service: str, body: Mapping[str, Any] | bytes, external_id: str = ""
    ) -> httpx.Response:
        """Make one signed call: ``service`` is ``payment``, ``inquiry``, ``status``, .."""
        raw = body if isinstance(body, bytes) else tight(body)
        path = f"{VA_PATH}/{service}"
        headers = self.headers("POST", path, raw, external_id)
        return await self.http.post(path, content=raw, headers=headers)

    def headers(self, method: str, path: str, raw: bytes, external_id: str = "") -> dict[str, str]:
        """Return the signed headers of one call; ``raw`` must have no white space to drop."""
        stamp, digest = self.stamp(), hashlib.sha256(raw).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": stamp,
            "X-PARTNER-ID": self.partner_id,
            "X-EXTERNAL-ID": external_id or digits(),
            "CHANNEL-ID": self.channel,
        }
        if self.by_key:
            return headers | {"X-SIGNATURE": self._rsa(f"{method}:{path}:{digest}:{stamp}")}
        text = f"{method}:{path}:{self.token}:{digest}:{stamp}"
        made = hmac.new(self.secret.encode(), text.encode(), hashlib.sha512).digest()
        return headers | {
            "Authorization": f"Bearer {self.token}",
            "X-SIGNATURE": self._text(made),
        }

    def stamp(self) -> str:
        """Return the partner's time."""
        return (datetime.now(JAKARTA) + self.shift).isoformat(timespec="seconds")

    def _rsa(self, text: str) -> str:
        return self._text(self.key.sign(text.encode(), PKCS1v15(), SHA256()))

    def _text(self, raw: bytes) -> str:
        return raw.hex() if self.encoding == "hex" else base64.b64encode(raw).decode()


def tight(body: Mapping[str, Any]) -> bytes:
    """Return JSON without white space, UTF-8 as it is."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
