"""What the bank holds: its name at the office, the shared secret, and its own RSA key pair."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class BankKeys:
    """The bank's side of the integration sheet ``deploy/banks/bank-contoh.yaml``."""

    secret: str
    private: RSAPrivateKey
    client_id: str = "jejak-bank"
    partner_id: str = "JEJAK-BANK"
    prefix: str = "12345"
    channel: str = "95221"


def open_keys(data: Path, secret: str) -> BankKeys:
    """Return the bank's keys; the pair is made once, in ``data/bank``."""
    folder = data / "bank"
    folder.mkdir(parents=True, exist_ok=True)
    private = _private_key(folder)
    public = private.public_key().public_bytes(
        _PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    draft = _write(folder, public)
    draft.replace(folder / "public.pem")
    return BankKeys(secret, private)


def _private_key(folder: Path) -> RSAPrivateKey:
    file = folder / "private.pem"
    if not file.exists():
        made = generate_private_key(public_exponent=65537, key_size=2048)
        draft = _write(
            folder,
            made.private_bytes(
                _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
        try:
            # A link is made whole or not at all; who loses the race uses the other's key.
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _write(folder: Path, content: bytes) -> Path:
    draft = folder / f".{secrets.token_hex(6)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return draft
