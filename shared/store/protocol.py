"""The event store's seam: one append-only log of streams in one global order.

Versions in a stream start at 1 and are dense. ``expected=0`` means the stream must not exist yet,
``ANY`` means no opinion. Every adapter passes ``tests/contract/test_store.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple, Protocol

from shared.errors import JejakError
from shared.events import NewEvent, Recorded

ANY: Final = -1
NO_STREAM: Final = 0


class Batch(NamedTuple):
    """One stream's append among many: as the arguments of ``EventStore.append``."""

    stream: str
    events: Sequence[NewEvent]
    expected: int = ANY


class EventStore(Protocol):
    """Where every fact lives. An append is answered only after it is durable."""

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        """Append all ``events`` to ``stream`` or none, and return them as recorded.

        Idempotent by event id: when all of them are already in this stream, the recorded ones are
        returned and nothing is added. Raises WrongExpectedVersion, EventIdReused (some ids known
        and some not, or known in another stream), StoreFull, Unavailable.
        """
        ...

    async def append_many(self, batches: Sequence[Batch]) -> list[list[Recorded] | JejakError]:
        """Append to many streams at once, and return what ``append`` would have said of each.

        Each batch succeeds or fails alone, and its error is returned, not raised. They share
        commits, so that a thousand cost far less than a thousand appends.
        """
        ...

    async def read_stream(self, stream: str, after: int = 0) -> list[Recorded]:
        """Return the events of ``stream`` with a version above ``after``, oldest first."""
        ...

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[Recorded]:
        """Return up to ``limit`` events with a position above ``after``, in order.

        A reader that has seen a position never later finds a new event below it.
        """
        ...

    async def head(self) -> int:
        """Return the position of the last event, 0 when there is none."""
        ...

    def follow(self, after: int = 0, limit: int = 1000) -> AsyncIterator[list[Recorded]]:
        """Yield batches of events above ``after``, waiting for new ones for ever.

        An own append wakes it at once; one of another process within 50 ms (SQLite) or at the
        notification (PostgreSQL, KurrentDB).
        """
        ...

    async def close(self) -> None:
        """Finish what was accepted and let go of files and connections."""
        ...
