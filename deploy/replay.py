"""Rebuilds read models from the log into a fresh place, and proves them equal to the live ones.

The same fold runs here and live. Rows are compared by digest, table by table, at the same position
of the log, so that a running office can be checked too.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from shared.bus import Delivery
from shared.database import Database, Row, Transaction
from shared.database.sqlite import SqliteDatabase
from shared.events import Recorded
from shared.projection import Projection, Projector, WorkedOn
from shared.store import EventStore
from shared.topics import topic_of

BATCH = 2000
_PAGE = 5000
# Bookkeeping of consumers, shared by all read models of a database; not a fold of events.
_BOOKKEEPING = {"checkpoints", "shapes", "parked"}
# Over Kafka the live side follows several partitions; it is given this long to reach our position.
_ROUNDS, _ROUND_SECONDS = 40, 0.5

Progress = Callable[[int, int], None]
"""Given how many positions are done and how many there are."""


class Table(NamedTuple):
    """A read model's table with its columns and those of its primary key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


class Difference(NamedTuple):
    """The first row in which the live and the rebuilt read model differ."""

    table: str
    key: str
    live: str
    rebuilt: str


class Rebuilt(NamedTuple):
    """A rebuilt read model: how much went in, what came out, and whether it equals the live one.

    ``state_hash`` is the SHA-256 (hex) over all rows in key order; ``difference`` is None when
    nothing differed, or nothing was compared.
    """

    name: str
    events: int
    rows: int
    state_hash: str
    difference: Difference | None


class Rebuild:
    """One read model on its way from the first event to a position."""

    def __init__(self, projection: Projection, database: Database) -> None:
        """Fold ``projection`` into the fresh ``database``."""
        self.projection = projection
        self.database = database
        self.position = 0
        self.events = 0
        self._projector = Projector(projection, database)

    async def prepare(self) -> None:
        """Create the empty tables."""
        await self._projector.prepare()

    async def until(self, store: EventStore, end: int, progress: Progress) -> None:
        """Fold every event up to position ``end``."""
        while self.position < end:
            batch = await store.read_all(self.position, BATCH)
            batch = [recorded for recorded in batch if recorded.position <= end]
            if not batch:
                break
            wanted = [r for r in batch if _topic(r) in self.projection.topics]
            if wanted:
                await self._projector.project([Delivery("store", wanted)])
            self.position, self.events = batch[-1].position, self.events + len(wanted)
            progress(self.position, end)


async def rebuild(
    projection: Projection,
    live: Database,
    store: EventStore,
    folder: Path,
    *,
    check: bool,
    progress: Progress = lambda done, total: None,
) -> Rebuilt:
    """Rebuild ``projection`` as a file in ``folder``; with ``check``, compare it with ``live``."""
    fresh = SqliteDatabase(folder / f"{projection.name}.sqlite")
    work = Rebuild(projection, fresh)
    try:
        await work.prepare()
        tables = await _tables(fresh, projection)
        await work.until(store, await store.head(), progress)
        difference = await _compare(work, live, store, tables) if check else None
        digests = await fresh.transaction(lambda tx: _digests(tx, tables))
        total = hashlib.sha256(
            "".join(d for rows in digests.values() for d in rows.values()).encode()
        )
        count = sum(len(rows) for rows in digests.values())
        return Rebuilt(projection.name, work.events, count, total.hexdigest(), difference)
    finally:
        await fresh.close()


async def _compare(
    work: Rebuild, live: Database, store: EventStore, tables: Sequence[Table]
) -> Difference | None:
    difference: Difference | None = None
    for _ in range(_ROUNDS):
        positions, theirs = await live.transaction(
            lambda tx: (_positions(tx, work.projection.name), _digests(tx, tables))
        )
        if set(positions) == {"store"}:
            # One ordered source: the live side is exactly at this position.
            await work.until(store, max(positions["store"], work.position), _silent)
        else:
            await work.until(store, await store.head(), _silent)
        reached, ours = await work.database.transaction(
            lambda tx: (_positions(tx, work.projection.name), _digests(tx, tables))
        )
        difference = _first_difference(theirs, ours)
        if difference is None or reached == positions:
            # The very same events went into both: waiting would change nothing.
            return difference
        await asyncio.sleep(_ROUND_SECONDS)
    return difference


def _silent(done: int, total: int) -> None:
    """Show nothing: the few events since the first pass take no time."""


def _topic(recorded: Recorded) -> str:
    return topic_of(recorded.stream).name


def _positions(tx: Transaction, consumer: str) -> dict[str, int]:
    sql = "SELECT source, position FROM checkpoints WHERE consumer = ?"
    return dict(tx.execute(sql, (consumer,)))


async def _tables(fresh: Database, projection: Projection) -> list[Table]:
    """Return the tables that the projection made, read from the fresh SQLite file.

    What others conclude from the facts is left out: the fold can't explain it.
    """
    concluded = projection.conclusions if isinstance(projection, WorkedOn) else {}
    names = await fresh.query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "ORDER BY name"
    )
    tables = []
    for (name,) in names:
        if name not in _BOOKKEEPING and concluded.get(name) != ():
            info = await fresh.query(f"SELECT name, pk FROM pragma_table_info('{name}')")
            key = sorted((pk, column) for column, pk in info if pk)
            left_out = concluded.get(name, ())
            columns = tuple(column for column, _ in info if column not in left_out)
            tables.append(Table(name, columns, tuple(column for _, column in key)))
    return tables


def _digests(tx: Transaction, tables: Sequence[Table]) -> dict[str, dict[str, str]]:
    """Return table -> key (JSON) -> digest of the row, in key order."""
    return {
        table.name: {
            _json(row[: len(table.key)]): hashlib.sha256(_json(row).encode()).hexdigest()
            for row in _rows(tx, table)
        }
        for table in tables
    }


def _rows(tx: Transaction, table: Table) -> Iterator[Row]:
    key, rest = table.key, [c for c in table.columns if c not in table.key]
    select = f"SELECT {', '.join((*key, *rest))} FROM {table.name}"
    order = f"ORDER BY {', '.join(key)} LIMIT {_PAGE}"
    after = f"WHERE ({', '.join(key)}) > ({', '.join('?' * len(key))})"
    page = tx.execute(f"{select} {order}")
    while page:
        yield from page
        page = tx.execute(f"{select} {after} {order}", page[-1][: len(key)])


def _json(row: Sequence[Any]) -> str:
    # SQLite has no booleans and gives blobs as bytes; both sides are brought to one form.
    plain = [int(v) if isinstance(v, bool) else v.hex() if isinstance(v, bytes) else v for v in row]
    return json.dumps(plain, ensure_ascii=False)


def _first_difference(
    live: dict[str, dict[str, str]], rebuilt: dict[str, dict[str, str]]
) -> Difference | None:
    for table, ours in rebuilt.items():
        theirs = live[table]
        for key in (*theirs, *ours):
            if theirs.get(key) != ours.get(key):
                return Difference(table, key, theirs.get(key, "none"), ours.get(key, "none"))
    return None
