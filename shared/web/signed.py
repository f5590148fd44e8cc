"""Calls of programs that sign what they send: taken as they come, by the shortest way.

A signature covers bytes and is no cookie, so there is no parameter to resolve and no form token to
ask for. A bank waits for the answer, and what a framework does for pages would be most of the wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class SignedRoute(APIRoute):
    """A route whose function gets the request as it came and returns the whole response.

    It answers refusals itself: its callers read their standard's own form, no problem+json.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function itself."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


class SignedCalls:
    """Hands the calls of signed routes straight to their functions; all others go on.

    The routes stay in the application too: for its documents, and for a call by another method.
    """

    def __init__(self, app: ASGIApp, *, routes: Iterable[BaseRoute]) -> None:
        """Look for the signed ones among ``routes``; those with a part that varies are left out."""
        self._app = app
        self._endpoints: dict[tuple[str, str], Endpoint] = {
            (method, route.path): route.endpoint
            for route in routes
            if isinstance(route, SignedRoute) and not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a signed call."""
        if scope["type"] == "http":
            endpoint = self._endpoints.get((scope["method"], scope["path"]))
            if endpoint is not None:
                response = await endpoint(Request(scope, receive))
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)
