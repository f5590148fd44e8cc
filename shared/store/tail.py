"""The newest events of a log, in memory: what its index does not hold yet."""

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

    def forget(self, upto: int) -> None:
        """Let go of everything up to and including position ``upto``."""
        if upto <= self.base:
            return
        rest = self._rows[upto - self.base :]
        recorded_us = self.recorded_us
        self.__init__(upto, recorded_us)  # type: ignore[misc]
        self.extend(rest)

    def after(self, position: int, limit: int) -> list[Recorded]:
        """Return up to ``limit`` events above ``position``, which is at or above ``base``."""
        start = position - self.base
        return self._rows[start : start + limit]

    def stream(self, name: str) -> Sequence[Recorded]:
        """Return the events of one stream that are here, oldest first."""
        return self._streams.get(name, ())
