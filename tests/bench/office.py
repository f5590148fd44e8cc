"""A whole office without a server: every service built over SQLite, its parts ready to be run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.serve import Running, opened
from shared.events import Recorded
from shared.projection import Projection
from shared.settings import SERVICES, Settings
from shared.store import EventStore
from tests.bench.permits import as_new

_TOGETHER = 256


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Running]:
    """Build the four services in ``folder``; nothing is started."""
    async with opened(Settings(data=folder), SERVICES) as running:
        yield running


def projections(running: Running) -> list[Projection]:
    """Return every read model's projection, those of the worker too."""
    return [
        projector.projection
        for service in running.services
        for projector in service.folds(worker=False)
    ]


async def fill(store: EventStore, rows: Sequence[Recorded]) -> None:
    """Append ``rows`` to an empty store in their order."""
    for start in range(0, len(rows), _TOGETHER):
        part = rows[start : start + _TOGETHER]
        await asyncio.gather(*(store.append(row.stream, [as_new(row)]) for row in part))
