"""A relay in a process of its own, to be killed: ``python -m tests.integration.relaying``.

Arguments: the folder with ``events.sqlite`` and ``relay.sqlite``, and the broker's ``host:port``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from shared.database.sqlite import SqliteDatabase
from shared.ids import new_id
from shared.leases import TableLease
from shared.relay import KafkaPublisher, Relay
from shared.store.sqlite import SqliteStore

LEASE_SECONDS = 1.0


async def relay(folder: Path, bootstrap: str) -> None:
    """Be a candidate until killed; small batches, so that a kill falls between them."""
    store = SqliteStore(folder / "events.sqlite")
    database = SqliteDatabase(folder / "relay.sqlite")
    lease = TableLease(database, "relay", new_id(), seconds=LEASE_SECONDS)
    publisher = KafkaPublisher(bootstrap, timeout_ms=3000)
    await Relay(store, publisher, lease, batch=50).run()


if __name__ == "__main__":
    asyncio.run(relay(Path(sys.argv[1]), sys.argv[2]))
