"""How far a consumer is in each ordered source, in the same database as what it made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shared.bus import Delivery
from shared.database import Database, Transaction
from shared.events import Recorded

_TABLE = """
CREATE TABLE IF NOT EXISTS checkpoints (
    consumer TEXT NOT NULL, source TEXT NOT NULL, position BIGINT NOT NULL,
    PRIMARY KEY (consumer, source)
)
"""

_SHAPES = """
CREATE TABLE IF NOT EXISTS shapes (consumer TEXT NOT NULL PRIMARY KEY, shape TEXT NOT NULL)
"""


class Sourced(NamedTuple):
    """An event and the source it came from."""

    source: str
    recorded: Recorded


def merged(deliveries: Sequence[Delivery]) -> list[Sourced]:
    """Return all events of a batch in the order of the log, whatever source they came from."""
    events = [Sourced(source, recorded) for source, events in deliveries for recorded in events]
    if len(deliveries) > 1:
        events.sort(key=lambda sourced: sourced.recorded.position)
    return events


class Positions:
    """The last position of every source that one consumer has dealt with."""

    def __init__(self, database: Database, consumer: str) -> None:
        """Keep the positions of ``consumer`` in ``database``."""
        self._database = database
        self._consumer = consumer

    def create(self, tx: Transaction) -> None:
        """Create the table if it is missing."""
        tx.execute(_TABLE)

    def changed(self, tx: Transaction, shape: str) -> bool:
        """Say whether the tables that the positions belong to were made with another ``shape``.

        Then the positions are forgotten, so that whoever drops the tables fills them anew.
        """
        tx.execute(_SHAPES)
        held = tx.execute("SELECT shape FROM shapes WHERE consumer = ?", (self._consumer,))
        if held == [(shape,)]:
            return False
        tx.execute("DELETE FROM checkpoints WHERE consumer = ?", (self._consumer,))
        tx.execute(
            "INSERT INTO shapes (consumer, shape) VALUES (?, ?) "
            "ON CONFLICT (consumer) DO UPDATE SET shape = excluded.shape",
            (self._consumer, shape),
        )
        return True

    async def all(self) -> dict[str, int]:
        """Return source -> last position."""
        sql = "SELECT source, position FROM checkpoints WHERE consumer = ?"
        return dict(await self._database.query(sql, (self._consumer,)))

    def lock(self, tx: Transaction, sources: Iterable[str]) -> dict[str, int]:
        """Return the last position of ``sources`` (0 when new), and hold them until the commit.

        When a partition moves, its old owner may still be folding: whoever comes second waits here
        and then sees what the first one did, so that nothing is folded twice.
        """
        names = sorted(sources)
        tx.executemany(
            "INSERT INTO checkpoints (consumer, source, position) VALUES (?, ?, 0) "
            "ON CONFLICT (consumer, source) DO NOTHING",
            [(self._consumer, name) for name in names],
        )
        marks = ", ".join("?" * len(names))
        rows = tx.execute(
            "UPDATE checkpoints SET position = position "
            f"WHERE consumer = ? AND source IN ({marks}) RETURNING source, position",
            (self._consumer, *names),
        )
        return dict(rows)

    def advance(self, tx: Transaction, positions: Mapping[str, int]) -> None:
        """Move the sources forward to ``positions``; none ever moves back."""
        tx.executemany(
            "INSERT INTO checkpoints (consumer, source, position) VALUES (?, ?, ?) "
            "ON CONFLICT (consumer, source) DO UPDATE SET position = excluded.position "
            "WHERE checkpoints.position < excluded.position",
            [(self._consumer, source, position) for source, position in sorted(positions.items())],
        )
