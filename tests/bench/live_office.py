"""Row 1's office: ``jejak run`` on a folder with registered permits, and people who came in."""

from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import httpx

from shared.codec import Codec
from shared.events import to_micros
from shared.ids import derived_id, event_id
from shared.store.sqlite import SqliteStore
from tests.bench import permits
from tests.bench.processes import kill, spawn
from tests.bench.web_client import Client, parsed

_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_PASSWORD, _CODE = "jejak-contoh", "BENCH"
_START_SECONDS = 60.0
# How many applications one browser may see, and how often one address may open the door.
_VISITS, PERMITS = 10, 24
PERMITS_PATH = "/api/workflow/permits"


class WorkerEnded(Exception):
    """The worker did not live as long as the office."""


class Permit(NamedTuple):
    """One permit, and the cookies of a browser that sees its tracking page."""

    application_id: str
    number: str
    cookies: str


class Office(NamedTuple):
    """A running office: its permits, all at their survey, and the surveyor's cookies."""

    port: int
    permits: Sequence[Permit]
    surveyor: str


@asynccontextmanager
async def live_office(
    folder: Path, environment: Mapping[str, str], *, worker: bool
) -> AsyncIterator[Office]:
    """Run an office with ``PERMITS`` registered permits; kill -9 it at the end.

    ``environment`` names a broker where there is one; then the ``worker`` runs as well.
    """
    numbers = [f"BGR-2026-{number + 1:06d}" for number in range(PERMITS)]
    await _register(folder, numbers)
    data = ("--data", str(folder))
    processes = [spawn("jejak_run", *data, "run", "--port", "0", **environment)]
    try:
        if worker:
            processes.append(spawn("jejak_run", *data, "worker", "--port", "0", **environment))
        port = await asyncio.to_thread(_port, processes[0])
        await _wait_until_ready(port)
        await _verify(port, numbers)
        permits_seen = await _open_doors(port, numbers)
        yield Office(port, permits_seen, await _sign_in(port, "survei"))
        if any(process.poll() is not None for process in processes):
            raise WorkerEnded("the worker ended by itself; it says why above")
    finally:
        for process in processes:
            kill(process)


async def _register(folder: Path, numbers: Sequence[str]) -> None:
    """Write what intake would have: the office opens the permits by itself when it starts."""
    store, codec = SqliteStore(folder / "events.sqlite"), Codec()
    now, code = to_micros(datetime.now(UTC)), hashlib.sha256(_CODE.encode()).hexdigest()
    for number in numbers:
        application = derived_id("bench", number)
        stream = f"application-{application}"
        new = [
            codec.envelope(
                event,
                event_id(number, stream, index),
                now,
                str(permits.OFFICER),
                number,
                application,
            )
            for index, event in enumerate(permits.applied(application, number, code))
        ]
        await store.append(stream, new)
    await store.close()


def _port(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if found := _ADDRESS.search(line):
            return int(found[1])
    raise RuntimeError("the office ended before it said where it listens")


async def _wait_until_ready(port: int) -> None:
    async with _browser(port) as browser, asyncio.timeout(_START_SECONDS):
        for pause in repeat(0.1):
            if (await browser.get("/readyz")).status_code == 200:
                return
            await asyncio.sleep(pause)


def _browser(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30)


async def _verify(port: int, numbers: Sequence[str]) -> None:
    """Bring every permit to its survey, as soon as the office has opened it."""
    cookies = await _sign_in(port, "verifikator")
    client = await Client.connect(port)
    async with asyncio.timeout(_START_SECONDS):
        for number in numbers:
            path = f"{PERMITS_PATH}/{number}/complete-stage"
            answer = await client.post(path, {"stage": "verify"}, {"cookie": cookies})
            while answer[0] in (404, 409):
                await asyncio.sleep(0.1)
                answer = await client.post(path, {"stage": "verify"}, {"cookie": cookies})
            parsed(*answer)
    client.close()


async def _sign_in(port: int, username: str) -> str:
    async with _browser(port) as browser:
        form = {"username": username, "password": _PASSWORD, "next": "/"}
        await _post(browser, "/login", form)
        return _cookies(browser)


async def _open_doors(port: int, numbers: Sequence[str]) -> list[Permit]:
    """Come in with number and code, as applicants do: a few permits per browser."""
    opened: list[Permit] = []
    for start in range(0, len(numbers), _VISITS):
        async with _browser(port) as browser:
            some = numbers[start : start + _VISITS]
            for number in some:
                await _post(browser, "/lacak", {"number": number, "code": _CODE})
            cookies = _cookies(browser)
            opened += (Permit(derived_id("bench", number), number, cookies) for number in some)
    return opened


async def _post(browser: httpx.AsyncClient, path: str, form: Mapping[str, str]) -> None:
    """Fill in the form at ``path`` and send it."""
    token = _TOKEN.search((await browser.get(path)).text)
    assert token is not None
    answer = await browser.post(path, data={**form, "csrf_token": token[1]})
    if answer.status_code != 303:
        raise RuntimeError(f"{path} answered {answer.status_code}")


def _cookies(browser: httpx.AsyncClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
