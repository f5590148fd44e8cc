"""Row 2, the officer: durable transitions a second, beside the disk, SQLite and a peer."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from shared.codec import Codec
from shared.ids import new_id
from tests.bench import limits, permits
from tests.bench.arrivals import gathered
from tests.bench.killing import count_kept, count_positions, run_writer
from tests.bench.live_office import live_office
from tests.bench.measure import Contestant, Reading, Row, Target
from tests.bench.plan import Plan
from tests.bench.processes import serving
from tests.bench.telling import Teller
from tests.bench.web_client import Client, parsed
from tests.bench.web_server import NOTHING, TRANSITION

_BATCHES = "SQLite FULL, batches of 100"
_PEER = "eventsourcing"
_CONNECTIONS = 32
_API = "officer's API of jejak run"

TARGETS = [
    Target("1 client, share of fdatasync", "Jejak, 1", ("fdatasync",), at_least=0.6),
    Target("32 clients against eventsourcing", "Jejak, 32", (f"{_PEER}, 32",), at_least=10),
    Target(
        "32 clients, share of batched SQLite", "Jejak, 32", (_BATCHES,), at_least=0.05, aim=0.25
    ),
    Target("officer's API, share of a bare no-op POST", _API, ("no-op POST, bare",), at_least=0.5),
    Target(
        "handler over HTTP, share of a bare no-op POST",
        "Jejak, HTTP",
        ("no-op POST, bare",),
        at_least=0.5,
    ),
    Target(
        "handler over HTTP, share of our own no-op POST",
        "Jejak, HTTP",
        ("no-op POST, ours",),
        at_least=0.5,
    ),
]


async def run(plan: Plan, teller: Teller) -> Row:
    """Measure row 2."""
    row = Row(2, "officer: durable transitions", targets=list(TARGETS))
    rows = permits.log(64, Codec())

    async def disk() -> Sequence[Reading]:
        return await limits.fdatasync(plan.data, plan.seconds / 2)

    async def one_by_one() -> Sequence[Reading]:
        return await limits.sqlite_single(plan.data, plan.seconds / 2, rows)

    async def batches() -> Sequence[Reading]:
        return await limits.sqlite_batches(plan.data, plan.seconds / 2, rows)

    contestants: dict[str, Contestant] = {
        "fdatasync": disk,
        "SQLite, one by one": one_by_one,
        "SQLite in batches": batches,
        "Jejak, 1 client": _writer(row, plan, "jejak", 1),
        "Jejak, 32 clients": _writer(row, plan, "jejak", 32),
        "eventsourcing, 1 client": _writer(row, plan, _PEER, 1),
        "eventsourcing, 32 clients": _writer(row, plan, _PEER, 32),
        "bare no-op POST": _web(row, plan, "bare", NOTHING, "no-op POST, bare"),
        "our no-op POST": _web(row, plan, "jejak", NOTHING, "no-op POST, ours"),
        "the officer's API": _api(row, plan),
        "Jejak over HTTP": _web(row, plan, "jejak", TRANSITION, "Jejak, HTTP"),
    }
    await row.interleave(contestants, plan.rounds, teller)
    row.notes.append(
        f"an event holds {permits.sizes(rows):.0f} bytes on average; limits write the same rows"
    )
    row.notes.append(
        "handler over HTTP: a route of the benchmark's own; the officer's API is the product's, "
        "which also folds the permit, and waits until the lists show the command"
    )
    return row


def _writer(row: Row, plan: Plan, engine: str, clients: int) -> Contestant:
    name = f"{'Jejak' if engine == 'jejak' else engine}, {clients}"

    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        try:
            done = await run_writer(engine, folder, clients, plan.seconds)
            if engine == "jejak":
                ids = {one.event_id for one in done.acknowledged}
                row.keep(await count_kept(name, folder / "events.sqlite", ids))
            return [Reading(name, done.rate)]
        finally:
            shutil.rmtree(folder)

    return contestant


def _api(row: Row, plan: Plan) -> Contestant:
    """Return surveyors who set dates in a whole running office: pages, lists and reactions too."""

    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        try:
            async with AsyncExitStack() as stack:
                office = await stack.enter_async_context(live_office(folder, {}, worker=False))
                crowd = await gathered(office, stack, watching=False)
                rate = await crowd.capacity(plan.seconds)
            row.keep(await count_positions(_API, folder / "events.sqlite", crowd.acknowledged))
            return [Reading(_API, rate)]
        finally:
            shutil.rmtree(folder)

    return contestant


def _web(row: Row, plan: Plan, kind: str, path: str, series: str) -> Contestant:
    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        try:
            async with serving("web_server", kind, str(folder)) as port:
                ids, rate = await _load(port, path, plan.seconds)
            if path == TRANSITION:
                row.keep(await count_kept(series, folder / "events.sqlite", ids))
            return [Reading(series, rate)]
        finally:
            shutil.rmtree(folder)

    return contestant


async def _load(port: int, path: str, seconds: float) -> tuple[set[str], float]:
    """Post over 32 connections; return the ids of acknowledged events and answers a second."""
    clients = [await Client.connect(port) for _ in range(_CONNECTIONS)]
    ids: set[str] = set()
    end = time.perf_counter() + seconds

    async def work(client: Client) -> int:
        count = 0
        while True:
            application = new_id()
            for step in range(permits.STEPS):
                body = {"application_id": application, "step": step}
                answer: Any = parsed(*await client.post(path, body))
                if answer:
                    ids.add(answer["event_id"])
                count += 1
                if time.perf_counter() > end:
                    return count

    began = time.perf_counter()
    done = await asyncio.gather(*(work(client) for client in clients))
    took = time.perf_counter() - began
    for client in clients:
        client.close()
    return ids, sum(done) / took
