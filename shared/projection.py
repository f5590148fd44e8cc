"""Projections: a pure fold of events into rows, stored with its position in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from shared.bus import Delivery, Subscription
from shared.database import Database, Transaction
from shared.errors import JejakError
from shared.events import Recorded
from shared.parking import Parking
from shared.telemetry import PROJECTED, log

CHECKPOINTS = """
CREATE TABLE IF NOT EXISTS checkpoints (
    consumer TEXT NOT NULL, source TEXT NOT NULL, position BIGINT NOT NULL,
    PRIMARY KEY (consumer, source)
)
"""


class Projection(Protocol):
    """A read model: its tables and the fold that fills them."""

    @property
    def name(self) -> str: ...

    @property
    def topics(self) -> tuple[str, ...]: ...

    def create(self, tx: Transaction) -> None:
        """Create the tables if they are missing."""
        ...

    def apply(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Fold ``events`` (in order) into rows. Must be deterministic: live and replay call it."""
        ...


class Projector:
    """Drives one projection: batch in, rows and position out, then the bus's commit."""

    def __init__(
        self,
        projection: Projection,
        database: Database,
        on_progress: Callable[[int], None] = lambda position: None,
    ) -> None:
        """Project into ``database``; ``on_progress`` hears the last position after each commit."""
        self.projection = projection
        self._database = database
        self._parking = Parking(database, projection.name)
        self._on_progress = on_progress

    async def prepare(self) -> None:
        """Create the tables."""

        def work(tx: Transaction) -> None:
            tx.execute(CHECKPOINTS)
            self.projection.create(tx)

        await self._database.transaction(work)
        await self._parking.prepare()

    async def positions(self) -> dict[str, int]:
        """Return the last folded position of every source."""
        rows = await self._database.query(
            "SELECT source, position FROM checkpoints WHERE consumer = ?", (self.projection.name,)
        )
        return dict(rows)

    async def run(self, subscription: Subscription) -> None:
        """Project for ever. A read model that was lost is rebuilt from the first event."""
        await self.prepare()
        if not await self.positions():
            await subscription.rewind()
        async for deliveries in subscription.batches():
            await self.project(deliveries)
            await subscription.commit()

    async def project(self, deliveries: Sequence[Delivery]) -> None:
        """Fold one batch. A batch that fails is taken apart, and the event that fails is parked."""
        try:
            await self._database.transaction(lambda tx: self._fold(tx, deliveries))
        except (JejakError, KeyError, ValueError, TypeError) as error:
            log.warning("projection_batch_failed", consumer=self.projection.name, error=repr(error))
            for source, events in deliveries:
                for recorded in events:
                    await self._one(Delivery(source, [recorded]))
        last = max((d.events[-1].position for d in deliveries if d.events), default=0)
        PROJECTED.labels(self.projection.name).inc(sum(len(d.events) for d in deliveries))
        self._on_progress(last)
        await asyncio.sleep(0)

    async def _one(self, delivery: Delivery) -> None:
        try:
            await self._database.transaction(lambda tx: self._fold(tx, [delivery]))
        except (JejakError, KeyError, ValueError, TypeError) as error:
            recorded = delivery.events[0]

            def park(tx: Transaction, error: Exception = error) -> None:
                self._parking.park(tx, recorded, error)
                self._advance(tx, delivery.source, recorded.position)

            await self._database.transaction(park)

    def _fold(self, tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        for source, events in deliveries:
            done = tx.execute(
                "SELECT position FROM checkpoints WHERE consumer = ? AND source = ?",
                (self.projection.name, source),
            )
            after = done[0][0] if done else 0
            fresh = [recorded for recorded in events if recorded.position > after]
            if fresh:
                self.projection.apply(tx, self._parking.hold_back(tx, fresh))
                self._advance(tx, source, fresh[-1].position)

    def _advance(self, tx: Transaction, source: str, position: int) -> None:
        tx.execute(
            "INSERT INTO checkpoints (consumer, source, position) VALUES (?, ?, ?) "
            "ON CONFLICT (consumer, source) DO UPDATE SET position = excluded.position",
            (self.projection.name, source, position),
        )
