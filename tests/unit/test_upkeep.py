"""How a SQLite log is tidied while others append: what is not merged yet stays bounded."""

from __future__ import annotations

import asyncio
import time

from shared.events import Recorded
from shared.store.limits import Limits
from shared.store.sqlite_index import SqliteIndex
from shared.store.tail import Tail
from shared.store.upkeep import Upkeep

MERGE, GROUP, GROUPS = 1000, 512, 120


class SlowIndex(SqliteIndex):
    """Indexes in memory, any slice of which takes too long: a busy machine."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.merged = self._left = self._upto = 0

    def prepare(self, upto: int) -> None:
        """Every event has two entries."""
        self._left, self._upto = 2 * (upto - self.merged), upto

    def step(self, entries: int) -> bool:
        """Take some entries in, slowly."""
        time.sleep(0.004)
        self._left -= entries
        if self._left > 0:
            return False
        self.merged = self._upto
        return True

    def checkpoint(self) -> int:
        """There is nothing to carry."""
        return 0

    def close(self) -> None:
        """There is nothing to close."""


def group(first: int) -> list[Recorded]:
    """Return a group of events at positions from ``first`` on, each of a stream of its own."""
    return [
        Recorded(n, f"permit-{n}", 1, f"id-{n}", "Any", 1, b"{}", 0, 0, "system", "c", "a")
        for n in range(first, first + GROUP)
    ]


async def test_merges_keep_up_with_appends_where_every_slice_is_slow() -> None:
    tail, index, failed = Tail(0), SlowIndex(), list[str]()
    upkeep = Upkeep(index, Limits(merge_events=MERGE), wake=lambda: None, fatal=failed.append)
    longest = 0
    for number in range(GROUPS):
        tail.extend(group(1 + number * GROUP))
        # As the writer does between two groups, with a moment for what runs beside.
        await upkeep.step(tail)
        await asyncio.sleep(0.001)
        longest = max(longest, len(tail))
    await upkeep.close()
    assert not failed
    assert index.merged > (GROUPS // 2) * GROUP
    assert longest < 20 * MERGE
