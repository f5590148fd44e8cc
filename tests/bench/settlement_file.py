"""Row 6's other half: a settlement file of a million lines, and whether memory stays flat.

Each file is taken in by a process of its own (``settling``), so that the highest resident memory is
that file's. "Flat" is judged against a file a tenth as long.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import MILLIS, Contestant, Reading, Row, Target
from tests.bench.plan import Plan
from tests.bench.processes import spawn
from tests.bench.settling import PARTNERS
from tests.bench.telling import Teller

_MEGABYTES = "MB"
# 5,000 permits make a million lines; the quick run's 100 make 20,000.
_LINES_A_PERMIT = 200


def targets(kind: str) -> list[Target]:
    """Return what is asked of one format."""
    whole, tenth = _memory(kind), _memory(kind, tenth=True)
    return [
        # 20,000 lines a second.
        Target(f"{kind}, 1,000 lines checked and durable", _time(kind), at_most=50),
        Target(f"{kind} memory, ten times the lines", whole, (tenth,), at_most=1.2),
    ]


async def measure(row: Row, plan: Plan, teller: Teller) -> None:
    """Take in one long and one shorter file of each format, once: a round lasts a minute."""
    lines = plan.permits * _LINES_A_PERMIT
    contestants: dict[str, Contestant] = {}
    for kind in PARTNERS:
        row.targets += targets(kind)
        contestants[f"{kind}, {lines // 10:,} lines"] = _contestant(plan, kind, lines // 10, True)
        contestants[f"{kind}, {lines:,} lines"] = _contestant(plan, kind, lines, False)
    await row.interleave(contestants, 1, teller)
    row.notes.append(f"settlement files of {lines:,} lines: checked whole, then recorded")


def _contestant(plan: Plan, kind: str, lines: int, tenth: bool) -> Contestant:
    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        try:
            process = spawn("settling", str(folder), kind, str(lines))
            said, _ = await asyncio.to_thread(process.communicate)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        found = json.loads(said)
        memory = Reading(_memory(kind, tenth=tenth), found["after_mb"], _MEGABYTES)
        if tenth:
            return [memory]
        return [memory, Reading(_time(kind), found["seconds"] / lines * 1e6, MILLIS)]

    return contestant


def _time(kind: str) -> str:
    return f"{kind} settlement file, 1,000 lines"


def _memory(kind: str, *, tenth: bool = False) -> str:
    return f"{kind} file, memory" + (" of a tenth" if tenth else "")
