"""The seam for what can be rebuilt or is local to one service: read models, inboxes, checkpoints.

SQL is the common subset of SQLite and PostgreSQL with ``?`` placeholders (``ON CONFLICT .. DO
UPDATE``, ``RETURNING``); a literal question mark is not allowed. Work in a transaction is
synchronous and runs in a thread of its own, so a slow statement never holds up the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]
Params = Sequence[Any]


class Transaction(Protocol):
    """One open transaction; everything done through it commits together or not at all."""

    def execute(self, sql: str, params: Params = ()) -> list[Row]:
        """Run one statement and return its rows (empty when it has none)."""
        ...

    def executemany(self, sql: str, params: Iterable[Params]) -> None:
        """Run one statement for many parameter rows."""
        ...


class Database(Protocol):
    """One service's own tables. Every adapter passes ``tests/contract/test_database.py``."""

    async def transaction(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction and return its result; roll back when it raises.

        Raises Unavailable when the database does not answer.
        """
        ...

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        """Return the rows of a read-only statement, beside any running transaction."""
        ...

    async def peek(self, sql: str, params: Params = ()) -> list[Row]:
        """Like ``query``, for a statement that reads a few rows from an index and no more.

        Where that takes less than the way to a thread and back, it is run at once.
        """
        ...

    def beside(self, name: str) -> Database:
        """Return a place for more tables of the service, whose transactions wait for none of these.

        The same name is always the same place. It is closed with this one. A table of one is not to
        be looked for in the other.
        """
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...
