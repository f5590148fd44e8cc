"""Request keys: the same key with another request is a mistake that is named, not a new command.

What a key did is known from the event store (the cause); here is only what it asked for.
"""

from __future__ import annotations

from datetime import datetime

from shared.database import Database, Transaction
from shared.errors import KeyReused
from shared.events import to_micros

_TABLE = """
CREATE TABLE IF NOT EXISTS requests (
    cause_id TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, at_us BIGINT NOT NULL
)
"""


class Requests:
    """What was asked under each key, by digest."""

    def __init__(self, database: Database) -> None:
        """Keep them in ``database``."""
        self._database = database
        self._prepared = False

    async def check(self, cause_id: str, digest: str, at: datetime) -> None:
        """Remember a request. Raises KeyReused when its key came with another one before."""
        if not self._prepared:
            await self._database.transaction(lambda tx: tx.execute(_TABLE))
            self._prepared = True
        known = await self._database.transaction(
            lambda tx: _remember(tx, (cause_id, digest, to_micros(at)))
        )
        if known != digest:
            raise KeyReused


def _remember(tx: Transaction, row: tuple[str, str, int]) -> str:
    tx.execute(
        "INSERT INTO requests (cause_id, digest, at_us) VALUES (?, ?, ?) "
        "ON CONFLICT (cause_id) DO NOTHING",
        row,
    )
    return str(tx.execute("SELECT digest FROM requests WHERE cause_id = ?", row[:1])[0][0])
