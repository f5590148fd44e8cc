"""A service's own tables in one SQLite file.

One writer thread, and a reader beside it: a query sees what was committed, never what a running
transaction has half done. ``synchronous=NORMAL``: a power cut may lose the last transactions, which
are rebuilt from the events; a crash of the process loses nothing.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from shared.database.protocol import Params, Row, Transaction
from shared.errors import Defect, JejakError, StoreFull, Unavailable

T = TypeVar("T")

# How long a transaction waits for another process that is writing to the same file.
BUSY_SECONDS = 10.0
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG)
_AWAY = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
)


class SqliteDatabase:
    """A ``Database`` in the file ``path``."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises Unavailable, StoreFull, Defect."""
        self._write = ThreadPoolExecutor(1, thread_name_prefix=f"{path.stem}-write")
        self._read = ThreadPoolExecutor(1, thread_name_prefix=f"{path.stem}-read")
        self._closed = False
        self._path = path
        self._beside: dict[str, SqliteDatabase] = {}
        try:
            self._writer = _connect(path)
            self._reader = _connect(path)
            self._reader.execute("PRAGMA query_only = ON")
            self._peeker = _connect(path)
            self._peeker.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise _meaning(error) from error

    async def transaction(self, work: Callable[[Transaction], T]) -> T:
        """See ``Database.transaction``."""
        return await self._run(self._write, lambda: self._transact(work))

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``Database.query``."""
        return await self._run(self._read, lambda: self._reader.execute(sql, params).fetchall())

    async def peek(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``Database.peek``; runs in the loop, for a thread and back cost ten times as much."""
        if self._closed:
            raise Unavailable
        try:
            return self._peeker.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise _meaning(error) from error

    def beside(self, name: str) -> SqliteDatabase:
        """See ``Database.beside``: a file of its own, for a file has one writer at a time."""
        if name not in self._beside:
            path = self._path.with_stem(f"{self._path.stem}-{name}")
            self._beside[name] = SqliteDatabase(path)
        return self._beside[name]

    async def close(self) -> None:
        """Finish what is running and close the file."""
        if self._closed:
            return
        self._closed = True
        for one in self._beside.values():
            await one.close()
        loop = asyncio.get_running_loop()
        self._peeker.close()
        await loop.run_in_executor(self._read, self._reader.close)
        await loop.run_in_executor(self._write, self._writer.close)
        self._read.shutdown()
        self._write.shutdown()

    async def _run(self, thread: Executor, work: Callable[[], T]) -> T:
        if self._closed:
            raise Unavailable
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except sqlite3.Error as error:
            raise _meaning(error) from error

    def _transact(self, work: Callable[[Transaction], T]) -> T:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            result = work(_SqliteTransaction(self._writer))
            self._writer.execute("COMMIT")
        except BaseException:
            # A full disk may have rolled it back already.
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return result


class _SqliteTransaction:
    """What work may do in a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Params = ()) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()

    def executemany(self, sql: str, params: Iterable[Params]) -> None:
        if (insert := _INSERT.fullmatch(sql)) is None:
            self._connection.executemany(sql, params)
            return
        rows = iter(params)
        while part := list(islice(rows, _ROWS)):
            self._connection.execute(_widened(insert, len(part)), list(chain.from_iterable(part)))


# A thread hands the interpreter's lock over at every row that a statement is run for. Beside a busy
# loop it may get it back only after 5 ms each time: 1000 rows took 4 ms mostly, and up to 19 s. So
# many rows go into one statement.
_ROWS = 50
_INSERT = re.compile(r"(\s*INSERT\s[^?]*\sVALUES\s*)(\([\s?,]+\))([^?]*)", re.IGNORECASE)


@lru_cache(maxsize=256)
def _wide(begin: str, marks: str, end: str, rows: int) -> str:
    return begin + ", ".join([marks] * rows) + end


def _widened(insert: re.Match[str], rows: int) -> str:
    """Return the statement that inserts so many rows at once."""
    begin, marks, end = insert.groups()
    return _wide(begin, marks, end, rows)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _meaning(error: sqlite3.Error) -> JejakError | sqlite3.Error:
    """Return what a failure means: full, away, broken, or a mistake of the caller's (itself)."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FULL:
        return StoreFull()
    if code in _AWAY:
        return Unavailable()
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Defect()
    return error
