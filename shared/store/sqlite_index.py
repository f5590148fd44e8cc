"""The indexes of a SQLite log, brought up to date in steps that hold nobody up for long.

A merge is prepared beside the appends: what is new is sorted into tables of this connection's own.
Then it goes into the indexes a slice at a time, each slice a short transaction. Sorted, the new
entries meet each page of an index once, so a few large merges write far less than many small ones.

A merge that was cut short by a crash is begun again: an entry that is there already stays, and
``indexed.upto`` moves only with the last slice. Until then everything is found in the tail too.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from shared.errors import Defect
from shared.store.sqlite_file import INDEXED, connect, limit_pages, meaning, write_meaning
from shared.store.sqlite_schema import ID_TAIL

_TABLES = (
    "CREATE TEMP TABLE new_names (stream TEXT, first INTEGER)",
    "CREATE INDEX temp.new_names_by_stream ON new_names (stream, first)",
    "CREATE TEMP TABLE new_streams (first INTEGER, version INTEGER, position INTEGER)",
    "CREATE TEMP TABLE new_ids (tail TEXT, position INTEGER)",
)
_EMPTY = (
    "DELETE FROM temp.new_names",
    "DELETE FROM temp.new_streams",
    "DELETE FROM temp.new_ids",
)
_SORT = (
    "INSERT INTO temp.new_names SELECT stream, position FROM events "
    "WHERE position > ?1 AND position <= ?2 AND version = 1 ORDER BY stream",
    "INSERT INTO temp.new_streams SELECT coalesce("
    "(SELECT first FROM names n WHERE n.stream = e.stream), "
    "(SELECT first FROM temp.new_names n WHERE n.stream = e.stream)), version, position "
    "FROM events e WHERE position > ?1 AND position <= ?2 ORDER BY 1, 2",
    f"INSERT INTO temp.new_ids SELECT {ID_TAIL.format('event_id')}, position FROM events "
    "WHERE position > ?1 AND position <= ?2 ORDER BY 1, 2",
)
# An entry that says something else than the one that is there would be two events at one place:
# no position is allowed to be NULL, so that statement fails.
_MERGE = (
    "INSERT INTO names SELECT stream, first FROM temp.new_names "
    "WHERE rowid > ? AND rowid <= ? ORDER BY rowid ON CONFLICT (stream) "
    "DO UPDATE SET first = NULL WHERE first <> excluded.first",
    "INSERT INTO streams SELECT first, version, position FROM temp.new_streams "
    "WHERE rowid > ? AND rowid <= ? ORDER BY rowid ON CONFLICT (first, version) "
    "DO UPDATE SET position = NULL WHERE position <> excluded.position",
    "INSERT INTO ids SELECT tail, position FROM temp.new_ids "
    "WHERE rowid > ? AND rowid <= ? ORDER BY rowid ON CONFLICT DO NOTHING",
)
# How often a checkpoint goes after what was appended meanwhile, and what it leaves in the end.
_ROUNDS = 4
_FEW_PAGES = 32
# Pages that a merge comes back to stay in memory: 16 MiB.
_CACHE = "PRAGMA cache_size = -16384"


class SqliteIndex:
    """Merges and checkpoints over a connection of its own; its calls run in a thread, one by one.

    All of them raise Busy, WriteFailed, StoreFull and Unavailable.
    """

    def __init__(self, path: Path, max_bytes: int | None = None) -> None:
        """Open the indexes of the log in ``path``. Raises Unavailable, StoreFull, Defect."""
        try:
            self._connection = connect(path)
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA wal_autocheckpoint = 0")
            self._connection.execute("PRAGMA temp_store = MEMORY")
            # What a merge writes follows from the log and need not be durable by itself: it becomes
            # so with the next append's fsync, or is lost with ``indexed.upto`` and merged again.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_CACHE)
            limit_pages(self._connection, max_bytes)
            for statement in _TABLES:
                self._connection.execute(statement)
        except sqlite3.Error as error:
            raise meaning(error) from error
        self._upto = 0
        # How many entries each index gets, and how many of all together they have got.
        self._counts: list[int] = []
        self._done = 0

    def prepare(self, upto: int) -> None:
        """Sort what the indexes lack up to position ``upto``; appends go on meanwhile."""
        try:
            for statement in _EMPTY:
                self._connection.execute(statement)
            indexed = self._connection.execute(INDEXED).fetchone()[0]
            self._counts = [
                self._connection.execute(statement, (indexed, upto)).rowcount for statement in _SORT
            ]
        except sqlite3.Error as error:
            raise write_meaning(error) from error
        self._upto, self._done = upto, 0

    def step(self, entries: int) -> bool:
        """Merge up to ``entries`` of what is prepared; say whether that was the last of it.

        Raises Defect when two events are at one place.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                ended = self._merge(entries)
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        except sqlite3.IntegrityError as error:
            raise Defect from error
        except sqlite3.Error as error:
            raise write_meaning(error) from error
        self._done += entries
        return ended

    def _merge(self, entries: int) -> bool:
        if self._connection.execute(INDEXED).fetchone()[0] >= self._upto:
            # Another process was faster.
            return True
        upto, before = self._done + entries, 0
        for count, statement in zip(self._counts, _MERGE, strict=True):
            slice = max(0, self._done - before), min(count, upto - before)
            if slice[0] < slice[1]:
                self._connection.execute(statement, slice)
            before += count
        if upto < before:
            return False
        self._connection.execute("UPDATE indexed SET upto = ?", (self._upto,))
        return True

    def checkpoint_most(self) -> None:
        """Carry almost all that the write-ahead log holds into the file while others append.

        Round by round what came in meanwhile, so that ``checkpoint`` finds little to do.
        """
        for _ in range(_ROUNDS):
            if self.checkpoint() <= _FEW_PAGES:
                break

    def checkpoint(self) -> int:
        """Carry what the write-ahead log holds into the file, so that its space is used again.

        Return how many pages are left, because somebody appended meanwhile.
        """
        try:
            sql = "PRAGMA wal_checkpoint(PASSIVE)"
            _, pages, carried = self._connection.execute(sql).fetchone()
        except sqlite3.Error as error:
            raise write_meaning(error) from error
        return int(pages) - int(carried)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
