"""Row 1's people: officers who post commands at their own pace, and pages that watch.

Arrivals are open-loop: a slow answer holds up nobody's next command, so that a server in trouble is
seen in the latencies and not in a lower rate.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple, Self

from tests.bench.live_office import PERMITS, PERMITS_PATH, Office, Permit
from tests.bench.web_client import Client, parsed

# Half as many as there are permits, so that no two officers work on the same one.
_CONNECTIONS = PERMITS // 2
_FRAME = b"event: fragment"
_SETTLE_SECONDS = 20.0


class Seen(NamedTuple):
    """One command: the position of its event, and instants (``time``) on its way."""

    position: int
    sent: float
    answered: float
    visible: float


class Page:
    """A tracking page that is open in a browser."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read an answered stream; see ``open``."""
        self._reader = reader
        self._writer = writer
        self._waiting: list[asyncio.Future[float]] = []
        self.first = self.next_frame()
        self._watching = asyncio.create_task(self._watch())

    @classmethod
    async def open(cls, port: int, permit: Permit) -> Self:
        """Open the live stream of ``permit``. Raises RuntimeError when it is refused."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(
            f"GET /lacak/{permit.number}/live HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
            f"cookie: {permit.cookies}\r\naccept: text/event-stream\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.splitlines()[0]:
            raise RuntimeError(f"the live page answered {head.splitlines()[0]!r}")
        return cls(reader, writer)

    def next_frame(self) -> asyncio.Future[float]:
        """Return when (``time``) the next frame comes, from now on."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    async def close(self) -> None:
        """Close the page."""
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching
        self._writer.close()

    async def _watch(self) -> None:
        # Chunks of the transfer encoding and frames begin together, so a search finds the latter.
        while data := await self._reader.read(1 << 16):
            if _FRAME in data:
                self._arrived(time.time())

    def _arrived(self, at: float) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(at)


class Crowd:
    """The surveyors of an office at work, and every permit's tracking page."""

    def __init__(self, office: Office, pages: Sequence[Page], clients: Sequence[Client]) -> None:
        """Work at ``office``; see ``gathered``."""
        self._office = office
        self._pages = pages
        self._free = asyncio.Queue[Client]()
        for client in clients:
            self._free.put_nowait(client)
        self._days = count(1)
        # The positions of every event that was answered for.
        self.acknowledged: set[int] = set()
        self._headers = {"cookie": office.surveyor}

    async def command(self, index: int) -> Seen:
        """Set another survey day for the ``index``-th permit, and wait until its page shows it."""
        client = await self._free.get()
        visible, sent = self._pages[index].next_frame(), time.time()
        try:
            position = await self._schedule(client, index)
            answered = time.time()
        finally:
            self._free.put_nowait(client)
        return Seen(position, sent, answered, await visible)

    async def _schedule(self, client: Client, index: int) -> int:
        day = date.today() + timedelta(days=next(self._days) % 300 + 1)
        path = f"{PERMITS_PATH}/{self._office.permits[index].number}/schedule-survey"
        body = {"stage": "survey", "on": day.isoformat()}
        position = int(parsed(*await client.post(path, body, self._headers))["position"])
        self.acknowledged.add(position)
        return position

    async def capacity(self, seconds: float) -> float:
        """Return how many commands a second the office answers when all clients hurry."""
        end = time.perf_counter() + seconds

        async def work(first: int) -> int:
            client, done = await self._free.get(), 0
            while time.perf_counter() < end:
                turn = first + done * _CONNECTIONS
                await self._schedule(client, turn % len(self._office.permits))
                done += 1
            self._free.put_nowait(client)
            return done

        began = time.perf_counter()
        done = await asyncio.gather(*(work(first) for first in range(_CONNECTIONS)))
        return sum(done) / (time.perf_counter() - began)

    async def arrive(self, rate: float, seconds: float, seed: int) -> list[Seen]:
        """Send ``rate`` commands a second at random instants; return what became of each."""
        chance, tasks = random.Random(seed), list[asyncio.Task[Seen]]()
        began = at = time.perf_counter()
        while at < began + seconds:
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            index = len(tasks) % len(self._pages)
            tasks.append(asyncio.create_task(self.command(index)))
            at += chance.expovariate(rate)
        async with asyncio.timeout(_SETTLE_SECONDS):
            return await asyncio.gather(*tasks)


async def gathered(office: Office, stack: AsyncExitStack, *, watching: bool = True) -> Crowd:
    """Return the crowd; with ``watching``, every permit's page is open."""
    clients = [await Client.connect(office.port) for _ in range(_CONNECTIONS)]
    for client in clients:
        stack.callback(client.close)
    pages: list[Page] = []
    for permit in office.permits if watching else ():
        page = await Page.open(office.port, permit)
        stack.push_async_callback(page.close)
        pages.append(page)
    async with asyncio.timeout(_SETTLE_SECONDS):
        # A page begins with the present state, which answers no command.
        await asyncio.gather(*(page.first for page in pages))
    return Crowd(office, pages, clients)
