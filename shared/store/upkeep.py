"""When a SQLite log is tidied: what may take long runs beside the appends, the rest in short steps.

The writer calls ``step`` between two groups of appends, so whatever a step does holds up those who
append. Sorting a merge and checkpoints are therefore only begun there; a slice of the merge
lasts as long as a few commits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final

from shared.errors import JejakError, Unavailable
from shared.store.limits import Limits
from shared.store.nearby import Nearby
from shared.store.sqlite_file import Busy, WriteFailed
from shared.store.sqlite_index import SqliteIndex
from shared.store.tail import Tail
from shared.telemetry import log

# A slice of a merge that is faster than the first is doubled, one slower than the second halved.
_SHORT_SECONDS: Final = 0.0005
_LONG_SECONDS: Final = 0.001
# Never fewer: on a slow machine a small slice takes as long as this one.
_MIN_ENTRIES: Final = 128
_MAX_ENTRIES: Final = 8192
# Once the tail holds so many times what a merge is begun at, a slice has at least so many entries.
# Where every slice is slow, as on a busy machine, small ones would fall ever further behind the
# appends between them, and what is not merged is in memory.
_BEHIND: Final = 2
_CATCH_UP_ENTRIES: Final = 4096
# How many events leave the tail at once: half a millisecond's, and more than come in with a group.
SHED: Final = 512
# How often the end of a checkpoint is tried beside single appends, before it is without them.
_TRIES: Final = 4
# How many entries of a merge write a page, about.
_ENTRIES_A_PAGE: Final = 16


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
        self._beside: asyncio.Task[None] | None = None
        self._nearby = Nearby(limits)
        # Up to which position a merge is prepared; 0 while there is none.
        self._merging = 0
        self._entries = _MIN_ENTRIES
        # Pages that were written since the last checkpoint began; whether that is at its end.
        self._pages = 0
        self._ending = False
        self._tries = 0
        self._closed = False

    @property
    def wants_calm(self) -> bool:
        """Whether a checkpoint is at its end, which any append would put off."""
        return self._ending

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
            self._merging = 0
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
        behind = len(tail) > _BEHIND * limits.merge_events
        if self._ending:
            return await self._finish_checkpoint()
        if self._pages >= limits.checkpoint_pages and not behind:
            # In the middle of a merge too: what one writes at once, others' commits wait behind.
            self._pages = 0
            self._begin(self._checkpoint_most())
        elif self._merging:
            return await self._merge_some(tail, behind=behind)
        elif tail.shed(SHED):
            return True
        elif len(tail) >= limits.merge_events or tail.size >= limits.merge_bytes:
            self._begin(self._prepare(tail.head))
        return False

    async def _merge_some(self, tail: Tail, *, behind: bool) -> bool:
        entries = max(self._entries, _CATCH_UP_ENTRIES) if behind else self._entries
        began = time.perf_counter()
        ended = await self._nearby.run(partial(self._index.step, entries))
        took = time.perf_counter() - began
        if took < _SHORT_SECONDS:
            self._entries = min(self._entries * 2, _MAX_ENTRIES)
        elif took > _LONG_SECONDS:
            self._entries = max(self._entries // 2, _MIN_ENTRIES)
        self._pages += entries // _ENTRIES_A_PAGE
        if ended:
            tail.indexed(self._merging)
            self._merging = 0
        return True

    async def _finish_checkpoint(self) -> bool:
        """Carry over the last pages; only when none is left is the log's space used again.

        Single appends, which somebody waits for, go on meanwhile. Where they come so often that
        there is always another page, they wait once.
        """
        if self._tries < _TRIES:
            self._tries += 1
            self._begin(self._try_to_finish())
            return False
        # Also where it fails: nobody would ever tell a bulk to go on.
        self._ending = False
        await asyncio.to_thread(self._index.checkpoint)
        return True

    async def _prepare(self, upto: int) -> None:
        await asyncio.to_thread(self._index.prepare, upto)
        self._merging = upto

    async def _checkpoint_most(self) -> None:
        await asyncio.to_thread(self._index.checkpoint_most)
        self._ending, self._tries = True, 0

    async def _try_to_finish(self) -> None:
        before = self._pages
        left = await asyncio.to_thread(self._index.checkpoint)
        self._ending = left > 0 or self._pages != before

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        """Let ``work`` run beside the appends, and go on with what it made possible."""
        self._beside = asyncio.get_running_loop().create_task(self._run(work))

    async def _run(self, work: Coroutine[None, None, None]) -> None:
        failed = await self._fails(work)
        # Whoever waits for the end of a checkpoint goes on.
        wake = self._ending or not failed
        self._ending = self._ending and not failed
        self._beside = None
        if wake and not self._closed:
            self._wake()

    async def _fails(self, work: Coroutine[None, None, None]) -> bool:
        """Do ``work``. What fails is not tried again at once, but with the next append."""
        try:
            await work
        except WriteFailed as error:
            self._fatal(str(error))
        except (Busy, JejakError):
            log.warning("merge_postponed")
        except Exception:  # noqa: BLE001 - whatever is wrong with it, there is a next time
            log.exception("tidying_failed")
        else:
            return False
        return True
