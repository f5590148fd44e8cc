"""Parking: a poison event waits with its permit, everything else flows. Never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.database import Database, Transaction
from shared.errors import JejakError
from shared.events import Recorded
from shared.telemetry import PARKED, log

_TABLE = """
CREATE TABLE IF NOT EXISTS parked (
    consumer TEXT NOT NULL, application_id TEXT NOT NULL, position BIGINT NOT NULL,
    event_id TEXT NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (consumer, position)
)
"""


class Parked(NamedTuple):
    """One waiting event. ``reason`` is an error code, ``behind`` for one that waits its turn."""

    consumer: str
    application_id: str
    position: int
    event_id: str
    type: str
    reason: str


class Parking:
    """The parked events of one consumer (a projection or a reactor), in its own database."""

    def __init__(self, database: Database, consumer: str) -> None:
        """Park for ``consumer`` in ``database``."""
        self._database = database
        self._consumer = consumer

    async def prepare(self) -> None:
        """Create the table."""
        await self._database.transaction(lambda tx: tx.execute(_TABLE))

    def park(self, tx: Transaction, recorded: Recorded, error: Exception) -> None:
        """Set one event aside, in the transaction that moves the checkpoint past it."""
        reason = error.code if isinstance(error, JejakError) else type(error).__name__
        self._insert(tx, recorded, reason)
        log.error(
            "event_parked",
            consumer=self._consumer,
            event_id=recorded.event_id,
            type=recorded.type,
            correlation_id=recorded.correlation_id,
            reason=reason,
        )

    def hold_back(self, tx: Transaction, events: Sequence[Recorded]) -> list[Recorded]:
        """Return ``events`` without those of parked permits, which are parked behind them."""
        waiting = {
            row[0]
            for row in tx.execute(
                "SELECT DISTINCT application_id FROM parked WHERE consumer = ?", (self._consumer,)
            )
        }
        if not waiting:
            return list(events)
        for recorded in events:
            if recorded.correlation_id in waiting:
                self._insert(tx, recorded, "behind")
        return [recorded for recorded in events if recorded.correlation_id not in waiting]

    async def all(self) -> list[Parked]:
        """Return everything parked, oldest first."""
        rows = await self._database.query(
            "SELECT consumer, application_id, position, event_id, type, reason FROM parked "
            "WHERE consumer = ? ORDER BY position",
            (self._consumer,),
        )
        return [Parked(*row) for row in rows]

    def release(self, tx: Transaction, position: int) -> None:
        """Forget one parked event, in the transaction of its effect."""
        tx.execute(
            "DELETE FROM parked WHERE consumer = ? AND position = ?", (self._consumer, position)
        )

    def _insert(self, tx: Transaction, recorded: Recorded, reason: str) -> None:
        tx.execute(
            "INSERT INTO parked (consumer, application_id, position, event_id, type, reason) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (consumer, position) DO NOTHING",
            (
                self._consumer,
                recorded.correlation_id,
                recorded.position,
                recorded.event_id,
                recorded.type,
                reason,
            ),
        )
        PARKED.labels(self._consumer).inc()
