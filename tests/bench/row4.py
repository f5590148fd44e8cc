"""Row 4, the auditor: full replay of the log into every read model, with a hash over all rows."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.replay import rebuild
from deploy.serve import Running
from shared.events import Recorded
from shared.projection import Projection
from tests.bench import limits, permits
from tests.bench.measure import Reading, Row, Target
from tests.bench.office import fill, office, projections
from tests.bench.plan import Plan
from tests.bench.telling import Teller

_ALL = "replay, all read models"
_LIMIT = "typed JSON decode"


async def run(plan: Plan, teller: Teller) -> Row:
    """Measure row 4."""
    row = Row(4, "auditor: full replay with state hash")
    folder = Path(tempfile.mkdtemp(dir=plan.data))
    try:
        async with office(folder) as running:
            teller.tell(f"row 4: writing the log of {plan.permits:,} permits")
            rows = permits.log(plan.permits, running.kernel.codec)
            await fill(running.kernel.store, rows)
            await _measure(row, plan, running, rows, teller)
    finally:
        shutil.rmtree(folder)
    row.notes.append(f"the log holds {len(rows):,} events of {permits.sizes(rows):.0f} bytes")
    row.notes.append("'all' counts an event once, however many read models fold it")
    row.notes.append("a single read model counts its own events, and reads the whole log for them")
    return row


async def _measure(
    row: Row, plan: Plan, running: Running, rows: Sequence[Recorded], teller: Teller
) -> None:
    models = projections(running)
    row.targets.append(Target("from rows, share of decode", _ALL, (_LIMIT,), at_least=0.3))

    async def decode() -> Sequence[Reading]:
        return await limits.decode(rows)

    async def read_and_decode() -> Sequence[Reading]:
        store, codec, position = running.kernel.store, running.kernel.codec, 0
        began = time.perf_counter()
        while batch := await store.read_all(position, 2000):
            for recorded in batch:
                codec.decode(recorded)
            position = batch[-1].position
        return [Reading("rows read and decoded", len(rows) / (time.perf_counter() - began))]

    async def replay() -> Sequence[Reading]:
        return await _replay(plan, running, models, len(rows))

    contestants = {"decode": decode, "read and decode": read_and_decode, "replay": replay}
    await row.interleave(contestants, plan.rounds, teller)


async def _replay(
    plan: Plan, running: Running, models: Sequence[Projection], total: int
) -> list[Reading]:
    """Rebuild the read models one after another, as ``jejak replay`` does."""
    folder = Path(tempfile.mkdtemp(dir=plan.data))
    live = running.databases["intake"]
    readings, took = [], 0.0
    try:
        for model in models:
            began = time.perf_counter()
            # Without a check the live database is not looked at.
            rebuilt = await rebuild(model, live, running.kernel.store, folder, check=False)
            seconds = time.perf_counter() - began
            if rebuilt.events:
                readings.append(Reading(f"replay, {model.name}", rebuilt.events / seconds))
            took += seconds
    finally:
        shutil.rmtree(folder)
    return [Reading(_ALL, total / took), *readings]
