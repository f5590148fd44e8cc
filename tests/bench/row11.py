"""Row 11, a storm of messages: a million wait, and the sender is as quick and small as with few."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import MILLIS, Contestant, Reading, Row, Target
from tests.bench.plan import Plan
from tests.bench.processes import kill, serving, spawn
from tests.bench.telling import Teller

_MIB = "MiB"
# More than are sent in a round.
_FEW = 20_000


async def run(plan: Plan, teller: Teller) -> Row:
    """Measure row 11."""
    row = Row(11, f"notify: {plan.queued:,} messages wait")
    few, many = min(_FEW, plan.queued // 2), plan.queued
    queues = {f"{few:,}": (few, few), f"{many:,}": (many, many), "one person's": (few, 1)}
    contestants: dict[str, Contestant] = {}
    async with serving("null_provider") as port:
        for name, (count, people) in queues.items():
            teller.tell(f"row 11: queueing {count:,} messages to {people:,} recipients")
            folder = plan.data / f"queue-{count}-{people}"
            await _child("fill", str(folder), str(count), str(people))
            contestants[name] = _contestant(folder, name, port, plan, copied=count == few)
        await row.interleave(contestants, plan.rounds, teller)
    small, large = (f"{count:,} queued" for count in (few, many))
    row.targets += [
        Target("memory", f"{large}: memory", (f"{small}: memory",), at_most=1.25),
        Target("a look at the queue", f"{large}: look", (f"{small}: look",), at_most=2),
        Target("messages sent", f"{large}: sent", (f"{small}: sent",), at_least=0.8),
        Target("growth while sending", f"{large}: growth", at_most=16, unit=_MIB),
    ]
    row.notes.append("each queue to the null provider, a file and a recipient per message")
    row.notes.append("memory: nothing is unmerged in the store's tail, which is bounded by itself")
    row.notes.append("one person's: all of the smaller queue is one recipient's and one file's")
    return row


def _contestant(folder: Path, name: str, port: int, plan: Plan, *, copied: bool) -> Contestant:
    async def contestant() -> Sequence[Reading]:
        # What a round sends matters to a small queue alone.
        place = Path(tempfile.mkdtemp(dir=plan.data)) if copied else folder
        try:
            if copied:
                shutil.copytree(folder, place, dirs_exist_ok=True)
            said = await _child("send", str(place), str(port), str(plan.latency_seconds))
        finally:
            if copied:
                shutil.rmtree(place)
        found = json.loads(said)
        return [
            Reading(f"{name} queued: sent", found["rate"]),
            Reading(f"{name} queued: look", found["look"], MILLIS),
            Reading(f"{name} queued: memory", found["last"], _MIB),
            Reading(f"{name} queued: growth", max(0.01, found["last"] - found["first"]), _MIB),
        ]

    return contestant


async def _child(*arguments: str) -> bytes:
    """Run the child to its end; return what it printed. Raises RuntimeError when it fails."""
    process = spawn("queue_child", *arguments)
    try:
        assert process.stdout is not None
        said = await asyncio.to_thread(process.stdout.read)
        if await asyncio.to_thread(process.wait):
            raise RuntimeError(f"the queue's process failed to {arguments[0]}")
        return said
    finally:
        kill(process)
