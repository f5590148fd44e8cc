"""The Faust worker: the only file that imports faust.

It runs and supervises the workflow's projector as a service, gives the timer sweep to its leader,
and keeps windowed tables of live office activity. It never decides and holds no official status
(ADR 4): Faust acknowledges events whose agent failed, and its tables may count twice after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import faust
from mode import Service

from services.workflow.activity import Beat, beat, store_windows
from shared.database import Database
from shared.errors import Unavailable
from shared.events import to_micros
from shared.telemetry import log
from shared.topics import INTAKE, WORKER_ID, WORKFLOW

ACTIVITY_TABLE = "activity"
_WINDOW = timedelta(hours=1)
_KEPT = timedelta(days=2)
_FLUSH_SECONDS = 2.0
# A dead leader is noticed after this long; the sweep moves to the next worker then.
_SESSION_SECONDS = 6


class Part(Service):
    """A part that runs for ever under Faust's supervision. When it fails, the worker ends."""

    # Faust makes its services itself, so what to run is bound to a subclass.
    main: ClassVar[Callable[[], Awaitable[None]]]

    @Service.task
    async def _run(self) -> None:
        await type(self).main()


def build_worker(
    bootstrap: str,
    folder: Path,
    *,
    parts: Mapping[str, Callable[[], Awaitable[None]]],
    sweep: Callable[[], Awaitable[object]],
    sweep_seconds: float,
    database: Database,
    codes: Mapping[str, str],
) -> Any:
    """Return the Faust application over ``bootstrap``, keeping its own files in ``folder``.

    ``parts`` run on every worker, by name; ``sweep`` is called every ``sweep_seconds`` on the
    leader alone. ``codes`` maps office codes to ids, for activity.
    """
    # Faust's own annotations lag its API (windows, recovery), so the checker is told nothing.
    app: Any = faust.App(
        WORKER_ID,
        broker=f"kafka://{bootstrap}",
        datadir=str(folder),
        store="memory://",
        # Topics are made by `jejak topics apply` and by nothing else.
        topic_allow_declare=False,
        topic_partitions=WORKFLOW.partitions,
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=2,
        # The process's own health server answers; Faust's would listen on every address.
        web_enabled=False,
    )
    for name, main in parts.items():
        app.service(type(name, (Part,), {"main": staticmethod(main)}))

    async def sweep_on_leader() -> None:
        try:
            await sweep()
        except Exception:  # noqa: BLE001 - the next tick tries again; a timer must not die
            log.exception("sweep_failed")

    app.timer(interval=sweep_seconds, on_leader=True)(sweep_on_leader)
    _count_activity(app, database, codes)
    return app


def _count_activity(app: Any, database: Database, codes: Mapping[str, str]) -> None:
    """Count received, finished and stalled per office and hour in a windowed table."""
    # One dictionary holds all partitions of a table, so each source partition has keys of its own.
    table = app.Table(ACTIVITY_TABLE, default=int, partitions=WORKFLOW.partitions)
    windows = table.tumbling(_WINDOW, expires=_KEPT).relative_to(_occurred_at)
    changed: dict[str, dict[Beat, int]] = {}

    async def count(stream: Any) -> None:
        async for event in stream.events():
            kind = _header(event, "ce_type")
            one = beat(kind, event.value, to_micros(_occurred_at(event)), codes)
            if one is not None:
                source = f"{event.message.topic}/{event.message.partition}"
                key = f"{source}|{one.office}|{one.kind}"
                windows[key] += 1
                changed.setdefault(source, {})[one] = windows[key].value(event)

    for topic in (INTAKE, WORKFLOW):
        source = app.topic(
            topic.name, key_serializer="raw", value_serializer="raw", value_type=bytes
        )
        app.agent(source, name=f"activity-{topic.service}")(count)

    async def flush() -> None:
        for source, counts in list(changed.items()):
            shown = dict(counts)
            try:
                await database.transaction(partial(store_windows, source=source, counts=shown))
            except Unavailable:
                return  # Kept, and written at a later tick.
            for one, count in shown.items():
                if counts.get(one) == count:
                    del counts[one]

    app.timer(interval=_FLUSH_SECONDS)(flush)


def _header(event: Any, name: str) -> str:
    pairs = event.headers.items() if isinstance(event.headers, Mapping) else event.headers
    return next((value.decode() for key, value in pairs if key == name), "")


def _occurred_at(event: Any) -> datetime:
    """Return when it happened: windows follow the office's time, not the broker's."""
    return datetime.fromisoformat(_header(event, "ce_time"))


async def run_worker(
    app: Any, *, stop: asyncio.Event, recovered: asyncio.Event, recovery_seconds: float
) -> None:
    """Run until ``stop`` is set or the worker crashes; set ``recovered`` once its tables are back.

    Raises TimeoutError when its tables were not recovered within ``recovery_seconds``, and what a
    part raised when it failed.
    """
    await app.start()
    try:
        async with asyncio.timeout(recovery_seconds):
            await app.tables.recovery.completed.wait()
        recovered.set()
        waiting = asyncio.create_task(stop.wait())
        crashed = asyncio.create_task(app.wait_for_stopped())
        await asyncio.wait({waiting, crashed}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        crashed.cancel()
        if app.crash_reason is not None:
            raise app.crash_reason
    finally:
        await app.stop()
