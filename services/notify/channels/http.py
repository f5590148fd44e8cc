"""What calls to providers have in common: time-outs, no redirects, and how a call can break."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import httpx

from services.notify.channels.outbound import ForbiddenHost, Guarded
from services.notify.channels.protocol import Effect, Failed, Later, Result, Unknown

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
# The provider never heard of it.
UNREACHABLE = "unreachable"


def client(base_url: str, hosts: Iterable[str] = (), *, private: bool = False) -> httpx.AsyncClient:
    """Return a client for one provider. Redirects are not followed: they would carry secrets.

    It calls ``hosts`` only, which is the address's own host where none are named; ``private`` says
    that the provider may live in our own network, as a gateway does.
    """
    # httpx logs whole addresses, and Kannel's hold a password.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    own = httpx.URL(base_url).host
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        # An environment's proxy must not come between us and a provider.
        trust_env=False,
        transport=Guarded(frozenset(hosts) or {own}, private=private),
        # A compressed answer could be any size.
        headers={"Accept-Encoding": "identity"},
    )


async def call(
    http: httpx.AsyncClient, method: str, path: str, **asked: Any
) -> httpx.Response | Result:
    """Make one call; return the answer, or what it comes to that there is none."""
    try:
        return await http.request(method, path, **asked)
    except httpx.HTTPError as error:
        return broken(error)
    except UnicodeError:
        # Half a character: no channel can carry it.
        return Failed("bad-text", fallback=False)


def broken(error: httpx.HTTPError) -> Result:
    """Return what a call that got no answer comes to."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        # Trying again can't send twice.
        return Later(UNREACHABLE)
    if isinstance(error, ForbiddenHost):
        return Later("forbidden-host", effect=Effect.PAUSE)
    if isinstance(error, httpx.UnsupportedProtocol):
        return Failed("bad-address")
    return Unknown(type(error).__name__)


def unexpected(status: int) -> Result:
    """Return what an answer without a code of the provider's own comes to."""
    if status >= 500:
        return Unknown(f"http-{status}")
    if status == 429:
        return Later("http-429", effect=Effect.SLOW)
    effect = Effect.PAUSE if status in (401, 403) else Effect.NONE
    return Failed(f"http-{status}", effect=effect)
