"""The way in without an account: registration number and secret code, then a short-lived cookie.

A wrong code and an unknown number get the same answer after the same time, so nobody learns which
numbers exist. Code and number together never stand in an address.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from shared.errors import NotFound
from shared.web.login import FailedTries
from shared.web.session import cookie_name

_PER_NUMBER, _PER_ADDRESS = 10, 30
_MAX_NUMBER, _MAX_CODE = 40, 60
# What people type for what they read (Crockford's base 32); separators are dropped.
_READ = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
# Compared with when there is no such application: no code has this hash.
_NO_HASH = "0" * 64
# Whoever comes straight from submitting may be faster than the read model.
_LOOKS, _PAUSE_SECONDS = 4, 0.1
_VISIT_SECONDS = 4 * 3600
_MAX_VISITS = 10


class Coded(Protocol):
    """What has a secret code: ``code_hash`` is its SHA-256 in hexadecimal."""

    @property
    def code_hash(self) -> str: ...


F = TypeVar("F", bound=Coded)


class Door(Generic[F]):
    """Opens what belongs to an application to whoever knows its number and code."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[F | None]],
        secret: str,
        *,
        name: str,
        secure: bool,
        tries: Callable[[], FailedTries] = FailedTries,
    ) -> None:
        """``find`` looks a number up; ``secret`` signs the cookie ``jejak_{name}``.

        ``secure`` says that people come over https.
        """
        self._find = find
        self._tries = tries()
        self._cookie = cookie_name(f"jejak_{name}", secure=secure)
        self._signer = URLSafeTimedSerializer(secret, salt=f"jejak.{name}-visit")
        self._secure = secure

    async def open(self, number: str, code: str, request: Request) -> F:
        """Return the application. Raises NotFound for any wrong pair, and TooManyRequests."""
        number = normal(number)
        address = request.client.host if request.client else ""
        limits = {f"number {number}": _PER_NUMBER, f"address {address}": _PER_ADDRESS}
        for key, limit in limits.items():
            self._tries.check(key, limit)
        # Counted before looking, so that many tries at once don't slip through.
        for key in limits:
            self._tries.failed(key)
        given = hashlib.sha256(code.upper().translate(_READ)[:_MAX_CODE].encode()).hexdigest()
        for look in range(_LOOKS):
            if look:
                await asyncio.sleep(_PAUSE_SECONDS)
            found = await self._find(number)
            held = found.code_hash if found is not None else ""
            if hmac.compare_digest(given, held or _NO_HASH) and found is not None:
                self._tries.forget(f"number {number}")
                # A mobile network lets thousands of applicants share one address.
                self._tries.take_back(f"address {address}")
                return found
        raise NotFound

    def remember(self, request: Request, response: Response, number: str) -> None:
        """Let this browser see the application for a few hours."""
        numbers = [held for held in self.remembered(request) if held != number]
        response.set_cookie(
            self._cookie,
            str(self._signer.dumps([*numbers, number][-_MAX_VISITS:])),
            max_age=_VISIT_SECONDS,
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    def remembered(self, request: Request) -> list[str]:
        """Return the numbers that this browser may see, the newest last."""
        try:
            held = self._signer.loads(request.cookies.get(self._cookie, ""), _VISIT_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return []
        return [str(number) for number in held]

    async def visitor(self, request: Request, number: str) -> F:
        """Return the application if this browser was let in before. Raises NotFound."""
        if normal(number) not in self.remembered(request):
            raise NotFound
        found = await self._find(normal(number))
        if found is None:
            raise NotFound
        return found


def normal(number: str) -> str:
    """Return a registration number as it is stored."""
    return number.strip().upper()[:_MAX_NUMBER]
