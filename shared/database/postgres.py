"""A service's own tables in a schema of a PostgreSQL database.

Transactions run one at a time in a thread, as they do in SQLite: work that was written for one
writer stays right. Queries have a connection and a thread of their own beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from shared.database.protocol import Params, Row, Transaction
from shared.errors import StoreFull, Unavailable
from shared.postgres_link import CONNECT_SECONDS, meaning

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

# Tables can be made by several processes at once; IF NOT EXISTS alone is not enough for that.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_LOCK_TABLES = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0))"
_TRIES = 3


class PostgresDatabase:
    """A ``Database`` in ``schema`` of the database at ``dsn``.

    Connects when it is first used, and again after the server was away.
    """

    def __init__(self, dsn: str, schema: str) -> None:
        """Name the database (libpq keywords or a URL) and the schema, which is created."""
        self._write = _Thread(dsn, schema, f"{schema}-write")
        self._read = _Thread(dsn, schema, f"{schema}-read")
        self._closed = False
        self._place = (dsn, schema)
        self._beside: dict[str, PostgresDatabase] = {}

    async def transaction(self, work: Callable[[Transaction], T]) -> T:
        """See ``Database.transaction``.

        ``work`` is run again when the connection was lost on the way or another process's
        transaction was in it: it is a function of the transaction alone, and nothing of the first
        run remains. When the connection is lost at the commit, nobody knows, so it is not.
        """

        def attempt(connection: Connection) -> T:
            finished = False
            try:
                with connection.transaction():
                    result = work(_PostgresTransaction(connection))
                    finished = True
            except psycopg.OperationalError as error:
                if finished and connection.closed:
                    raise Unavailable from error
                raise
            return result

        return await self._run(self._write, attempt)

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``Database.query``."""
        return await self._run(self._read, lambda connection: _execute(connection, sql, params))

    async def peek(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``Database.peek``; the way to the server is the same for every statement."""
        return await self.query(sql, params)

    def beside(self, name: str) -> PostgresDatabase:
        """See ``Database.beside``: connections of its own to the same schema."""
        if name not in self._beside:
            self._beside[name] = PostgresDatabase(*self._place)
        return self._beside[name]

    async def close(self) -> None:
        """Finish what is running and close the connections."""
        if self._closed:
            return
        self._closed = True
        for one in self._beside.values():
            await one.close()
        loop = asyncio.get_running_loop()
        for thread in (self._read, self._write):
            await loop.run_in_executor(thread.executor, thread.drop)
            thread.executor.shutdown()

    async def _run(self, thread: _Thread, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise Unavailable
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(thread.executor, thread.run, work)


class _Thread:
    """One connection, used by one thread only; thrown away when broken."""

    def __init__(self, dsn: str, schema: str, name: str) -> None:
        self.executor: Executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._dsn = dsn
        self._schema = schema
        self._connection: Connection | None = None

    def run(self, work: Callable[[Connection], T]) -> T:
        """Return what ``work`` returns. Raises Unavailable and StoreFull."""
        for _ in range(_TRIES):
            fresh = self._connection is None
            try:
                return work(self._connected())
            except psycopg.errors.TransactionRollback:
                # A deadlock or a serialisation failure with another process.
                continue
            except psycopg.Error as error:
                what = meaning(error)
                if not isinstance(what, Unavailable):
                    raise
                self.drop()
                if fresh or isinstance(what, StoreFull):
                    raise what from error
        raise Unavailable

    def drop(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name=f"jejak {self._schema}",
            )
            name = sql.Identifier(self._schema)
            with self._connection.transaction():
                self._connection.execute(_LOCK, (self._schema,))
                self._connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
            self._connection.execute(sql.SQL("SET search_path = {}").format(name))
        return self._connection


class _PostgresTransaction:
    """What work may do in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Params = ()) -> list[Row]:
        if sql.lstrip().startswith("CREATE"):
            _execute(self._connection, _LOCK_TABLES, ())
        return _execute(self._connection, sql, params)

    def executemany(self, sql: str, params: Iterable[Params]) -> None:
        self._connection.cursor().executemany(_translated(sql), params)


def _execute(connection: Connection, sql: str, params: Params) -> list[Row]:
    cursor = connection.execute(_translated(sql), params)
    return cursor.fetchall() if cursor.description else []


@lru_cache(maxsize=1024)
def _translated(sql: str) -> str:
    """Return ``sql`` with psycopg's placeholders."""
    return sql.replace("%", "%%").replace("?", "%s")
