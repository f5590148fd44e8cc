"""``python -m tests.bench.whatif [EVENTS]``: the speed and the memory of a what-if over a log.

Writes a log of about EVENTS (default 100,000) events of ``tests.bench.permits`` in a folder of its
own, and replays it in this process, so that its peak is the replay's and not the writer's.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.catalogue import load_catalogue
from deploy.wiring import now
from services.workflow.whatif.engine import Replay
from services.workflow.whatif.reading import read_through
from services.workflow.whatif.rules import Alternative, Rules
from shared.codec import Codec
from shared.events import Recorded, to_micros
from shared.offices import Ladder
from shared.settings import Settings
from shared.store.sqlite import SqliteStore
from tests.bench import permits
from tests.bench.office import fill

_WAVE = 64
_SLOWER = 1800


async def write(folder: Path, events: int) -> None:
    """Write a log of at least ``events`` events, a wave of permits at a time."""
    store, codec = SqliteStore(folder / "events.sqlite"), Codec()
    try:
        first = 0
        while await store.head() < events:
            await fill(store, [_slower(row) for row in permits.wave(first, codec)])
            first += _WAVE
    finally:
        await store.close()


def _slower(row: Recorded) -> Recorded:
    """Let a permit take four weeks instead of 22 minutes, so that its clock says something."""
    within = row.position * 1_000_000
    return row._replace(occurred_us=row.occurred_us + within * (_SLOWER - 1))


async def replay(folder: Path) -> None:
    """Replay the log and print what it took."""
    catalogue = load_catalogue(Settings().config, now)
    other = Alternative(ladder=Ladder(warn_percent=50, answer_minutes=60, head_minutes=60))
    rules = Rules(catalogue, "bogor"), Rules(catalogue, "bogor", other)
    held = 0
    run = Replay("bogor", *rules, told=lambda row: None)

    def look(done: int, total: int) -> None:
        nonlocal held
        held = max(held, run.holding)

    store, codec = SqliteStore(folder / "events.sqlite"), Codec()
    try:
        began, worked = time.perf_counter(), time.process_time()
        await read_through(run, store, codec, to_micros(now()), progress=look)
        seconds = time.perf_counter() - began
        worked = time.process_time() - worked
    finally:
        await store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    events, total = run.report.events, run.report.total
    print(
        f"{events:,} events of {run.report.permits:,} permits in {seconds:.1f} s "
        f"({worked:.1f} s of processor time): "
        f"{events / seconds:,.0f}/s, peak {peak:,.0f} MB, at most {held} permits held, "
        f"{total.base.asked:,} questions under the one, {total.variant.asked:,} under the other"
    )


def main(words: list[str]) -> None:
    """Write the log here, and replay it in a process of its own."""
    if words[:1] == ["--replay"]:
        asyncio.run(replay(Path(words[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(write(Path(folder), int(words[0]) if words else 100_000))
        subprocess.run([sys.executable, "-m", "tests.bench.whatif", "--replay", folder], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
