"""Where calls may go, and how much may come back: for every provider, whatever its answers say."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Collection
from ipaddress import ip_address
from typing import Final

import httpx

# No honest answer about one message is longer.
MAX_ANSWER: Final = 256 * 1024
# A name's addresses are looked at again after this long.
_LOOKED_UP_SECONDS: Final = 60.0


class ForbiddenHost(httpx.TransportError):
    """The call would go where this installation does not send anything."""


class AnswerTooLarge(httpx.TransportError):
    """The answer is no provider's: too long, or packed although we asked for plain bytes."""


class Guarded(httpx.AsyncBaseTransport):
    """Calls allowed hosts only, and reads bounded answers.

    A name that leads into a private network is refused, unless the provider may live there. An
    address written out in the settings, or ``localhost``, is meant as it stands.
    """

    def __init__(
        self,
        hosts: Collection[str],
        *,
        private: bool,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``hosts`` are names or addresses as they stand in a URL; ``inner`` makes the calls."""
        self._hosts = frozenset(host.lower() for host in hosts)
        self._private = private
        self._inner = inner or httpx.AsyncHTTPTransport(verify=ssl_context(), trust_env=False)
        self._looked_up: dict[str, float] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make the call. Raises ForbiddenHost, AnswerTooLarge and what the call itself raises."""
        host = request.url.host.lower()
        if host not in self._hosts:
            raise ForbiddenHost("the host is not on the list", request=request)
        if not self._private and not _meant(host):
            await self._check(host, request)
        answer = await self._inner.handle_async_request(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise AnswerTooLarge("the answer is packed", request=request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        answer.stream = _Bounded(answer.stream, request)
        return answer

    async def _check(self, host: str, request: httpx.Request) -> None:
        if time.monotonic() - self._looked_up.get(host, -_LOOKED_UP_SECONDS) < _LOOKED_UP_SECONDS:
            return
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, request.url.port or 443)
        except OSError as error:
            raise httpx.ConnectError("the name leads nowhere", request=request) from error
        if not all(_is_public(str(sockaddr[0])) for *_, sockaddr in found):
            raise ForbiddenHost("the name leads into a private network", request=request)
        self._looked_up[host] = time.monotonic()

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._inner.aclose()


class _Bounded(httpx.AsyncByteStream):
    """An answer's bytes, up to ``MAX_ANSWER``."""

    def __init__(self, stream: httpx.AsyncByteStream, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_ANSWER:
                raise AnswerTooLarge("the answer is too long", request=self._request)
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


def ssl_context() -> ssl.SSLContext:
    """Return the context for calls: certificates are checked, the environment is not asked."""
    return httpx.create_ssl_context(trust_env=False)


def _meant(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return True


def _is_public(address: str) -> bool:
    try:
        # A link-local address may carry its interface.
        return ip_address(address.partition("%")[0]).is_global
    except ValueError:
        return False
