"""The buses that the contract suite runs over, each behind a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from shared.bus import Bus
from shared.bus.kafka import KafkaBus
from shared.bus.local import LocalBus
from shared.contracts.intake import ApplicationWithdrawn
from shared.contracts.workflow import PermitClosed
from shared.database.sqlite import SqliteDatabase
from shared.events import Recorded
from shared.ids import new_id
from shared.leases import TableLease
from shared.relay import KafkaPublisher, Relay
from shared.store.sqlite import SqliteStore
from tests.consuming import new_event


class Office:
    """A store with a bus behind it. Over Kafka a relay brings the events to the topics."""

    def __init__(self, store: SqliteStore, database: SqliteDatabase, bootstrap: str) -> None:
        self.store = store
        self._database = database
        self._bootstrap = bootstrap
        self._relay: asyncio.Task[None] | None = None
        # Brokers are shared between tests, so applications and groups are new in each.
        self.mark = new_id()[:8]
        self.bus: Bus
        self._numbers = 0

    @property
    def alone(self) -> bool:
        """Whether nobody else's events are on this bus."""
        return not self._bootstrap

    async def open(self) -> None:
        """Open the bus, as a process that starts would."""
        if not self._bootstrap:
            self.bus = LocalBus(self.store, self._database, window=50, flush_seconds=0.05)
            return
        self.bus = KafkaBus(self._bootstrap)
        lease = TableLease(self._database, "relay", new_id())
        relay = Relay(self.store, KafkaPublisher(self._bootstrap), lease)
        self._relay = asyncio.create_task(relay.run())

    async def shut(self) -> None:
        """Close the bus."""
        await self.bus.close()
        if self._relay is not None:
            self._relay.cancel()
            await asyncio.gather(self._relay, return_exceptions=True)

    def group(self, name: str = "tester") -> str:
        """Return a group nobody else uses."""
        return f"{name}-{self.mark}"

    async def append(self, applications: str, kind: type[Any] = ApplicationWithdrawn) -> None:
        """Append one event for each letter: the application's name."""
        prefix = "permit" if kind is PermitClosed else "application"
        for letter in applications:
            name = f"{self.mark}{letter}"
            self._numbers += 1
            await self.store.append(f"{prefix}-{name}", [new_event(name, self._numbers, kind)])

    def mine(self, events: Sequence[Recorded]) -> list[Recorded]:
        """Return those events that this test appended."""
        return [one for one in events if one.correlation_id.startswith(self.mark)]


@asynccontextmanager
async def opened(folder: Path, bootstrap: str) -> AsyncIterator[Office]:
    """Yield an open office; over Kafka when there is a ``bootstrap``."""
    store = SqliteStore(folder / "events.sqlite")
    database = SqliteDatabase(folder / "bus.sqlite")
    office = Office(store, database, bootstrap)
    await office.open()
    yield office
    await office.shut()
    await database.close()
    await store.close()
