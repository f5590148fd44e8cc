"""Row 3, the supervisor: what a tick costs with many open files, and a storm of due timers."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from services.intake.application import DECIDER
from shared.events import from_micros
from shared.handle import Handler
from shared.ids import new_id
from shared.memory import settle
from shared.store.sqlite import SqliteStore
from tests.bench import evaluation, permits
from tests.bench.measure import MILLIS, Contestant, Kept, Reading, Row, Target, percentile
from tests.bench.open_files import OpenFiles, open_files
from tests.bench.plan import Plan
from tests.bench.telling import Teller

_PROBE, _TICK = "raw indexed probe", "tick, nothing due"
_SCAN, _STORM, _DRAINED = "raw range scan", "storm", "storm drained in"
_QUIET, _BUSY = "officer p99, quiet", "officer p99, storm"
_CLOCK = "clock, 40 events folded and read"
SECONDS, MICROS = "s", "µs"
# Commands of officers a second, at random instants.
_RATE = 100.0
_TICKS = 200
_PROBE_SQL = (
    "SELECT timer_us, application_id FROM permits WHERE timer_us <= ? ORDER BY timer_us LIMIT 1"
)
_SCAN_SQL = "SELECT timer_us, application_id FROM permits WHERE timer_us <= ? AND timer_us >= ?"

TARGETS = [
    Target("a tick against an indexed probe", _TICK, (_PROBE,), at_most=10),
    Target("the storm is decided and stored within", _DRAINED, at_most=10, unit=SECONDS),
    Target("storm, share of a raw range scan (the aim)", _STORM, (_SCAN,), at_least=0.3),
    Target("officers' p99 in the storm", _BUSY, (_QUIET,), at_most=2),
    Target("the clock of a permit with 40 events", _CLOCK, at_most=50, unit=MICROS),
]


async def run(plan: Plan, teller: Teller) -> Row:
    """Measure row 3."""
    row = Row(3, "supervisor: timers of many open files", targets=list(TARGETS))
    folder = Path(tempfile.mkdtemp(dir=plan.data))
    try:
        teller.tell(f"row 3: opening {plan.open_files:,} files")
        async with open_files(folder, plan.open_files, plan.rounds, plan.due_at_once) as office:
            # As every process of an office does before it serves.
            settle()
            before = await office.store.head()
            await row.interleave(_contestants(plan, office), plan.rounds, teller)
            decided = await office.store.head() - before
        row.keep(await _counted(folder / "events.sqlite", plan.rounds * plan.due_at_once))
    finally:
        shutil.rmtree(folder)
    row.notes += [
        f"{plan.open_files:,} open files; {plan.due_at_once:,} due at one instant in each round",
        "a due file is found, decided from its row and stored: overdue, and an explanation asked",
        f"officers give {_RATE:.0f} commands a second to the same store from the same process",
        "the read model is not folded meanwhile; a kill -9 is row 2's, here the store is reopened",
        f"{decided:,} events were stored in all, the officers' among them",
    ]
    return row


def _contestants(plan: Plan, office: OpenFiles) -> dict[str, Contestant]:
    due = iter(office.due)

    async def probe() -> Sequence[Reading]:
        office.now = from_micros(office.due[0] - 1)
        return [Reading(_PROBE, await asyncio.to_thread(_probes, office), MILLIS)]

    async def tick() -> Sequence[Reading]:
        office.now = from_micros(office.due[0] - 1)
        began = time.perf_counter()
        for _ in range(_TICKS):
            await office.sweeper.sweep()
        return [Reading(_TICK, (time.perf_counter() - began) / _TICKS * 1000, MILLIS)]

    async def clock() -> Sequence[Reading]:
        return [Reading(_CLOCK, evaluation.microseconds(), MICROS)]

    async def quiet() -> Sequence[Reading]:
        working = asyncio.create_task(asyncio.sleep(plan.latency_seconds))
        return [Reading(_QUIET, await _officers(office.handler, working), MILLIS)]

    async def storm() -> Sequence[Reading]:
        at = next(due)
        scan = await asyncio.to_thread(_scan, office, at)
        office.now = from_micros(at)
        began = time.perf_counter()
        sweep = asyncio.create_task(office.sweeper.sweep())
        p99 = await _officers(office.handler, sweep)
        swept = sweep.result()
        took = time.perf_counter() - began
        if swept.decided != plan.due_at_once:
            raise RuntimeError(f"{swept.decided} of {plan.due_at_once} were decided")
        await asyncio.to_thread(_put_away, office, at)
        return [
            Reading(_SCAN, plan.due_at_once / scan),
            Reading(_STORM, plan.due_at_once / took),
            Reading(_DRAINED, took, SECONDS),
            Reading(_BUSY, p99, MILLIS),
        ]

    return {"clock": clock, "probe": probe, "tick": tick, "officers alone": quiet, "storm": storm}


async def _officers(handler: Handler, until: asyncio.Future[Any]) -> float:
    """Give commands at random instants until ``until`` is done; return the p99 in milliseconds.

    Arrivals are open-loop: a command that waits for its turn in the loop waits from its own instant
    on, and holds up nobody's next one.
    """
    chance, tasks = random.Random(3), list[asyncio.Task[float]]()
    at, numbers = time.perf_counter(), count()
    while not until.done():
        at += chance.expovariate(_RATE)
        # Those whose instant is over by now start in one round, as requests that came meanwhile do.
        if (wait := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(_command(handler, at, next(numbers))))
    times = await asyncio.gather(*tasks)
    await until
    return percentile(times, 0.99) * 1000


async def _command(handler: Handler, at: float, number: int) -> float:
    application = new_id()
    await handler.handle(
        DECIDER,
        f"application-{application}",
        permits.command(0, application, f"BGR-2026-{number:06d}"),
        cause=new_id(),
        application=application,
    )
    return time.perf_counter() - at


def _probes(office: OpenFiles) -> float:
    """Return what one indexed probe that finds nothing takes, in milliseconds."""
    connection, before = sqlite3.connect(office.file), office.due[0] - 1
    try:
        began = time.perf_counter()
        for _ in range(_TICKS):
            connection.execute(_PROBE_SQL, (before,)).fetchall()
        return (time.perf_counter() - began) / _TICKS * 1000
    finally:
        connection.close()


def _scan(office: OpenFiles, at: int) -> float:
    """Return how long it takes to read everything that is due, in seconds."""
    connection = sqlite3.connect(office.file)
    try:
        began = time.perf_counter()
        connection.execute(_SCAN_SQL, (at, at)).fetchall()
        return time.perf_counter() - began
    finally:
        connection.close()


def _put_away(office: OpenFiles, at: int) -> None:
    """Let the storm's rows show what was decided, as their projection would have."""
    connection = sqlite3.connect(office.file)
    try:
        connection.execute("UPDATE permits SET timer_us = NULL WHERE timer_us = ?", (at,))
        connection.commit()
    finally:
        connection.close()


async def _counted(file: Path, expected: int) -> Kept:
    """Open the store again and count the questions that the storms asked."""
    store, found, position = SqliteStore(file), 0, 0
    try:
        while batch := await store.read_all(position, 5000):
            found += sum(event.type == "StallExplanationRequested" for event in batch)
            position = batch[-1].position
    finally:
        await store.close()
    return Kept("storm, reopened", expected, found)
