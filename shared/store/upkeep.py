"""When a SQLite log is tidied: what may take long runs beside the appends, the rest in short steps.

The writer calls ``step`` between two groups of appends, so whatever a step does holds up those who
append. Sorting a merge and the bulk of a checkpoint are therefore only begun there; a slice of the
merge, and the end of a checkpoint, last as long as a few commits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from shared.errors import JejakError, Unavailable
from shared.store.limits import Limits
from shared.store.sqlite_file import Busy, WriteFailed
from shared.store.sqlite_index import SqliteIndex
from shared.store.tail import Tail
from shared.telemetry import log

# A slice of a merge that is faster than the first is doubled, one slower than the second halved.
_SHORT_SECONDS: Final = 0.001
_LONG_SECONDS: Final = 0.005
# Never fewer: on a slow disk a small slice takes as long as this one.
_MIN_ENTRIES: Final = 1024
_MAX_ENTRIES: Final = 8192
# Once the tail holds so many times what a merge is begun at, a slice has at least so many entries.
# Where every slice is slow, as on a busy machine, small ones would fall ever further behind the
# appends between them, and what is not merged is in memory.
_BEHIND: Final = 2
_CATCH_UP_ENTRIES: Final = 4096
# How many events leave the tail at once: a millisecond's, and more than come in with a group.
SHED: Final = 2048
# How many entries of a merge write a page, about.
_ENTRIES_A_PAGE: Final = 16


class _At(Enum):
    """What is to be done next."""

    REST = auto()
    MERGE = auto()
    FINISH_CHECKPOINT = auto()


class Upkeep:
    """Merges the indexes and takes checkpoints, a little at a time."""

    def __init__(
        self,
        index: SqliteIndex,
        limits: Limits,
        wake: Callable[[], None],
        fatal: Callable[[str], None],
    ) -> None:
        """Tidy ``index``; ``wake`` asks for another ``step``, ``fatal`` ends the process."""
        self._index = index
        self._limits = limits
        self._wake = wake
        self._fatal = fatal
        self._at = _At.REST
        self._beside: asyncio.Task[None] | None = None
        self._merging = 0
        self._entries = _MIN_ENTRIES
        self._pages = 0
        self._closed = False

    def wrote(self, pages: int) -> None:
        """Count pages that the write-ahead log grew by."""
        self._pages += pages

    async def step(self, tail: Tail) -> bool:
        """Do the next short thing; say whether there is another one to do at once."""
        if self._beside is not None:
            return False
        try:
            return await self._step(tail)
        except WriteFailed as error:
            self._fatal(str(error))
        except (Busy, Unavailable):
            # Nothing is lost: the tail holds the events, and the next group tries again.
            log.warning("merge_postponed")
        except JejakError as error:
            self._at = _At.REST
            log.error("merge_failed", code=error.code)
        return False

    async def close(self) -> None:
        """Wait for what runs beside, and close the indexes."""
        self._closed = True
        if self._beside is not None:
            await self._beside
        self._index.close()

    async def _step(self, tail: Tail) -> bool:
        limits = self._limits
        if self._at is _At.MERGE:
            return await self._merge_some(tail)
        if self._at is _At.FINISH_CHECKPOINT:
            await asyncio.to_thread(self._index.checkpoint)
            self._at = _At.REST
            return True
        if tail.shed(SHED):
            return True
        if len(tail) >= limits.merge_events or tail.size >= limits.merge_bytes:
            self._merging = upto = tail.head
            self._begin(lambda: self._index.prepare(upto), _At.MERGE)
        elif self._pages >= limits.checkpoint_pages:
            self._pages = 0
            self._begin(self._index.checkpoint_most, _At.FINISH_CHECKPOINT)
        return False

    async def _merge_some(self, tail: Tail) -> bool:
        behind = len(tail) > _BEHIND * self._limits.merge_events
        entries = max(self._entries, _CATCH_UP_ENTRIES) if behind else self._entries
        began = time.perf_counter()
        ended = await asyncio.to_thread(self._index.step, entries)
        took = time.perf_counter() - began
        if took < _SHORT_SECONDS:
            self._entries = min(self._entries * 2, _MAX_ENTRIES)
        elif took > _LONG_SECONDS:
            self._entries = max(self._entries // 2, _MIN_ENTRIES)
        self._pages += entries // _ENTRIES_A_PAGE
        if ended:
            self._at = _At.REST
            tail.indexed(self._merging)
        return True

    def _begin(self, work: Callable[[], None], following: _At) -> None:
        """Let ``work`` run beside the appends, and go on with ``following`` when it is done."""
        self._beside = asyncio.get_running_loop().create_task(self._run(work, following))

    async def _run(self, work: Callable[[], None], following: _At) -> None:
        try:
            await asyncio.to_thread(work)
            self._at = following
        except WriteFailed as error:
            self._fatal(str(error))
        except (Busy, JejakError):
            log.warning("merge_postponed")
            following = _At.REST
        self._beside = None
        if following is not _At.REST and not self._closed:
            self._wake()
