"""The applicant's way in without an account: registration number and secret code."""

from __future__ import annotations

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from services.intake.application import DECIDER
from services.intake.secrecy import same
from services.intake.states import NotSubmitted, stream
from services.intake.views import Applications
from shared.errors import NotFound
from shared.handle import Handler
from shared.web.login import FailedTries
from shared.web.session import cookie_name

_PER_NUMBER, _PER_ADDRESS = 10, 30
_MAX_NUMBER = 40
# Compared with when there is no such application, so that both answers take the same way.
_NO_HASH = "0" * 64


class Door:
    """Opens an application to whoever knows its number and code."""

    def __init__(
        self, handler: Handler, applications: Applications, tries: FailedTries | None = None
    ) -> None:
        """Limits wrong tries per number and per address."""
        self._handler = handler
        self._applications = applications
        self._tries = tries or FailedTries()

    async def open(self, number: str, code: str, request: Request) -> str:
        """Return the application's id.

        Raises NotFound for a wrong code and an unknown number alike, and TooManyRequests.
        """
        number = number.strip().upper()[:_MAX_NUMBER]
        address = request.client.host if request.client else ""
        keys = {f"number {number}": _PER_NUMBER, f"address {address}": _PER_ADDRESS}
        for key, limit in keys.items():
            self._tries.check(key, limit)
        row = await self._applications.by_number(number)
        application_id = row.application_id if row else "unknown"
        state = (await self._handler.load(DECIDER, stream(application_id))).state
        known = not isinstance(state, NotSubmitted)
        recorded = _NO_HASH if isinstance(state, NotSubmitted) else state.file.submission.code_hash
        if not (same(code, recorded) and known):
            for key in keys:
                self._tries.failed(key)
            raise NotFound
        self._tries.forget(f"number {number}")
        return application_id


class Visit:
    """Remembers in a signed cookie which application this browser may see for a while.

    Neither number nor code is in it or in an address; on a shared computer it ends soon.
    """

    def __init__(self, name: str, secret: str, *, seconds: int, secure: bool) -> None:
        """``name`` tells kinds of visits apart; ``secure``: people come over https."""
        self._cookie = cookie_name(f"jejak_{name}", secure=secure)
        self._signer = URLSafeTimedSerializer(secret, salt=f"jejak.{name}")
        self._seconds = seconds
        self._secure = secure

    def begin(self, response: Response, application_id: str) -> None:
        """Let this browser see the application."""
        response.set_cookie(
            self._cookie,
            str(self._signer.dumps(application_id)),
            max_age=self._seconds,
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    def end(self, response: Response) -> None:
        """Make this browser forget it."""
        response.delete_cookie(self._cookie, httponly=True, samesite="lax", secure=self._secure)

    def application(self, request: Request) -> str | None:
        """Return the application's id, or None."""
        held = request.cookies.get(self._cookie, "")
        try:
            return str(self._signer.loads(held, max_age=self._seconds))
        except BadSignature:
            return None
