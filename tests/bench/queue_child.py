"""A process that has messages waiting and sends some: ``python -m tests.bench.queue_child``.

``fill FOLDER COUNT PEOPLE`` writes store and read model and ends. ``send FOLDER PORT SECONDS``
sends to the null provider on PORT and prints what it took, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from deploy.serve import Running, following, opened
from deploy.supervision import Supervisor
from shared.database import Database
from shared.settings import Settings
from shared.store.sqlite import wall_clock
from shared.store.sqlite_index import SqliteIndex
from shared.topics import NOTIFY
from tests.any_hour import rules_at_any_hour
from tests.bench.measure import percentile
from tests.bench.messages import fill
from tests.bench.processes import die_with_parent
from tests.running import until

_PAGE = 4096
_FILL_SECONDS = 900.0
_EVENTS_OF_A_SEND = 2
_ENTRIES = 8192


async def _fill(folder: Path, count: int, people: int) -> None:
    async with _running(folder, 9) as running, _Parts(running):
        await fill(running.kernel.store, count, "sms", wall_clock(), sent=False, people=people)
        await until(lambda: _caught_up(running), _FILL_SECONDS, "the read models")
        head = await running.kernel.store.head()
    _merge(folder, head)


def _merge(folder: Path, head: int) -> None:
    """Bring the store's indexes up to date: events that are not merged yet are held in memory.

    They are at most so many, however long the queue is; but how many are left differs by chance.
    """
    index = SqliteIndex(folder / "events.sqlite")
    index.prepare(head)
    while not index.step(_ENTRIES):
        pass
    index.close()


async def _send(folder: Path, port: int, seconds: float) -> dict[str, float]:
    async with _running(folder, port) as running, _Parts(running) as parts:
        looks = _timed(running.databases["notify"])
        store = running.kernel.store
        before, began = await store.head(), time.perf_counter()
        parts.start("sender", running.services[0].tasks["sender"])
        # What a process needs for its first calls is no growth.
        await asyncio.sleep(seconds / 2)
        first = _resident()
        await asyncio.sleep(seconds / 2)
        took, sent = time.perf_counter() - began, await store.head() - before
    return {
        "rate": sent / _EVENTS_OF_A_SEND / took,
        "look": percentile(looks, 0.5) * 1000,
        "first": first / 2**20,
        "last": _resident() / 2**20,
    }


class _Parts:
    """The projectors at work, and what else is started, until the block ends."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._supervisor = Supervisor()

    async def __aenter__(self) -> Supervisor:
        bus = self._running.kernel.bus
        for projector in self._running.services[0].projectors:
            await projector.prepare()
            topics = projector.projection.topics
            part = following(bus, projector.name, topics, projector.run)
            self._supervisor.start(projector.name, part)
        return self._supervisor

    async def __aexit__(self, *error: object) -> None:
        await self._supervisor.stop()


def _running(folder: Path, port: int) -> Any:
    settings = Settings(
        data=folder,
        log_level="ERROR",
        kannel_url=f"http://127.0.0.1:{port}",
        notify_rules=rules_at_any_hour(folder),
    )
    return opened(settings, ["notify"])


async def _caught_up(running: Running) -> bool:
    head = await running.kernel.store.head()
    models = [one for one in running.services[0].projectors if NOTIFY.name in one.projection.topics]
    places = [await model.positions() for model in models]
    return all(head in place.values() for place in places)


def _timed(database: Database) -> list[float]:
    """Return the seconds of the sender's looks at the queue from now on, as they come."""
    seconds, query = list[float](), database.query

    async def timed(sql: str, params: Any = ()) -> Any:
        began = time.perf_counter()
        rows = await query(sql, params)
        if "state = 'queued'" in sql:
            seconds.append(time.perf_counter() - began)
        return rows

    setattr(database, "query", timed)  # noqa: B010 - the protocol's method is not to be assigned to
    return seconds


def _resident() -> float:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    what, folder, *rest = arguments
    if what == "fill":
        asyncio.run(_fill(Path(folder), int(rest[0]), int(rest[1])))
        return
    print(json.dumps(asyncio.run(_send(Path(folder), int(rest[0]), float(rest[1])))), flush=True)


if __name__ == "__main__":
    die_with_parent()
    main(sys.argv[1:])
