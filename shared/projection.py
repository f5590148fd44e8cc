"""Projections: a pure fold of events into rows, stored with its position in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar, Protocol, runtime_checkable

from shared.bus import Delivery, Subscription
from shared.codec import Codec
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.parking import Parking, reason
from shared.patience import patiently
from shared.positions import Positions, Sourced, merged
from shared.telemetry import PROJECTED, log


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
        """Fold ``events`` into rows. Must be deterministic: live and replay call it.

        Events of one permit and topic come in order. Between topics the order is the log's within
        a batch, but over Kafka one topic may run ahead of another from batch to batch. Anything
        raised parks the event with its permit.
        """
        ...


@runtime_checkable
class Shaped(Protocol):
    """A projection whose tables change with the code: those of another shape are filled anew."""

    @property
    def shape(self) -> str:
        """What tells one layout of the tables from another."""
        ...

    def drop(self, tx: Transaction) -> None:
        """Drop the tables if they are there."""
        ...


@runtime_checkable
class WorkedOn(Protocol):
    """A projection into whose tables others write what they conclude from the facts."""

    @property
    def conclusions(self) -> Mapping[str, Collection[str]]:
        """Table -> columns that the fold does not explain alone; no column: the whole table."""
        ...


class OfficeProjection:
    """What read models with rows per office share: their statements, codec and listener."""

    name: ClassVar[str]
    topics: ClassVar[tuple[str, ...]]
    statements: ClassVar[tuple[str, ...]]

    def __init__(
        self, codec: Codec, on_office: Callable[[str], None] = lambda office: None
    ) -> None:
        """``on_office`` hears which office's rows changed, before the commit."""
        self._codec = codec
        self._on_office = on_office

    def create(self, tx: Transaction) -> None:
        """Create the tables and indexes that are missing."""
        for statement in self.statements:
            tx.execute(statement)


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
        self.parking = Parking(database, projection.name)
        self._database = database
        self._positions = Positions(database, projection.name)
        self._on_progress = on_progress

    @property
    def name(self) -> str:
        """The consumer group."""
        return self.projection.name

    async def prepare(self) -> None:
        """Create the tables; drop those that another version of the code made."""

        def work(tx: Transaction) -> None:
            self._positions.create(tx)
            self.parking.create(tx)
            model = self.projection
            if isinstance(model, Shaped) and self._positions.changed(tx, model.shape):
                model.drop(tx)
            self.projection.create(tx)

        await self._database.transaction(work)

    async def positions(self) -> dict[str, int]:
        """Return the last folded position of every source."""
        return await self._positions.all()

    async def run(self, subscription: Subscription) -> None:
        """Project for ever. A read model that was lost is rebuilt from the first event."""
        await patiently("projection", self.prepare, consumer=self.name)
        held = await patiently("projection", self.positions, consumer=self.name)
        await subscription.rewind(held)
        async for deliveries in subscription.batches():
            await self.project(deliveries)
            await subscription.commit()

    async def project(self, deliveries: Sequence[Delivery]) -> None:
        """Fold one batch. A batch that fails is halved until the event that fails is parked."""
        events = merged(deliveries)
        if not events:
            return
        await self._fold_or_halve(events)
        PROJECTED.labels(self.name).inc(len(events))
        self._on_progress(events[-1].recorded.position)
        await asyncio.sleep(0)

    async def redo(self, recorded: Recorded) -> None:
        """Fold one parked event. See ``shared.parking.Consumer``."""

        def work(tx: Transaction) -> None:
            if self.parking.release(tx, recorded.position):
                self.projection.apply(tx, [recorded])

        await self._database.transaction(work)

    async def _fold_or_halve(self, events: Sequence[Sourced]) -> None:
        try:
            await self._transaction(lambda tx: self._fold(tx, events))
        except Exception as error:  # noqa: BLE001 - a fold may raise anything; it is parked
            if len(events) == 1:
                await self._set_aside(events[0], error)
                return
            log.warning("projection_batch_halved", consumer=self.name, reason=reason(error))
            middle = len(events) // 2
            await self._fold_or_halve(events[:middle])
            await self._fold_or_halve(events[middle:])

    async def _set_aside(self, event: Sourced, error: Exception) -> None:
        def work(tx: Transaction) -> None:
            self.parking.park(tx, event.recorded, error)
            self._positions.advance(tx, {event.source: event.recorded.position})

        await self._transaction(work)

    async def _transaction(self, work: Callable[[Transaction], None]) -> None:
        """Run ``work``, waiting while the database is down: that is nobody's poison."""
        await patiently("projection", lambda: self._database.transaction(work), consumer=self.name)

    def _fold(self, tx: Transaction, events: Sequence[Sourced]) -> None:
        positions = self._positions.lock(tx, {source for source, _ in events})
        fresh: list[Recorded] = []
        for source, recorded in events:
            if recorded.position > positions[source]:
                positions[source] = recorded.position
                fresh.append(recorded)
        if not fresh:
            return
        free = self.parking.hold_back(tx, fresh)
        if free:
            self.projection.apply(tx, free)
        self._positions.advance(tx, positions)
