"""Calls go only where they may, and answers are bounded."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.notify.channels import Effect, Later, Unknown
from services.notify.channels.http import broken, client
from services.notify.channels.outbound import (
    MAX_ANSWER,
    AnswerTooLarge,
    ForbiddenHost,
    Guarded,
)

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Run a server that says ``answer`` whatever it is asked."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def head(body: bytes, *more: bytes) -> bytes:
    return _HEAD + b"".join(more) + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def test_an_answer_up_to_the_limit_is_read() -> None:
    async with answering(head(b"x" * MAX_ANSWER)) as address, client(address) as http:
        assert len((await http.get("/")).content) == MAX_ANSWER


async def test_an_endless_answer_is_cut_off_and_its_outcome_unknown() -> None:
    endless = _HEAD + b"\r\n" + b"x" * (4 * MAX_ANSWER)
    async with answering(endless) as address, client(address) as http:
        with pytest.raises(AnswerTooLarge) as raised:
            await http.get("/")
    assert broken(raised.value) == Unknown("AnswerTooLarge")


async def test_a_packed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    packed = head(bomb, b"Content-Encoding: gzip\r\n")
    async with answering(packed) as address, client(address) as http:
        with pytest.raises(AnswerTooLarge):
            await http.get("/")


async def test_a_host_that_is_not_on_the_list_is_not_called() -> None:
    async with client("http://127.0.0.1:1", hosts=["graph.facebook.com"]) as http:
        with pytest.raises(ForbiddenHost) as raised:
            await http.get("/")
        with pytest.raises(ForbiddenHost):
            await http.get("http://example.org/")
    assert broken(raised.value) == Later("forbidden-host", effect=Effect.PAUSE)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.17.0.2", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%lo"],
)
async def test_a_name_that_leads_into_a_private_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    _resolve(monkeypatch, lambda: [address, "157.240.1.1"])
    inner = httpx.MockTransport(lambda request: httpx.Response(200))
    request = httpx.Request("POST", "https://graph.facebook.com/messages")
    guarded = Guarded({"graph.facebook.com"}, private=False, inner=inner)
    with pytest.raises(ForbiddenHost):
        await guarded.handle_async_request(request)
    gateway = Guarded({"graph.facebook.com"}, private=True, inner=inner)
    assert (await gateway.handle_async_request(request)).status_code == 200


async def test_a_public_name_is_called_and_one_that_leads_nowhere_is_tried_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = httpx.MockTransport(lambda request: httpx.Response(200))
    request = httpx.Request("POST", "https://graph.facebook.com/messages")
    guarded = Guarded({"graph.facebook.com"}, private=False, inner=inner)
    _resolve(monkeypatch, lambda: (_ for _ in ()).throw(socket.gaierror()))
    with pytest.raises(httpx.ConnectError) as raised:
        await guarded.handle_async_request(request)
    assert broken(raised.value) == Later("unreachable")
    _resolve(monkeypatch, lambda: ["157.240.1.1"])
    assert (await guarded.handle_async_request(request)).status_code == 200


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with answering(head(b"{}")) as address, client(address) as http:
        assert (await http.get("/")).status_code == 200


def _resolve(monkeypatch: pytest.MonkeyPatch, found: Callable[[], Any]) -> None:
    async def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", (address, 443)) for address in found()]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
