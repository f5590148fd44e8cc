"""The event store in PostgreSQL, with group commit per process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import psycopg
from psycopg import sql

from shared.errors import Unavailable
from shared.events import NewEvent, Recorded
from shared.postgres_link import Connection, Link, connect
from shared.store import postgres_schema as statements
from shared.store.grouping import AnyAppend, Result, plan
from shared.store.limits import Limits
from shared.store.protocol import ANY, Batch
from shared.store.waking import AWAY_SECONDS, News, follow
from shared.store.writer import GroupWriter

DEFAULTS = Limits()
# A lost notification is healed by looking again this often.
POLL_SECONDS = 1.0


class PostgresStore:
    """An ``EventStore`` in a PostgreSQL schema; any number of processes may use it.

    Connects when it is first used, and again after the server was away.
    """

    def __init__(self, dsn: str, schema: str = "jejak", limits: Limits = DEFAULTS) -> None:
        """Name the database (libpq keywords or a URL) and the schema, which is created."""
        self._dsn = dsn
        self._schema = schema
        # The same name for every process: the advisory lock's and the notification channel's.
        self._name = f"{schema}.events"
        self._link = Link(dsn, schema, self._create)
        self._writer = GroupWriter(self._commit, limits)
        self._news = News()
        self._listener: asyncio.Task[None] | None = None

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        """See ``EventStore.append``."""
        return await self._writer.append(stream, events, expected)

    async def append_many(self, batches: Sequence[Batch]) -> list[Result]:
        """See ``EventStore.append_many``."""
        return await self._writer.append_many(batches)

    async def read_stream(self, stream: str, after: int = 0) -> list[Recorded]:
        """See ``EventStore.read_stream``."""
        return await self._read(statements.READ_STREAM, (stream, after))

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[Recorded]:
        """See ``EventStore.read_all``."""
        return await self._read(statements.READ_ALL, (after, limit))

    async def head(self) -> int:
        """See ``EventStore.head``."""

        async def work(connection: Connection) -> int:
            row = await (await connection.execute(statements.HEAD)).fetchone()
            return int(row[0]) if row else 0

        return await self._link.run(work)

    def follow(self, after: int = 0, limit: int = 1000) -> AsyncIterator[list[Recorded]]:
        """See ``EventStore.follow``; ends when the store is closed."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        return follow(self.read_all, self._news, after, limit, POLL_SECONDS)

    async def close(self) -> None:
        """Finish what was accepted, end the followers, close the connections."""
        await self._writer.close()
        self._news.end()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._link.close()

    async def _create(self, connection: Connection) -> None:
        async with connection.transaction():
            # Even IF NOT EXISTS fails when two processes create at once.
            await connection.execute(statements.LOCK, (self._name,))
            create = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self._schema))
            await connection.execute(create)
            await connection.execute(statements.SCHEMA)

    async def _read(self, statement: str, params: Sequence[object]) -> list[Recorded]:
        async def work(connection: Connection) -> list[Recorded]:
            cursor = connection.cursor(binary=True)
            await cursor.execute(statement, params)
            return list(map(Recorded._make, await cursor.fetchall()))

        if self._news.ended:
            raise Unavailable
        return await self._link.run(work)

    async def _commit(self, group: Sequence[AnyAppend]) -> list[Result]:
        # Harmless to repeat after a lost connection: what was recorded is known by its ids.
        results = await self._link.run(lambda connection: self._write(connection, group))
        self._news.tell()
        return results

    async def _write(self, connection: Connection, group: Sequence[AnyAppend]) -> list[Result]:
        """Judge and write one group under the lock, in two round trips."""
        ids = [event.event_id for append in group for event in append.events]
        streams = list({append.stream for append in group})
        async with connection.pipeline(), connection.transaction():
            await connection.execute(statements.LOCK, (self._name,))
            now = await connection.execute(statements.NOW)
            versions = await connection.execute(statements.VERSIONS, (streams,))
            known = await connection.cursor(binary=True).execute(statements.KNOWN, (ids,))
            head, recorded_us = (await now.fetchall())[0]
            found = map(Recorded._make, await known.fetchall())
            rows, results = plan(
                group,
                head,
                recorded_us,
                dict(await versions.fetchall()),
                {old.event_id: old for old in found},
            )
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                await connection.execute(statements.INSERT, columns)
                await connection.execute(statements.NOTIFY, (self._name,))
        return results

    async def _listen(self) -> None:
        """Turn notifications into news, for ever, over a connection of its own."""
        while True:
            try:
                connection = await connect(self._dsn, self._schema)
                async with connection:
                    await connection.execute(
                        sql.SQL("LISTEN {}").format(sql.Identifier(self._name))
                    )
                    # What came before LISTEN was heard by nobody.
                    self._news.tell()
                    async for _ in connection.notifies():
                        self._news.tell()
            except psycopg.Error:
                await asyncio.sleep(AWAY_SECONDS)
