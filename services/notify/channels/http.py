"""What calls to providers have in common: time-outs, no redirects, and how a call can break."""

from __future__ import annotations

import logging

import httpx

from services.notify.channels.protocol import Failed, Later, Result, Unknown

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0


def client(base_url: str) -> httpx.AsyncClient:
    """Return a client for one provider. Redirects are not followed: they would carry secrets."""
    # httpx logs whole addresses, and Kannel's hold a password.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    return httpx.AsyncClient(base_url=base_url, timeout=timeout, follow_redirects=False)


def broken(error: httpx.HTTPError) -> Result:
    """Return what a call that got no answer comes to."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        # The provider never heard of it, so trying again can't send twice.
        return Later("unreachable")
    if isinstance(error, httpx.UnsupportedProtocol):
        return Failed("bad-address")
    return Unknown(type(error).__name__)


def unexpected(status: int) -> Result:
    """Return what an answer without a code of the provider's own comes to."""
    if status >= 500:
        return Unknown(f"http-{status}")
    if status == 429:
        return Later("http-429")
    return Failed(f"http-{status}")
