"""A Faust worker as a program of its own, so that a test can kill it.

``python -m tests.integration.worker_program BOOTSTRAP FOLDER`` writes a line to ``FOLDER/ticks`` at
each sweep and keeps its activity table in ``FOLDER/../activity.sqlite``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from services.workflow.activity import ActivityProjection
from services.workflow.worker import build_worker, run_worker
from shared.database.sqlite import SqliteDatabase


async def main(bootstrap: str, folder: Path) -> None:
    """Run until killed."""
    database = SqliteDatabase(folder.parent / "activity.sqlite")
    await database.transaction(ActivityProjection({}).create)

    async def sweep() -> None:
        with (folder / "ticks").open("a") as ticks:
            ticks.write(f"{os.getpid()} {time.time()}\n")

    async def part() -> None:
        (folder / "part").write_text(str(os.getpid()))
        await asyncio.Event().wait()

    worker = build_worker(
        bootstrap,
        folder / "faust",
        parts={"Projector": part},
        sweep=sweep,
        sweep_seconds=0.5,
        database=database,
        codes={"BGR": "bogor"},
    )
    recovered = asyncio.Event()
    running = asyncio.create_task(
        run_worker(worker, stop=asyncio.Event(), recovered=recovered, recovery_seconds=60)
    )
    await recovered.wait()
    (folder / "recovered").write_text(str(os.getpid()))
    await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
