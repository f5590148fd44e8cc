"""Secrets and keys of the partners: read where they are kept, remembered for a moment.

A profile only names them. What is read is kept for some seconds, because a bank calls more often
than keys change; a replaced or revoked one counts from then on, without a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.payment.banks.snap import public_key
from shared.errors import BadConfiguration
from shared.telemetry import log

T = TypeVar("T")

KEPT: Final = timedelta(seconds=30)


class Keys:
    """What is kept for the profiles."""

    def __init__(
        self, secret: Callable[[str], str], folder: Path, now: Callable[[], datetime]
    ) -> None:
        """``secret(name)`` gives a kept secret; PEM files lie below ``folder``."""
        self._secret = secret
        self._folder = folder
        self._now = now
        self._known: dict[str, tuple[datetime, object]] = {}

    def secrets(self, names: Sequence[str]) -> list[str]:
        """Return the secrets that are live."""
        return [self.secret(name) for name in names]

    def secret(self, name: str) -> str:
        """Return one secret."""
        return self._remembered(f"secret {name}", lambda: self._secret(name))

    def public(self, files: Sequence[str]) -> list[RSAPublicKey]:
        """Return the partner's keys that can be used; a missing one is reported, not fatal."""
        found = [self._remembered(f"public {name}", partial(self._public, name)) for name in files]
        return [key for key in found if key is not None]

    def private(self, file: str) -> RSAPrivateKey:
        """Return our own key. Raises BadConfiguration when there is none."""
        return self._remembered(f"private {file}", lambda: self._private(file))

    def _public(self, file: str) -> RSAPublicKey | None:
        try:
            key = public_key((self._folder / file).read_bytes())
        except OSError:
            key = None
        if key is None:
            log.error("bank_public_key_unusable", file=file)
        return key

    def _private(self, file: str) -> RSAPrivateKey:
        try:
            key = load_pem_private_key((self._folder / file).read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            # The cause may quote what it read.
            raise BadConfiguration(file=file, reason=type(error).__name__) from None
        if not isinstance(key, RSAPrivateKey):
            raise BadConfiguration(file=file, reason="not an RSA key")
        return key

    def _remembered(self, name: str, read: Callable[[], T]) -> T:
        now = self._now()
        known = self._known.get(name)
        if known is not None and now - known[0] < KEPT:
            return known[1]  # type: ignore[return-value]
        found = read()
        self._known[name] = (now, found)
        return found
