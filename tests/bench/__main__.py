"""``python -m tests.bench [--rows 1,2] [--quick]``: measures, prints a table, writes JSON.

A benchmark is no test: a target that is missed leaves the exit code 0. What does not: an
acknowledged event that a kill -9 took away is exit code 1, and so is a row that broke.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.bench import machine, report, row1, row2, row3, row4, row6, row7, row10, row11
from tests.bench.measure import Row
from tests.bench.plan import Plan, full, quick
from tests.bench.telling import Teller

ROWS: dict[int, Callable[[Plan, Teller], Awaitable[Row]]] = {
    1: row1.run,
    2: row2.run,
    3: row3.run,
    4: row4.run,
    6: row6.run,
    7: row7.run,
    10: row10.run,
    11: row11.run,
}
_BUILD = Path(__file__).resolve().parents[2] / "build"
_DATA = _BUILD / "bench-data"


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rows", default=",".join(map(str, ROWS)), help="such as 1,2")
    parser.add_argument("--quick", action="store_true", help="under a minute; figures mean nothing")
    parser.add_argument("--rounds", type=int, help="default 7, with --quick 1")
    parser.add_argument("--data", type=Path, default=_DATA, help="on a real disk")
    parser.add_argument("--json", type=Path, default=_BUILD / "bench.json", help="result file")
    arguments = parser.parse_args(given)
    try:
        arguments.rows = [int(number) for number in arguments.rows.split(",")]
    except ValueError:
        parser.error("--rows takes numbers and commas")
    if unknown := set(arguments.rows) - ROWS.keys():
        parser.error(f"no such row: {', '.join(map(str, sorted(unknown)))}")
    return arguments


async def measure(rows: list[int], plan: Plan, teller: Teller) -> list[Row]:
    """Measure ``rows`` one after another. One that breaks costs the others nothing."""
    measured = []
    for number in rows:
        try:
            measured.append(await ROWS[number](plan, teller))
        except Exception as error:  # noqa: BLE001 - whatever it was, it is shown and told
            traceback.print_exc()
            reason = f"it broke: {type(error).__name__}: {error}"
            measured.append(Row(number, "broken", not_run=[reason], broken=True))
    return measured


def main(given: list[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    arguments = _arguments(given)
    make = quick if arguments.quick else full
    arguments.data.mkdir(parents=True, exist_ok=True)
    plan = make(Path(tempfile.mkdtemp(dir=arguments.data)), arguments.rounds)
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": arguments.quick,
        "rounds": plan.rounds,
        "revision": machine.revision(),
        "machine": machine.facts(plan.data),
    }
    errors, out = Console(stderr=True), Console()
    if machine.in_memory(plan.data):
        errors.print(f"{plan.data} is in memory: fsync costs nothing there. Name a disk's folder.")
    teller = Teller(errors)
    try:
        rows = asyncio.run(measure(arguments.rows, plan, teller))
    finally:
        teller.stop()
        shutil.rmtree(plan.data, ignore_errors=True)
        if arguments.data == _DATA:
            # Another run may have its files beside ours; then the folder stays.
            with suppress(OSError):
                _DATA.rmdir()
    report.show(out, rows, machine.facts(_BUILD.parent))
    report.write(arguments.json, report.as_json(rows, about))
    out.print(f"\nWritten to {arguments.json}", highlight=False)
    return 1 if any(row.lost or row.broken for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
