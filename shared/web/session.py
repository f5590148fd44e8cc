"""Who is signed in: a signed cookie, read once per request."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from shared.actors import Role
from shared.errors import NotAllowed, NotSignedIn
from shared.identity import Account, Accounts

SESSION_SECONDS = 12 * 3600
_MAX_REVOKED = 10_000


def cookie_name(name: str, *, secure: bool) -> str:
    """Return the cookie's name; over https the browser itself then pins it to this host."""
    return f"__Host-{name}" if secure else name


class Sessions:
    """Signs people in and out. The cookie names an account; the roles are looked up each time."""

    def __init__(self, accounts: Accounts, secret: str, *, secure: bool = False) -> None:
        """``secret`` signs the cookie; ``secure`` says that people come over https."""
        self.accounts = accounts
        self._secure = secure
        self._cookie = cookie_name("jejak_session", secure=secure)
        self._signer = URLSafeTimedSerializer(secret, salt="jejak.session")
        # Signed-out session ids of this process, until they would have ended anyway.
        self._revoked: OrderedDict[str, float] = OrderedDict()

    def start(self, response: Response, account: Account) -> None:
        """Sign ``account`` in: a cookie that ends after 12 hours."""
        value = self._signer.dumps([account.username, secrets.token_urlsafe(12)])
        response.set_cookie(
            self._cookie,
            str(value),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    def end(self, request: Request, response: Response) -> None:
        """Sign out: the browser forgets the cookie and this process refuses it from now on."""
        found = self._read(request)
        if found is not None:
            self._revoke(found[1])
        response.delete_cookie(
            self._cookie, httponly=True, samesite="lax", secure=self._secure, path="/"
        )

    def account(self, request: Request) -> Account | None:
        """Return who is signed in, or None. An account removed from the files is nobody."""
        found = self._read(request)
        if found is None or found[1] in self._revoked:
            return None
        return self.accounts.find(found[0])

    def _read(self, request: Request) -> tuple[str, str] | None:
        cookie = request.cookies.get(self._cookie)
        if not cookie:
            return None
        try:
            username, session_id = self._signer.loads(cookie, max_age=SESSION_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return None
        return str(username), str(session_id)

    def _revoke(self, session_id: str) -> None:
        now = time.monotonic()
        self._revoked[session_id] = now
        while self._revoked:
            oldest = next(iter(self._revoked.values()))
            if len(self._revoked) <= _MAX_REVOKED and now - oldest <= SESSION_SECONDS:
                break
            self._revoked.popitem(last=False)


def current_user(request: Request) -> Account | None:
    """FastAPI dependency: the signed-in account, or None."""
    if not hasattr(request.state, "account"):
        sessions: Sessions = request.app.state.sessions
        request.state.account = sessions.account(request)
    account: Account | None = request.state.account
    return account


def require(*roles: Role) -> Callable[[Request], Awaitable[Account]]:
    """Return a FastAPI dependency that gives the account, which must hold one of ``roles``.

    Without roles anybody signed in will do. Raises NotSignedIn or NotAllowed.
    """

    async def signed_in(request: Request) -> Account:
        account = current_user(request)
        if account is None:
            raise NotSignedIn
        if roles and not account.has(*roles):
            raise NotAllowed
        return account

    return signed_in
