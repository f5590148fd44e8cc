"""Live pages: newest wins, one rendering for all, bounded, and gone at once when stopped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, Request, Response

from shared.errors import Unavailable
from shared.web.serve import Server
from shared.web.sse import LiveHub, sse_event, sse_response
from tests.unit.web.kit import sample_app


class Permit:
    """Something to watch: a word, and how often it was rendered."""

    def __init__(self) -> None:
        self.word = "one"
        self.rendered = 0

    async def render(self, lang: str) -> str:
        self.rendered += 1
        word = self.word
        await asyncio.sleep(0.001)
        return f"<p>{lang} {word}</p>"


def _id_of(frame: bytes) -> str:
    return frame.decode().split("id: ")[1].split("\n")[0]


async def test_the_state_now_then_each_change() -> None:
    hub, permit = LiveHub(), Permit()
    frames = hub.subscribe("p", "id", permit.render)
    assert b"data: <p>id one</p>\n\n" in await anext(frames)
    waiting = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    permit.word = "two"
    hub.publish("p")
    assert b"id two" in await waiting
    await frames.aclose()
    assert hub.watchers == 0


async def test_a_slow_reader_skips_to_the_newest() -> None:
    hub, permit = LiveHub(), Permit()
    frames = hub.subscribe("p", "id", permit.render)
    await anext(frames)
    for number in range(100):
        permit.word = f"step {number}"
        hub.publish("p")
    assert b"step 99" in await anext(frames)
    assert permit.rendered == 2


async def test_a_thousand_watchers_cost_one_rendering_per_language() -> None:
    hub, permit = LiveHub(), Permit()
    readers = [hub.subscribe("p", lang, permit.render) for lang in ("id", "en") for _ in range(500)]
    await asyncio.gather(*map(anext, readers))
    assert permit.rendered == 2
    waiting = asyncio.gather(*map(anext, readers))
    await asyncio.sleep(0.01)
    permit.word = "two"
    hub.publish("p")
    assert len(set(await waiting)) == 2
    assert permit.rendered == 4
    assert hub.watchers == 1000


async def test_keys_do_not_wake_each_other() -> None:
    hub, permit = LiveHub(heartbeat_seconds=0.02), Permit()
    frames = hub.subscribe("p", "id", permit.render)
    await anext(frames)
    hub.publish("q")
    assert await anext(frames) == b": still here\n\n"


async def test_a_reader_that_has_the_newest_is_not_sent_it_again() -> None:
    hub, permit = LiveHub(heartbeat_seconds=0.02), Permit()
    stays = hub.subscribe("p", "id", permit.render)
    last = _id_of(await anext(stays))
    assert await anext(hub.subscribe("p", "id", permit.render, last)) == b": still here\n\n"
    hub.publish("p")
    assert b"<p>" in await anext(hub.subscribe("p", "id", permit.render, last))


@pytest.mark.parametrize("last", ["", "x", "other-1", "-", "1-1-1", "²-²"])
async def test_an_unknown_last_id_gets_the_state(last: str) -> None:
    assert b"<p>" in await anext(LiveHub().subscribe("p", "id", Permit().render, last))


async def test_what_changed_while_nobody_watched_is_sent() -> None:
    hub, permit = LiveHub(), Permit()
    first = hub.subscribe("p", "id", permit.render)
    last = _id_of(await anext(first))
    await first.aclose()
    permit.word = "two"
    hub.publish("p")
    assert b"id two" in await anext(hub.subscribe("p", "id", permit.render, last))


async def test_a_failed_rendering_is_not_kept() -> None:
    hub, permit = LiveHub(), Permit()

    async def fails(lang: str) -> str:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        await anext(hub.subscribe("p", "id", fails))
    assert hub.watchers == 0
    assert b"<p>" in await anext(hub.subscribe("p", "id", permit.render))


async def test_one_who_leaves_takes_nothing_from_the_others() -> None:
    hub, permit = LiveHub(), Permit()
    leaves = asyncio.ensure_future(anext(hub.subscribe("p", "id", permit.render)))
    stays = asyncio.ensure_future(anext(hub.subscribe("p", "id", permit.render)))
    await asyncio.sleep(0)
    leaves.cancel()
    assert b"<p>" in await stays


async def test_closing_ends_every_stream_and_refuses_new_ones() -> None:
    hub, permit = LiveHub(), Permit()
    frames = [hub.subscribe("p", "id", permit.render) for _ in range(3)]
    await asyncio.gather(*map(anext, frames))
    waiting = [asyncio.ensure_future(anext(f)) for f in frames]
    await asyncio.sleep(0)
    hub.close()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, StopAsyncIteration) for end in ends)
    with pytest.raises(Unavailable):
        hub.check_room()


async def test_there_is_an_upper_bound() -> None:
    hub, permit = LiveHub(max_watchers=1), Permit()
    hub.check_room()
    await anext(hub.subscribe("p", "id", permit.render))
    frames = hub.subscribe("p", "id", permit.render)
    await anext(frames)
    with pytest.raises(Unavailable):
        hub.check_room()


def test_every_line_of_html_is_data() -> None:
    assert sse_event("fragment", "<p>\r\na</p>", "1") == (
        b"event: fragment\nid: 1\ndata: <p>\ndata: a</p>\n\n"
    )


@asynccontextmanager
async def _served(folder: Path, hub: LiveHub, permit: Permit) -> AsyncIterator[tuple[str, Server]]:
    router = APIRouter()

    @router.get("/live")
    async def live(request: Request) -> Response:
        return sse_response(request, hub, "p", permit.render)

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = sample_app(folder, routers=[router])
    server = Server(uvicorn.Config(app, log_level="error"), on_stop=[hub.close])
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(5):
            while not server.started:  # noqa: ASYNC110  # uvicorn offers no event for it
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 5)
        listener.close()


async def test_over_a_real_server_it_streams_and_stops_at_once(tmp_path: Path) -> None:
    hub, permit = LiveHub(), Permit()
    async with (
        _served(tmp_path, hub, permit) as (address, server),
        httpx.AsyncClient(base_url=address) as client,
        client.stream("GET", "/live?lang=en") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        assert [await anext(lines) for _ in range(4)][2] == "data: <p>en one</p>"
        permit.word = "two"
        hub.publish("p")
        assert [await anext(lines) for _ in range(4)][2] == "data: <p>en two</p>"
        server.should_exit = True
        async with asyncio.timeout(2):
            assert [line async for line in lines] == []
