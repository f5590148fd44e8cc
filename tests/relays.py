"""A relay's surroundings: a store, its database, and waiting for its checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from shared.database.sqlite import SqliteDatabase
from shared.leases import TableLease
from shared.relay import Relay
from shared.store.sqlite import SqliteStore
from tests.consuming import eventually, new_event


class Place:
    """A store and a relay's database in files."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "events.sqlite")
        self.database = SqliteDatabase(folder / "relay.sqlite")
        self._numbers = 0

    async def append(self, count: int, applications: int = 7) -> None:
        """Append ``count`` events, of several applications in turn."""
        for number in range(self._numbers, self._numbers + count):
            name = f"p{number % applications}"
            await self.store.append(f"application-{name}", [new_event(name, number)])
        self._numbers += count

    def lease(self, holder: str, seconds: float = 5) -> TableLease:
        """Return a candidate's lease."""
        return TableLease(self.database, "relay", holder, seconds=seconds)

    async def checkpoint(self) -> int:
        """Return the durable checkpoint."""
        rows = await self.database.query("SELECT position FROM leases")
        return int(rows[0][0]) if rows else 0


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    """Run a relay while the block runs."""
    task = asyncio.create_task(relay.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def is_at(place: Place, position: int) -> asyncio.Task[None]:
    """Wait until the checkpoint is at ``position``."""

    async def there() -> bool:
        rows = await place.database.query("SELECT name FROM sqlite_master WHERE name = 'leases'")
        return bool(rows) and await place.checkpoint() >= position

    return asyncio.create_task(eventually(there))
