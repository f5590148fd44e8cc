"""Parking: a poison event waits with its permit, everything else flows. Never dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from shared.database import Database, Transaction
from shared.errors import Defect, JejakError, Unavailable
from shared.events import Recorded
from shared.store import EventStore
from shared.telemetry import PARKED, log

BEHIND = "behind"

_TABLE = """
CREATE TABLE IF NOT EXISTS parked (
    consumer TEXT NOT NULL, application_id TEXT NOT NULL, position BIGINT NOT NULL,
    stream TEXT NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,
    occurred_us BIGINT NOT NULL, recorded_us BIGINT NOT NULL, parked_us BIGINT NOT NULL,
    PRIMARY KEY (consumer, position)
)
"""
_COLUMNS = (
    "consumer, application_id, position, stream, event_id, type, reason, "
    "occurred_us, recorded_us, parked_us"
)


class NotInStore(Defect):
    """A parked event that the store does not have at its position."""

    code = "not-in-store"
    text = "The store has another event at position {position}."


class Parked(NamedTuple):
    """One waiting event; nothing personal. Times are microseconds UTC.

    ``reason`` is an error's code or class, ``behind`` for one that waits its turn.
    """

    consumer: str
    application_id: str
    position: int
    stream: str
    event_id: str
    type: str
    reason: str
    occurred_us: int
    recorded_us: int
    parked_us: int


class Retried(NamedTuple):
    """What a retry came to: ``done`` events went through; ``failed`` is where it stopped."""

    consumer: str
    application_id: str
    done: int
    failed: Parked | None


class Consumer(Protocol):
    """What projectors and reactors have in common for those who look after parked events."""

    @property
    def name(self) -> str: ...

    @property
    def parking(self) -> Parking: ...

    async def prepare(self) -> None:
        """Create the tables."""
        ...

    async def redo(self, recorded: Recorded) -> None:
        """Deal with one parked event and release it in the same transaction.

        Raises whatever still stands in its way; then it stays parked.
        """
        ...


def _wall_clock() -> int:
    return time.time_ns() // 1000


class Parking:
    """The parked events of one consumer (a projection or a reactor), in its own database."""

    def __init__(
        self, database: Database, consumer: str, now_us: Callable[[], int] = _wall_clock
    ) -> None:
        """Park for ``consumer`` in ``database``; ``now_us`` tells microseconds UTC."""
        self._database = database
        self._consumer = consumer
        self._now_us = now_us

    def create(self, tx: Transaction) -> None:
        """Create the table if it is missing."""
        tx.execute(_TABLE)

    def park(self, tx: Transaction, recorded: Recorded, error: Exception) -> None:
        """Set one event aside, in the transaction that moves the checkpoint past it."""
        why = reason(error)
        self._insert(tx, recorded, why)
        log.error(
            "event_parked",
            consumer=self._consumer,
            event_id=recorded.event_id,
            type=recorded.type,
            correlation_id=recorded.correlation_id,
            reason=why,
        )

    def hold_back(self, tx: Transaction, events: Sequence[Recorded]) -> list[Recorded]:
        """Return ``events`` without those of parked permits, which are parked behind them."""
        parked = tx.execute(
            "SELECT DISTINCT application_id FROM parked WHERE consumer = ?", (self._consumer,)
        )
        present = {row[0] for row in parked} & {recorded.correlation_id for recorded in events}
        waiting = {permit for permit in sorted(present) if self._still_waits(tx, permit)}
        if not waiting:
            return list(events)
        for recorded in events:
            if recorded.correlation_id in waiting:
                self._insert(tx, recorded, BEHIND)
        return [recorded for recorded in events if recorded.correlation_id not in waiting]

    async def all(self) -> list[Parked]:
        """Return everything parked, oldest first."""
        sql = f"SELECT {_COLUMNS} FROM parked WHERE consumer = ? ORDER BY position"
        return [Parked(*row) for row in await self._database.query(sql, (self._consumer,))]

    async def first(self, application_id: str) -> Parked | None:
        """Return the first parked event of one permit."""
        rows = await self._database.query(
            f"SELECT {_COLUMNS} FROM parked WHERE consumer = ? AND application_id = ? "
            "ORDER BY position LIMIT 1",
            (self._consumer, application_id),
        )
        return Parked(*rows[0]) if rows else None

    def release(self, tx: Transaction, position: int) -> bool:
        """Forget one parked event, in the transaction of its effect; False when it was gone."""
        return bool(
            tx.execute(
                "DELETE FROM parked WHERE consumer = ? AND position = ? RETURNING position",
                (self._consumer, position),
            )
        )

    async def note(self, parked: Parked, error: Exception) -> Parked:
        """Write down why the event still does not go through."""
        failed = parked._replace(reason=reason(error))
        await self._database.transaction(
            lambda tx: tx.execute(
                "UPDATE parked SET reason = ? WHERE consumer = ? AND position = ?",
                (failed.reason, self._consumer, failed.position),
            )
        )
        return failed

    def _still_waits(self, tx: Transaction, application_id: str) -> bool:
        """Hold the permit's parked rows until the commit: a retry may be releasing the last."""
        rows = tx.execute(
            "UPDATE parked SET reason = reason WHERE consumer = ? AND application_id = ? "
            "RETURNING position",
            (self._consumer, application_id),
        )
        return bool(rows)

    def _insert(self, tx: Transaction, recorded: Recorded, why: str) -> None:
        added = tx.execute(
            f"INSERT INTO parked ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (consumer, position) DO NOTHING RETURNING position",
            (
                self._consumer,
                recorded.correlation_id,
                recorded.position,
                recorded.stream,
                recorded.event_id,
                recorded.type,
                why,
                recorded.occurred_us,
                recorded.recorded_us,
                self._now_us(),
            ),
        )
        if added:
            PARKED.labels(self._consumer).inc()


def reason(error: Exception) -> str:
    """Return an error's code, or its class for a foreign one: its text may repeat data."""
    return error.code if isinstance(error, JejakError) else type(error).__name__


async def parked(consumers: Sequence[Consumer]) -> list[Parked]:
    """Return what is parked at any of ``consumers``, oldest first."""
    found: list[Parked] = []
    for consumer in consumers:
        await consumer.prepare()
        found += await consumer.parking.all()
    return sorted(found, key=lambda one: (one.position, one.consumer))


async def retry(
    consumers: Sequence[Consumer], application_id: str, store: EventStore
) -> list[Retried]:
    """Deal again with one permit's parked events, in order, at every consumer that has some.

    A consumer stops at the first that still fails. Raises Unavailable when a part is down.
    """
    results = []
    for consumer in consumers:
        await consumer.prepare()
        result = await _drain(consumer, application_id, store)
        if result.done or result.failed:
            results.append(result)
    return results


async def _drain(consumer: Consumer, application_id: str, store: EventStore) -> Retried:
    done = 0
    # Read anew each time: while this one is retried, another may be parked behind it.
    while (one := await consumer.parking.first(application_id)) is not None:
        try:
            await consumer.redo(await _read(store, one))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told and stays parked
            failed = await consumer.parking.note(one, error)
            return Retried(consumer.name, application_id, done, failed)
        done += 1
    return Retried(consumer.name, application_id, done, None)


async def _read(store: EventStore, one: Parked) -> Recorded:
    found = await store.read_all(one.position - 1, 1)
    if not found or found[0].event_id != one.event_id:
        raise NotInStore(position=one.position)
    return found[0]
