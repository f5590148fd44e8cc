"""The application factory: every service's pages and API get the same safe surroundings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from shared.identity import Accounts
from shared.web import problems
from shared.web.csrf import CsrfTokens, guard
from shared.web.design import design_router
from shared.web.health import Check, health_router
from shared.web.login import FailedTries, login_router
from shared.web.middleware import BodyLimit, LastResort, Reference, SecurityHeaders
from shared.web.pages import STATIC_DIR, Pages
from shared.web.session import Sessions
from shared.web.signed import SignedCalls

DEFAULT_BODY_LIMIT = 256 * 1024
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_app(
    title: str,
    routers: Sequence[APIRouter],
    *,
    pages: Pages,
    accounts: Accounts,
    secret: str,
    secure: bool = False,
    origins: Sequence[str] = (),
    checks: Sequence[Check] = (),
    body_limit: int = DEFAULT_BODY_LIMIT,
    larger_bodies: Mapping[str, int] | None = None,
    csrf_exempt: Sequence[str] = ("/api/", "/hooks/"),
    login_tries: FailedTries | None = None,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Return an application with pages, refusals, sign-in, health, static files and limits.

    ``secret`` signs cookies and tokens, the same in every service; ``secure``: people use https;
    ``origins`` of our other services; ``larger_bodies``: path beginnings that take uploads, with
    their limit in bytes; ``csrf_exempt``: path beginnings for programs.
    """
    sessions = Sessions(accounts, secret, secure=secure)
    csrf = CsrfTokens(secret, secure=secure, origins=origins, exempt=csrf_exempt)
    app = FastAPI(
        title=title,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(guard)],
        middleware=[
            *_around(origins, secure, body_limit, larger_bodies or {}),
            Middleware(SignedCalls, routes=[one for router in routers for one in router.routes]),
        ],
    )
    app.state.pages, app.state.sessions, app.state.csrf = pages, sessions, csrf
    problems.install(app)
    app.mount("/static", Static(pages.static_version), name="static")
    login = login_router(pages, sessions, csrf, origins=origins, tries=login_tries)
    for router in (health_router(checks), login, design_router(pages), *routers):
        app.include_router(router)
    return app


def _around(
    origins: Sequence[str], secure: bool, body_limit: int, larger: Mapping[str, int]
) -> list[Middleware]:
    # From the outside in: even a refused body gets its reference and the security headers.
    return [
        Middleware(Reference),
        Middleware(SecurityHeaders, origins=origins, secure=secure),
        Middleware(LastResort),
        Middleware(BodyLimit, limit=body_limit, larger=larger),
    ]


class Static(StaticFiles):
    """Our static files under ``/static/<version>/``: kept for a year when the version is ours."""

    def __init__(self, version: str) -> None:
        super().__init__(directory=STATIC_DIR)
        self._version = version

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve the file; an old page's version gets the current file, but keeps it not."""
        version, _, rest = path.replace("\\", "/").partition("/")
        versioned = re.fullmatch(r"[0-9a-f]{12}", version) is not None
        response = await super().get_response(rest if versioned else path, scope)
        current = version == self._version
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if current else "no-cache"
        )
        return response
