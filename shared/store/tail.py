"""The newest events of a log, in memory: what its index does not hold yet.

A merge puts many events into the index at once. They leave the tail a few at a time, for those who
append wait meanwhile; until then they are found in both, which are the same events.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.events import Recorded


class Tail:
    """The events after position ``base``, by position, stream and id. Positions are dense."""

    def __init__(self, base: int, recorded_us: int = 0) -> None:
        """Start empty after ``base``, whose event was recorded at ``recorded_us``."""
        self.base = base
        self.recorded_us = recorded_us
        self.size = 0
        self._indexed = base
        self.ids: dict[str, Recorded] = {}
        self._rows: list[Recorded] = []
        self._streams: dict[str, list[Recorded]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def head(self) -> int:
        """The position of the newest event."""
        return self.base + len(self._rows)

    def extend(self, rows: Sequence[Recorded]) -> None:
        """Add ``rows``, which go on where the tail ends."""
        self._rows += rows
        for row in rows:
            self.ids[row.event_id] = row
            self._streams.setdefault(row.stream, []).append(row)
            self.size += len(row.data)
        if rows:
            self.recorded_us = max(self.recorded_us, rows[-1].recorded_us)

    def indexed(self, upto: int) -> None:
        """Note that the index holds everything up to and including position ``upto``."""
        self._indexed = max(self._indexed, upto)

    def shed(self, most: int) -> bool:
        """Let go of up to ``most`` events that the index holds; say whether there are any more."""
        gone = self._rows[: min(most, self._indexed - self.base)]
        del self._rows[: len(gone)]
        self.base += len(gone)
        for row in gone:
            del self.ids[row.event_id]
            self.size -= len(row.data)
        for stream in {row.stream for row in gone}:
            # A new list: somebody who reads the stream in slices goes on with the one that he has.
            rest = [row for row in self._streams[stream] if row.position > self.base]
            if rest:
                self._streams[stream] = rest
            else:
                del self._streams[stream]
        return self.base < self._indexed

    def after(self, position: int, limit: int) -> list[Recorded]:
        """Return up to ``limit`` events above ``position``, which is at or above ``base``."""
        start = position - self.base
        return self._rows[start : start + limit]

    def stream(self, name: str) -> Sequence[Recorded]:
        """Return the events of one stream that are here, oldest first."""
        return self._streams.get(name, ())
