"""Signing in and out for officers. Applicants need no account."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from shared.errors import TooManyRequests
from shared.identity import Account, Accounts
from shared.web.csrf import CsrfTokens
from shared.web.forms import Form, read_form
from shared.web.i18n import msg
from shared.web.pages import Pages
from shared.web.session import Sessions

_WRONG = msg("The account name or the password is not right.")
_WELCOME = msg("Signed in as {name}.")
_GOODBYE = msg("You are signed out.")
# argon2 takes 64 MiB and a core for each run: more at once would only hurt everybody else.
_MAX_VERIFYING = 2


class FailedTries:
    """Counts failures per key in a sliding window, in bounded memory."""

    def __init__(
        self,
        *,
        window_seconds: float = 900.0,
        max_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` gives seconds; at most ``max_keys`` are remembered, the newest."""
        self._window = window_seconds
        self._max_keys = max_keys
        self._clock = clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str, limit: int) -> None:
        """Raise TooManyRequests when ``key`` failed ``limit`` times within the window."""
        tries = self._recent(key)
        if len(tries) >= limit:
            wait = self._window - (self._clock() - tries[-limit])
            raise TooManyRequests(seconds=max(1, round(wait)))

    def failed(self, key: str) -> None:
        """Count one failure."""
        tries = self._recent(key)
        tries.append(self._clock())
        self._tries[key] = tries
        self._tries.move_to_end(key)
        while len(self._tries) > self._max_keys:
            self._tries.popitem(last=False)

    def take_back(self, key: str) -> None:
        """Undo the last count: what was counted beforehand was no failure."""
        if tries := self._tries.get(key):
            tries.pop()

    def forget(self, key: str) -> None:
        """Start over after a success."""
        self._tries.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        tries = self._tries.get(key, deque(maxlen=100))
        oldest = self._clock() - self._window
        while tries and tries[0] <= oldest:
            tries.popleft()
        return tries


class Door:
    """Verifies passwords, with limits per account and per address."""

    def __init__(
        self,
        accounts: Accounts,
        tries: FailedTries,
        *,
        per_account: int = 5,
        per_address: int = 20,
    ) -> None:
        """The limits are failures within the window of ``tries``."""
        self._accounts = accounts
        self._tries = tries
        self._per_account = per_account
        self._per_address = per_address
        self._verifying = asyncio.Semaphore(_MAX_VERIFYING)

    async def enter(self, username: str, password: str, address: str) -> Account | None:
        """Return the account, or None for a wrong pair. Raises TooManyRequests."""
        account_key, address_key = f"account {username[:64]}", f"address {address}"
        self._tries.check(account_key, self._per_account)
        self._tries.check(address_key, self._per_address)
        # Counted before the slow part, so that many tries at once don't slip through.
        self._tries.failed(account_key)
        self._tries.failed(address_key)
        async with self._verifying:
            account = await asyncio.to_thread(self._accounts.verify, username, password)
        if account is not None:
            self._tries.forget(account_key)
            # A whole office, and a program with each call, comes from one address.
            self._tries.take_back(address_key)
        return account


def safe_next(target: str, origins: Sequence[str]) -> str:
    """Return ``target`` if it stays with us (a path, or one of ``origins``), else ``/``."""
    if not target or any(ord(char) < 33 or char == "\\" for char in target):
        return "/"
    parts = urlsplit(target)
    if not parts.scheme and not parts.netloc:
        return target if target.startswith("/") and not target.startswith("//") else "/"
    return target if f"{parts.scheme}://{parts.netloc}" in origins else "/"


def login_router(
    pages: Pages,
    sessions: Sessions,
    csrf: CsrfTokens,
    *,
    origins: Sequence[str] = (),
    tries: FailedTries | None = None,
) -> APIRouter:
    """Return ``/login`` and ``/logout``. ``origins`` may be returned to after signing in."""
    router = APIRouter(include_in_schema=False)
    door = Door(sessions.accounts, tries or FailedTries())

    @router.get("/login")
    async def show(request: Request, next: str = "/") -> Response:
        return pages.render(request, "login.html", form=Form(), next=safe_next(next, origins))

    @router.post("/login")
    async def sign_in(request: Request) -> Response:
        username, password, target = await _entered(request)
        target = safe_next(target, origins)
        address = request.client.host if request.client else ""
        account = await door.enter(username, password, address)
        if account is None:
            # One sentence at one field: it must not tell whether the account exists.
            form = Form({"username": username}).with_error("username", _WRONG)
            return pages.render(request, "login.html", status_code=401, form=form, next=target)
        response = pages.redirect(request, target, flash=_WELCOME, name=account.display_name)
        sessions.start(response, account)
        csrf.renew(response)
        return response

    @router.post("/logout")
    async def sign_out(request: Request) -> Response:
        response = pages.redirect(request, "/login", flash=_GOODBYE, tone="info")
        sessions.end(request, response)
        csrf.renew(response)
        return response

    return router


async def _entered(request: Request) -> tuple[str, str, str]:
    data = await read_form(request)
    username, password, target = (str(data.get(n, "")) for n in ("username", "password", "next"))
    return username.strip().lower(), password, target
