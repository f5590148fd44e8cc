"""Connections to PostgreSQL that come back after the server went away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, sql

from shared.errors import JejakError, StoreFull, Unavailable

T = TypeVar("T")
CONNECT_SECONDS = 5
# A server takes a hundred in all, from every process: who reads much at once waits for a turn.
CONNECTIONS = 8
Connection = AsyncConnection[tuple[Any, ...]]


def meaning(error: psycopg.Error) -> JejakError | psycopg.Error:
    """Return what a failure means: full, away for a while, or a defect of ours (itself)."""
    if isinstance(error, psycopg.errors.DiskFull):
        return StoreFull()
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unavailable()
    return error


async def connect(dsn: str, schema: str) -> Connection:
    """Return an autocommit connection whose tables are in ``schema``; every commit is durable."""
    connection = await AsyncConnection.connect(
        dsn, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="jejak"
    )
    await connection.execute(
        sql.SQL("SET search_path = {}; SET synchronous_commit = on").format(sql.Identifier(schema))
    )
    return connection


class Link:
    """A few connections (``CONNECTIONS``), opened when needed and thrown away when broken."""

    def __init__(self, dsn: str, schema: str, prepare: Callable[[Connection], Awaitable[None]]):
        """Connect to ``dsn``; ``prepare`` creates the tables, once, over the first connection."""
        self._dsn = dsn
        self._schema = schema
        self._prepare = prepare
        self._prepared = False
        self._idle: list[Connection] = []
        self._room = asyncio.Semaphore(CONNECTIONS)

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Return what ``work`` returns; run it once more when an idle connection turns out broken.

        So ``work`` must be harmless to repeat. Raises Unavailable and StoreFull.
        """
        async with self._room:
            for _ in range(2):
                reused = bool(self._idle)
                try:
                    async with self.lend() as connection:
                        return await work(connection)
                except Unavailable:
                    if not reused:
                        raise
                    # A restarted server breaks all of them at once.
                    await self.close()
        raise Unavailable

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """Lend a connection for a while."""
        connection: Connection | None = None
        try:
            connection = self._idle.pop() if self._idle else await self._open()
            yield connection
        except psycopg.Error as error:
            raise meaning(error) from error
        finally:
            if connection is not None:
                if connection.closed or connection.broken or connection.info.transaction_status:
                    await connection.close()
                else:
                    self._idle.append(connection)

    async def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.pop().close()

    async def _open(self) -> Connection:
        connection = await connect(self._dsn, self._schema)
        if not self._prepared:
            await self._prepare(connection)
            self._prepared = True
        return connection
