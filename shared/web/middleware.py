"""What surrounds every request: a reference, security headers, a size limit, a last resort."""

from __future__ import annotations

import math
import secrets
import traceback
from collections.abc import Mapping, Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooLarge
from shared.telemetry import log
from shared.web.problems import problem, unexpected


class Reference:
    """Gives every request an id, for the log and for the answer's ``X-Request-Id``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Never takes the caller's id: it would be foreign text in our log."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, with_id)


class SecurityHeaders:
    """Adds the headers that keep a page to itself. What a route sets already stays."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str], secure: bool) -> None:
        self._app = app
        self._headers = security_headers(origins, secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to every HTTP answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


def security_headers(origins: Sequence[str], *, secure: bool) -> dict[str, str]:
    """Return the headers; ``origins`` are the other services pages may send forms to."""
    own_and_others = " ".join(["'self'", *origins])
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "font-src": "'self'",
        "manifest-src": "'self'",
        "connect-src": own_and_others,
        "form-action": own_and_others,
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    headers = {
        "content-security-policy": "; ".join(f"{name} {v}" for name, v in policy.items()),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # A page's address can hold a registration number: no other site learns it.
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        # Counters are shared computers: the next person must not find a page in the cache.
        "cache-control": "no-store",
    }
    if secure:
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return headers


class BodyLimit:
    """Refuses bodies over a limit, by their stated length and by counting what really comes."""

    def __init__(self, app: ASGIApp, *, limit: int, larger: Mapping[str, int]) -> None:
        """``limit`` in bytes; ``larger`` maps a path's beginning to its own limit (uploads)."""
        self._app = app
        self._limit = limit
        self._larger = sorted(larger.items(), key=lambda item: -len(item[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 at once for a stated length; stop reading when the count goes over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_for(scope["path"])
        if _stated_length(scope) > limit:
            await _too_large(scope, receive, send, limit)
            return
        seen = 0

        async def counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                # FastAPI lets only this kind of exception out of its body parsers.
                raise HTTPException(413)
            return message

        await self._app(scope, counting, send)

    def _limit_for(self, path: str) -> int:
        for beginning, limit in self._larger:
            if path.startswith(beginning):
                return limit
        return self._limit


def _stated_length(scope: Scope) -> float:
    stated = Headers(scope=scope).get("content-length", "0")
    if len(stated) > 15 or not (stated.isascii() and stated.isdigit()):
        return math.inf
    return int(stated)


async def _too_large(scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    response = problem(
        Request(scope, receive),
        status=TooLarge.status,
        code=TooLarge.code,
        detail=TooLarge.text,
        params={"limit": f"{limit // 1024} KB"},
    )
    await response(scope, receive, send)


class LastResort:
    """Turns an unforeseen exception into a 500 that says nothing but its reference."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log where it happened, without the message: that may hold what a person typed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watching(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watching)
        except Exception as error:  # noqa: BLE001  # the one place that may catch everything
            log.error(
                "unexpected",
                error=type(error).__name__,
                request_id=scope["state"]["request_id"],
                where="".join(traceback.format_tb(error.__traceback__)),
            )
            if started:
                # Half an answer can't be taken back; cutting it off tells the browser.
                raise ConnectionAbortedError from None
            await unexpected(Request(scope, receive))(scope, receive, send)
