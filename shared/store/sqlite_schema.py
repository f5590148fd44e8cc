"""The tables of a SQLite log, and how a file of an older format becomes one of this.

``events`` is the log. The rest are its indexes, which follow from it and may lag behind:

- ``names``: which stream began where. A stream goes by the position of its first event from there
  on, so that streams that began about the same time stand side by side in ``streams``: a storm that
  touches a hundred thousand of them writes a few hundred pages. By name, which ends in a random id,
  it wrote nearly every page of the index with every merge.
- ``streams``: where the versions of each stream are.
- ``ids``: where an event id is, by the last characters of it. That is short, and as good as the
  whole: who looks one up reads the event, and sees whether it is the one.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from shared.telemetry import log

FORMAT: Final = 2
# The part of an event id that ``ids`` holds: of ten million events one in four hundred shares it
# with another.
ID_TAIL: Final = "substr({}, -8)"
_EVENTS: Final = """
    CREATE TABLE IF NOT EXISTS events (
        position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL,
        event_id TEXT NOT NULL, type TEXT NOT NULL, schema_version INTEGER NOT NULL,
        data BLOB NOT NULL, occurred_us INTEGER NOT NULL, recorded_us INTEGER NOT NULL,
        actor TEXT NOT NULL, cause_id TEXT NOT NULL, correlation_id TEXT NOT NULL
    )
    """
_INDEXES: Final = (
    """
    CREATE TABLE names (
        stream TEXT NOT NULL PRIMARY KEY, first INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE streams (
        first INTEGER NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (first, version)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE ids (
        tail TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (tail, position)
    ) WITHOUT ROWID
    """,
)
_INDEXED: Final = (
    "CREATE TABLE IF NOT EXISTS indexed (one INTEGER PRIMARY KEY, upto INTEGER NOT NULL)",
    "INSERT INTO indexed (one, upto) VALUES (1, 0) ON CONFLICT DO NOTHING",
)
_UPTO: Final = "position <= (SELECT upto FROM indexed)"
_FILL: Final = (
    "INSERT INTO names SELECT stream, position FROM events "
    f"WHERE version = 1 AND {_UPTO} ORDER BY 1",
    "INSERT INTO streams SELECT n.first, e.version, e.position FROM events e "
    f"JOIN names n ON n.stream = e.stream WHERE e.{_UPTO} ORDER BY 1, 2",
    f"INSERT INTO ids SELECT {ID_TAIL.format('event_id')}, position FROM events WHERE {_UPTO} "
    "ORDER BY 1, 2",
)


def make_tables(connection: sqlite3.Connection, found: int) -> None:
    """Bring a file of format ``found`` (0: a new one) to ``FORMAT``, in one transaction.

    Another process may do so at the same time: whoever comes second finds it done.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        ours = version(connection) == found
        if ours:
            _make(connection, found)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if ours and found:
        log.info("store_indexes_rebuilt", format=FORMAT)


def version(connection: sqlite3.Connection) -> int:
    """Return the format of a file; 0 is a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _make(connection: sqlite3.Connection, found: int) -> None:
    if found:
        # The log stays as it is. What was merged of it is merged anew: three seconds a million.
        log.info("store_indexes_rebuilding", format=found)
        connection.execute("DROP TABLE streams")
        connection.execute("DROP TABLE ids")
    for statement in (_EVENTS, *_INDEXES, *_INDEXED, *(_FILL if found else ())):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {FORMAT}")
