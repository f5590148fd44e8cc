"""An office with a great many open files, of which many are due at one instant, on real tables."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from services.workflow.beside import Beside
from services.workflow.permit import stream
from services.workflow.projection import UPSERT, PermitsProjection
from services.workflow.rows import COLUMNS, FAR, Row, RowFold, row_values
from services.workflow.sop import Sops
from services.workflow.timers import Sweeper
from services.workflow.views import Views
from shared.calendar import Calendars
from shared.codec import Codec
from shared.contracts import workflow
from shared.database.sqlite import SqliteDatabase
from shared.events import NewEvent, Recorded, from_micros, to_micros
from shared.handle import Handler
from shared.ids import derived_id, event_id
from shared.offices import Catalogue
from shared.store import NO_STREAM, Batch
from shared.store.sqlite import SqliteStore
from tests.bench.permits import START
from tests.bench.processes import ROOT

OFFICE, KIND, VERSION = "bogor", "situ", 1
_TOGETHER = 512
_ROWS = 5000


@dataclass
class OpenFiles:
    """The store, the read model and a sweep whose clock the benchmark turns.

    ``due`` holds per storm the instant (microseconds UTC) at which its files are due.
    """

    store: SqliteStore
    handler: Handler
    sweeper: Sweeper
    file: Path
    due: list[int]
    now: datetime = START


@asynccontextmanager
async def open_files(folder: Path, total: int, storms: int, each: int) -> AsyncIterator[OpenFiles]:
    """Fill an office with ``total`` files; ``each`` of them are due at once, ``storms`` times."""
    store, database = SqliteStore(folder / "events.sqlite"), SqliteDatabase(folder / "read.sqlite")
    catalogue = Catalogue.load(ROOT / "deploy")
    codec, sops, calendars = Codec(), Sops(catalogue), Calendars(catalogue)
    views = Views(database, sops, calendars, lambda: made.now)
    handler = Handler(store, codec)
    beside = Beside()
    sweeper = Sweeper(handler, views, sops, calendars, lambda: made.now, beside=beside)
    made = OpenFiles(store, handler, sweeper, folder / "read.sqlite", [])
    await database.transaction(PermitsProjection(codec, sops, calendars).create)
    try:
        for storm in range(storms):
            opened = START + timedelta(days=storm)
            envelopes, row = _overdue(codec, sops, calendars, opened)
            made.due.append(row.due_us)
            ids = [derived_id("storm", storm, number) for number in range(each)]
            await _append(store, envelopes, ids)
            row.timer_us = row.due_us
            _insert(made.file, _copies(row, ids))
        row.timer_us = FAR
        others = (derived_id("open", number) for number in range(total - storms * each))
        _insert(made.file, _copies(row, others))
        # What was only filled in must not be on its way to the disk while something is measured.
        await asyncio.to_thread(os.sync)
        yield made
    finally:
        await beside.close()
        await store.close()
        await database.close()


def _overdue(
    codec: Codec, sops: Sops, calendars: Calendars, opened: datetime
) -> tuple[list[NewEvent], Row]:
    """Return the facts of one permit that was warned of, and its row."""
    about = {"application_id": "A" * 36, "stage": "verify"}
    facts: list[Any] = [
        workflow.PermitOpened(
            application_id="A" * 36,
            number="BGR-2026-000001",
            office=OFFICE,
            permit_type=KIND,
            permit_version=VERSION,
        ),
        workflow.StageStarted(**about, role="verifier"),
    ]
    row = _folded(codec, sops, calendars, opened, facts)
    due_at = from_micros(row.due_us).isoformat()
    facts.append(workflow.StageDueSoon(**about, office=OFFICE, due_at=due_at))
    return _envelopes(codec, opened, facts), _folded(codec, sops, calendars, opened, facts)


def _folded(
    codec: Codec, sops: Sops, calendars: Calendars, opened: datetime, facts: Sequence[Any]
) -> Row:
    fold = RowFold(Row("A" * 36))
    for version, new in enumerate(_envelopes(codec, opened, facts), start=1):
        recorded = Recorded(version, "permit", version, *new[:5], new.occurred_us, *new[5:])
        fold.take(facts[version - 1], recorded)
    return fold.finish(sops, calendars)


def _envelopes(codec: Codec, opened: datetime, facts: Sequence[Any]) -> list[NewEvent]:
    at = to_micros(opened)
    return [codec.envelope(fact, "", at, "system:workflow", "C", "A" * 36) for fact in facts]


async def _append(store: SqliteStore, envelopes: Sequence[NewEvent], ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _TOGETHER):
        batches = [
            Batch(
                stream(app),
                [
                    new._replace(
                        event_id=event_id("fill", app, index),
                        data=new.data.replace(b"A" * 36, app.encode()),
                        correlation_id=app,
                    )
                    for index, new in enumerate(envelopes)
                ],
                NO_STREAM,
            )
            for app in ids[start : start + _TOGETHER]
        ]
        await store.append_many(batches)


def _copies(row: Row, ids: Iterator[str] | Sequence[str]) -> Iterator[tuple[Any, ...]]:
    values, alarms = list(row_values(row)), COLUMNS.index("alarms")
    template = row.alarms
    for app in ids:
        values[0], values[alarms] = app, template.replace("A" * 36, app)
        yield tuple(values)


def _insert(file: Path, rows: Iterator[tuple[Any, ...]]) -> None:
    """Write rows as the projection does, but without a thread and without waiting for the disk."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.executemany(UPSERT, rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
