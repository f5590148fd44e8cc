"""The event log as a SQLite file: the statements, and what SQLite's errors mean.

The log (``events``) is only ever appended to, and its primary key, the dense position, is its one
constraint. That key is a compare-and-swap on the whole log: a process decides from everything up to
position ``n`` and inserts at ``n + 1``. If that succeeds, nobody appended in between and what was
decided is true; if it fails, the process reads what came in between and decides again. So any
number of processes may append, and no other index has to be kept up in the same commit.

The indexes by stream and by event id lag behind on purpose, and are brought up to date thousands of
events at a time (``sqlite_index``): kept up with every commit, they cost 16-25 µs an event (each
touches a page of its own, which is copied, summed and checkpointed), merged in bulk 2-4 µs. What
they do not hold yet is in every process's memory (``Tail``); ``indexed.upto`` says where that
begins.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from shared.errors import BadConfiguration, Defect, JejakError, StoreFull, Unavailable
from shared.events import Recorded
from shared.store.sqlite_schema import FORMAT, ID_TAIL, make_tables, version

_COLUMNS = ", ".join(f"e.{name}" for name in Recorded._fields)
_RANGE = f"SELECT {_COLUMNS} FROM events e WHERE position > ? AND position <= ? ORDER BY position"
# CROSS JOIN: one probe after the other, in this order.
_STREAM = (
    f"SELECT {_COLUMNS} FROM names n CROSS JOIN streams s ON s.first = n.first "
    "CROSS JOIN events e ON e.position = s.position "
    "WHERE n.stream = ? AND s.version > ? AND s.version < ? ORDER BY s.version LIMIT ?"
)
INDEXED = "SELECT upto FROM indexed"
_VERSIONS = (
    "SELECT value, (SELECT max(version) FROM streams WHERE first = "
    "(SELECT first FROM names WHERE stream = value)) FROM json_each(?)"
)
_KNOWN = (
    f"SELECT {_COLUMNS} FROM json_each(?) j "
    f"CROSS JOIN ids i ON i.tail = {ID_TAIL.format('j.value')} "
    "CROSS JOIN events e ON e.position = i.position AND e.event_id = j.value"
)
# One statement inserts up to this many rows, and is its own transaction: beside a busy loop every
# further statement would cost a hand-over of the interpreter's lock.
_ROWS = 64
PAGE = 4096
_FOREVER = 1 << 62
# The pages of the indexes that one group after the other looks into: 32 MiB.
_CACHE = "PRAGMA cache_size = -65536"


class SomebodyAppended(Exception):
    """The position is taken: read what came in between and decide again."""


class Busy(Exception):
    """Another process is committing right now."""


class WriteFailed(Exception):
    """The disk failed a write or an fsync: what is durable is unknown, so the process must end."""


class SqliteFile:
    """The statements of the log over a ``writer`` and a ``reader`` connection to ``path``.

    The writer's calls may run in a thread (one at a time), the reader's beside them.
    """

    def __init__(self, path: Path, max_bytes: int | None = None) -> None:
        """Open or create the file, which is full at ``max_bytes`` (None: when the disk is).

        Raises Unavailable, StoreFull, Defect (not such a file), BadConfiguration (a newer one).
        """
        try:
            self._writer = connect(path)
            self._prepare(path)
            self._reader = connect(path)
            # Never wait inside SQLite: the caller waits without holding up its loop.
            self._writer.execute("PRAGMA busy_timeout = 0")
            # Checkpoints are taken beside the appends, not in the middle of one.
            self._writer.execute("PRAGMA wal_autocheckpoint = 0")
            self._writer.execute(_CACHE)
            limit_pages(self._writer, max_bytes)
        except sqlite3.Error as error:
            raise meaning(error) from error

    def _prepare(self, path: Path) -> None:
        self._writer.execute(f"PRAGMA page_size = {PAGE}")
        self._writer.execute("PRAGMA journal_mode = WAL")
        found = version(self._writer)
        if found > FORMAT:
            raise BadConfiguration(file=path.name, reason=f"it has the newer format {found}")
        if found < FORMAT:
            make_tables(self._writer, found)

    def insert(self, rows: Sequence[Recorded]) -> None:
        """Make ``rows`` durable, all or none.

        Raises SomebodyAppended, Busy, WriteFailed, StoreFull, Unavailable.
        """
        try:
            if len(rows) <= _ROWS:
                self._writer.execute(_insert(len(rows)), list(chain.from_iterable(rows)))
            else:
                self._insert_many(rows)
        except sqlite3.IntegrityError as error:
            raise SomebodyAppended from error
        except sqlite3.Error as error:
            raise write_meaning(error) from error

    def _insert_many(self, rows: Sequence[Recorded]) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(rows), _ROWS):
                part = rows[start : start + _ROWS]
                self._writer.execute(_insert(len(part)), list(chain.from_iterable(part)))
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    def changes(self) -> int:
        """Return a number that differs once another connection has committed."""
        return int(self._fetch("PRAGMA data_version")[0][0])

    def indexed(self) -> int:
        """Return the position up to which the indexes hold everything."""
        return int(self._fetch(INDEXED)[0][0])

    def range(self, after: int, upto: int = _FOREVER) -> list[Recorded]:
        """Return the events above ``after`` up to and including ``upto``, in order."""
        return list(map(Recorded._make, self._fetch(_RANGE, (after, upto))))

    def stream(self, name: str, after: int, below: int | None, limit: int) -> list[Recorded]:
        """Return up to ``limit`` indexed events of a stream with ``after < version < below``."""
        found = self._fetch(_STREAM, (name, after, below or _FOREVER, limit))
        return list(map(Recorded._make, found))

    def versions(self, streams: Sequence[str]) -> dict[str, int]:
        """Return the last indexed version of each stream, 0 where there is none."""
        found = self._look_up(_VERSIONS, streams)
        return {stream: version or 0 for stream, version in found}

    def known(self, ids: Sequence[str]) -> list[Recorded]:
        """Return the indexed events that have one of ``ids``."""
        return list(map(Recorded._make, self._look_up(_KNOWN, ids)))

    def _look_up(self, sql: str, keys: Sequence[str]) -> list[Any]:
        """Ask the indexes for what a group of appends is judged by, before it is inserted.

        Over the writer: every commit of another connection empties a connection's cache, and to
        the reader each group is one. So the pages that the next group asks for are still here.
        Raises Busy too, for the writer waits for nobody.
        """
        try:
            return self._writer.execute(sql, (json.dumps(keys),)).fetchall()
        except sqlite3.Error as error:
            raise (Busy() if _code(error) == sqlite3.SQLITE_BUSY else meaning(error)) from error

    def _fetch(self, sql: str, params: Sequence[object] = ()) -> list[Any]:
        try:
            return self._reader.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise meaning(error) from error

    def close(self) -> None:
        """Close both connections; the last one in any process checkpoints the file."""
        self._reader.close()
        self._writer.close()


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection whose commits are durable, for any one thread at a time."""
    connection = sqlite3.connect(
        path, timeout=10, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def limit_pages(connection: sqlite3.Connection, max_bytes: int | None) -> None:
    """Let the file be full at ``max_bytes`` for what this connection writes."""
    if max_bytes is not None:
        connection.execute(f"PRAGMA max_page_count = {max_bytes // PAGE}")


@cache
def _insert(rows: int) -> str:
    marks = "(" + ", ".join("?" * len(Recorded._fields)) + ")"
    return f"INSERT INTO events VALUES {', '.join([marks] * rows)}"


def meaning(error: sqlite3.Error) -> JejakError:
    """Return what a failed read or open means to a caller."""
    if _code(error) == sqlite3.SQLITE_FULL or _no_room_for_shared_memory(error):
        return StoreFull()
    if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Defect()
    return Unavailable()


def write_meaning(error: sqlite3.Error) -> Exception:
    """Return what a failed write means: try again, make room, or end the process."""
    code = _code(error)
    if code == sqlite3.SQLITE_BUSY:
        return Busy()
    if _no_room_for_shared_memory(error):
        return StoreFull()
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT):
        return WriteFailed(error.sqlite_errorname)
    return meaning(error)


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary code; the upper bytes only say where it happened."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _no_room_for_shared_memory(error: sqlite3.Error) -> bool:
    """Whether the WAL's index could not grow: a full disk too, and nothing was written yet."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHMSIZE
