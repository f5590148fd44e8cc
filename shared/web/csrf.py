"""Cross-site request forgery: a signed token in the form, bound to a cookie and to the account.

Nobody has to remember to check it: ``guard`` is a dependency of the whole application. It asks
for the token wherever a browser could be made to post a form from another site. Programs that
call ``/api/`` or a webhook send no cookie of ours on purpose; for them only the origin is looked
at, because a browser always states it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import ClassVar

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from shared.errors import JejakError
from shared.web.forms import read_form
from shared.web.session import cookie_name, current_user

TOKEN_FIELD = "csrf_token"
TOKEN_HEADER = "x-csrf-token"
TOKEN_SECONDS = 12 * 3600
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# The only content types a page of another site can post without asking first.
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class FormExpired(JejakError):
    """The form's token is missing, old, or belongs to another visit."""

    code: ClassVar[str] = "form-expired"
    status: ClassVar[int] = 403
    text: ClassVar[str] = (
        "This form is no longer valid, so nothing was recorded. Open the page again and repeat."
    )


class ForeignOrigin(JejakError):
    """A browser says that the request was made by a page of another site."""

    code: ClassVar[str] = "foreign-origin"
    status: ClassVar[int] = 403
    text: ClassVar[str] = "This request came from another site. Nothing was recorded."


class CsrfTokens:
    """Makes and checks tokens. The cookie holds a random value, the form its signature."""

    def __init__(
        self,
        secret: str,
        *,
        secure: bool = False,
        origins: Sequence[str] = (),
        exempt: Sequence[str] = ("/api/", "/hooks/"),
    ) -> None:
        """``origins`` are our other services'; ``exempt`` are path prefixes for programs."""
        self._signer = URLSafeTimedSerializer(secret, salt="jejak.csrf")
        self._secure = secure
        self._cookie = cookie_name("jejak_form", secure=secure)
        self._origins = frozenset(origins)
        self._exempt = tuple(exempt)

    def token(self, request: Request) -> str:
        """Return the token to put into this page's forms."""
        account = current_user(request)
        return str(self._signer.dumps([self._nonce(request), account and account.username]))

    def remember(self, request: Request, response: Response) -> None:
        """Set the cookie, if the browser has none yet."""
        if self._cookie not in request.cookies:
            self._set(response, self._nonce(request))

    def renew(self, response: Response) -> None:
        """Set a new cookie, so that tokens from before a sign-in are worth nothing."""
        self._set(response, secrets.token_urlsafe(24))

    async def check(self, request: Request) -> None:
        """Raise ForeignOrigin or FormExpired, or return when the request may go on."""
        if request.method in _SAFE_METHODS:
            return
        self._check_origin(request)
        if request.url.path.startswith(self._exempt) or not _is_form(request):
            return
        token = request.headers.get(TOKEN_HEADER)
        if token is None:
            token = str((await read_form(request)).get(TOKEN_FIELD, ""))
        self._check_token(request, token)

    def _check_origin(self, request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is None:
            # Old browsers send no Origin with a form; programs send neither.
            if request.headers.get("sec-fetch-site") == "cross-site":
                raise ForeignOrigin
            return
        host = request.headers.get("host", "")
        if origin not in (f"http://{host}", f"https://{host}", *self._origins):
            raise ForeignOrigin

    def _check_token(self, request: Request, token: str) -> None:
        cookie = request.cookies.get(self._cookie, "")
        account = current_user(request)
        try:
            nonce, username = self._signer.loads(token, max_age=TOKEN_SECONDS)
        except (BadSignature, ValueError, TypeError):
            raise FormExpired from None
        same = secrets.compare_digest(str(nonce).encode(), cookie.encode())
        if not cookie or not same or username != (account and account.username):
            raise FormExpired

    def _nonce(self, request: Request) -> str:
        if not hasattr(request.state, "csrf_nonce"):
            held = request.cookies.get(self._cookie)
            request.state.csrf_nonce = held or secrets.token_urlsafe(24)
        return str(request.state.csrf_nonce)

    def _set(self, response: Response, nonce: str) -> None:
        response.set_cookie(self._cookie, nonce, httponly=True, samesite="lax", secure=self._secure)


async def guard(request: Request) -> None:
    """FastAPI dependency of the whole application: see ``CsrfTokens.check``."""
    tokens: CsrfTokens = request.app.state.csrf
    await tokens.check(request)


def _is_form(request: Request) -> bool:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # A body without a type can be sent cross-site too.
    return not content_type or content_type in _FORM_TYPES
