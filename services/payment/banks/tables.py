"""A few tables of the service's own, created when they are first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.database import Database, Transaction
from shared.database.protocol import Params, Row

T = TypeVar("T")


class Tables:
    """A ``Database`` whose statements (``CREATE .. IF NOT EXISTS``) ran before anything else."""

    def __init__(self, database: Database, statements: Sequence[str]) -> None:
        """Create by ``statements`` at the first use, whoever comes first."""
        self._database = database
        self._statements = statements
        self._created = False

    async def transaction(self, work: Callable[[Transaction], T]) -> T:
        """See ``Database.transaction``."""
        await self._create()
        return await self._database.transaction(work)

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``Database.query``."""
        await self._create()
        return await self._database.query(sql, params)

    async def peek(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``Database.peek``."""
        await self._create()
        return await self._database.peek(sql, params)

    async def _create(self) -> None:
        if self._created:
            return

        def work(tx: Transaction) -> None:
            for statement in self._statements:
                tx.execute(statement)

        await self._database.transaction(work)
        self._created = True
