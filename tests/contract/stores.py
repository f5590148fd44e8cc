"""The stores that the contract suite runs over, and events to put into them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.events import NewEvent, Recorded
from shared.ids import derived_id, new_id
from shared.store import EventStore
from shared.store.kurrent import KurrentStore
from shared.store.postgres import PostgresStore
from shared.store.sqlite import SqliteStore
from tests.contract.kurrent_server import KurrentServer

# Opens one more client of the same database.
Open = Callable[[], EventStore]


@asynccontextmanager
async def opener(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Yield what opens stores of ``kind`` over one empty database."""
    if kind == "sqlite":
        yield lambda: SqliteStore(folder / "events.sqlite")
    elif kind == "postgres":
        dsn: str = request.getfixturevalue("postgres_dsn")
        yield lambda: PostgresStore(dsn)
    else:
        async with KurrentServer() as server:
            yield lambda: KurrentStore(server.uri)


def stream_name(kind: str = "permit") -> str:
    """Return a stream nobody used before."""
    return f"{kind}-{new_id()}"


def new_event(
    stream: str, number: int = 0, *, data: bytes = b'{"n":1}', event_id: str = ""
) -> NewEvent:
    """Return an event whose id follows from its stream and number."""
    return NewEvent(
        event_id or derived_id("test", stream, number),
        "StageStarted",
        1,
        data,
        1_767_575_000_000_000 + number,
        "officer:loket",
        derived_id("cause", stream, number),
        stream.partition("-")[2],
    )


def new_events(stream: str, count: int, first: int = 0) -> list[NewEvent]:
    """Return ``count`` events with the numbers from ``first`` on."""
    return [new_event(stream, number) for number in range(first, first + count)]


def body(recorded: Recorded) -> NewEvent:
    """Return what was appended, without what the store added."""
    return NewEvent(*(getattr(recorded, name) for name in NewEvent._fields))


async def read_everything(store: EventStore, page: int = 1000) -> list[Recorded]:
    """Return the whole log, page by page."""
    log: list[Recorded] = []
    while batch := await store.read_all(log[-1].position if log else 0, page):
        log += batch
    return log


async def take(batches: AsyncIterator[list[Recorded]], count: int) -> list[Recorded]:
    """Return the first ``count`` events of a subscription."""
    taken: list[Recorded] = []
    while len(taken) < count:
        taken += await anext(batches)
    return taken


def versions(events: Sequence[Recorded]) -> list[int]:
    """Return the versions of ``events``."""
    return [event.version for event in events]
