"""Runs services of the real composition in this process, on SQLite and a free port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter

from deploy.serve import Running, serve
from shared.actors import system
from shared.contracts import BY_CLASS
from shared.events import to_micros
from shared.ids import new_id
from shared.settings import Settings


@dataclass(frozen=True)
class Office:
    """A running office: its address, its parts, and a client that knows the address."""

    address: str
    running: Running
    http: httpx.AsyncClient

    async def happened(self, stream: str, *events: Any, application: str) -> None:
        """Append facts of another service, as that service would."""
        kernel = self.running.kernel
        for event in events:
            assert type(event) in BY_CLASS
            now = to_micros(kernel.now())
            envelope = kernel.codec.envelope(
                event, new_id(), now, str(system("test")), new_id(), application
            )
            await kernel.store.append(stream, [envelope])

    async def sign_in(self, username: str, password: str = "jejak-contoh") -> None:
        """Sign an officer in; the client keeps the session."""
        page = await self.http.get("/login", headers={"accept": "text/html"})
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"username": username, "password": password, "csrf_token": token, "next": "/"}
        answer = await self.http.post("/login", data=form)
        assert answer.status_code == 303, answer.text


@asynccontextmanager
async def running_office(
    settings: Settings,
    names: Sequence[str],
    extra: Callable[[Running], Sequence[APIRouter]] = lambda running: (),
) -> AsyncIterator[Office]:
    """Run the named services until the block ends."""
    ready: asyncio.Future[tuple[Running, str]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve(settings, names, extra, lambda running, address: ready.set_result((running, address)))
    )
    try:
        task.add_done_callback(lambda ended: _hear(ready, ended))
        running, address = await ready
        async with httpx.AsyncClient(base_url=address, timeout=20) as http:
            yield Office(address, running, http)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _hear(ready: asyncio.Future[tuple[Running, str]], ended: asyncio.Task[None]) -> None:
    """Let who waits for the office hear why it did not open."""
    if ready.done():
        return
    error = None if ended.cancelled() else ended.exception()
    ready.set_exception(error or RuntimeError("the office closed before it opened"))


def settings_in(folder: Path, **changes: Any) -> Settings:
    """Return settings for a data folder of the test's own, on any free port."""
    return Settings(**{"data": folder, "port": 0, "log_level": "ERROR", **changes})


async def until(
    condition: Callable[[], Awaitable[Any]], seconds: float = 10.0, what: str = "it"
) -> Any:
    """Return the first true answer of ``condition``. Fails when none comes in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        if found := await condition():
            return found
        assert asyncio.get_running_loop().time() < deadline, f"{what} did not happen"
        await asyncio.sleep(0.02)
