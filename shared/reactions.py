"""Reactions: an event that happened brings about a command elsewhere, exactly once in effect.

The inbox remembers what was dealt with; ids derived from the causing event make a second try
harmless even when the process dies between the effect and the inbox row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from shared.bus import Delivery, Subscription
from shared.codec import Codec
from shared.contracts import BY_CLASS
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.parking import Parking
from shared.patience import patiently
from shared.positions import Positions, merged
from shared.telemetry import REACTED

T = TypeVar("T")

# How many permits' effects run at once: enough to share the store's commits, and bounded.
SIDE_BY_SIDE: Final = 200
# Placeholders in one statement, well below what either database takes.
_MARKS: Final = 1000


class _Result(NamedTuple):
    events: Sequence[Recorded]
    done: int
    error: Exception | None


# What a service does about one event: decode happened already, the record gives the cause id.
Reaction = Callable[[Any, Recorded], Awaitable[None]]

_INBOX = """
CREATE TABLE IF NOT EXISTS inbox (
    consumer TEXT NOT NULL, event_id TEXT NOT NULL, position BIGINT NOT NULL,
    PRIMARY KEY (consumer, event_id)
)
"""


class Reactor:
    """Dispatches a service's events to its reactions, event type -> reaction."""

    def __init__(
        self,
        name: str,
        topics: tuple[str, ...],
        reactions: Mapping[type[Any], Reaction],
        codec: Codec,
        database: Database,
    ) -> None:
        """React as ``name`` (the consumer group) with an inbox in ``database``."""
        self.name = name
        self.topics = topics
        self.parking = Parking(database, name)
        self._reactions = reactions
        self._types = {BY_CLASS[cls].name for cls in reactions}
        self._codec = codec
        self._database = database
        self._positions = Positions(database, name)
        self._side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)

    async def prepare(self) -> None:
        """Create the inbox."""

        def work(tx: Transaction) -> None:
            tx.execute(_INBOX)
            self._positions.create(tx)
            self.parking.create(tx)

        await self._database.transaction(work)

    async def positions(self) -> dict[str, int]:
        """Return the last position of every source that was dealt with."""
        return await self._positions.all()

    async def run(self, subscription: Subscription) -> None:
        """React for ever; the bus hears of progress only after the effects."""
        await patiently("reaction", self.prepare, reactor=self.name)
        await subscription.rewind(await patiently("reaction", self.positions, reactor=self.name))
        async for deliveries in subscription.batches():
            await self.react(deliveries)
            await subscription.commit()

    async def react(self, deliveries: Sequence[Delivery]) -> None:
        """Deal with a batch: effects of one permit in order, of different permits side by side.

        The inbox is read once before and written once after, each in one transaction.
        """
        # By event id: a relay that started again may have sent one twice into this batch.
        wanted = {r.event_id: r for _, r in merged(deliveries) if r.type in self._types}
        results: Sequence[_Result] = ()
        if wanted:
            fresh = await self._transaction(lambda tx: self._fresh(tx, list(wanted.values())))
            permits: dict[str, list[Recorded]] = {}
            for recorded in fresh:
                permits.setdefault(recorded.correlation_id, []).append(recorded)
            results = await asyncio.gather(*map(self._in_order, permits.values()))
        ends = {source: max(r.position for r in events) for source, events in deliveries if events}
        await self._transaction(lambda tx: self._settle(tx, results, ends))
        REACTED.labels(self.name).inc(sum(result.done for result in results))

    async def pass_over(self, positions: Mapping[str, int]) -> None:
        """Note that all up to ``positions`` (source -> position) was dealt with elsewhere."""
        await self._database.transaction(lambda tx: self._positions.advance(tx, positions))

    async def redo(self, recorded: Recorded) -> None:
        """Run one parked event's effect. See ``shared.parking.Consumer``."""
        await self._react(recorded)

        def work(tx: Transaction) -> None:
            self._remember(tx, [recorded])
            self.parking.release(tx, recorded.position)

        await self._database.transaction(work)

    async def _in_order(self, events: Sequence[Recorded]) -> _Result:
        """Run one permit's effects until one fails; return how many were done, and the failure."""
        async with self._side_by_side:
            for done, recorded in enumerate(events):
                try:
                    await self._effect(recorded)
                except Exception as error:  # noqa: BLE001 - it must not stop the other permits
                    return _Result(events, done, error)
            return _Result(events, len(events), None)

    async def _effect(self, recorded: Recorded) -> None:
        """Run the reaction, waiting for parts that are down: order matters more than speed."""
        await patiently(
            "reaction",
            lambda: self._react(recorded),
            reactor=self.name,
            event_id=recorded.event_id,
            correlation_id=recorded.correlation_id,
        )

    async def _react(self, recorded: Recorded) -> None:
        event = self._codec.decode(recorded)
        await self._reactions[type(event)](event, recorded)

    async def _transaction(self, work: Callable[[Transaction], T]) -> T:
        return await patiently(
            "reaction", lambda: self._database.transaction(work), reactor=self.name
        )

    def _fresh(self, tx: Transaction, wanted: Sequence[Recorded]) -> list[Recorded]:
        seen: set[str] = set()
        for start in range(0, len(wanted), _MARKS):
            some = wanted[start : start + _MARKS]
            marks = ", ".join("?" * len(some))
            rows = tx.execute(
                f"SELECT event_id FROM inbox WHERE consumer = ? AND event_id IN ({marks})",
                (self.name, *(recorded.event_id for recorded in some)),
            )
            seen.update(row[0] for row in rows)
        return self.parking.hold_back(tx, [r for r in wanted if r.event_id not in seen])

    def _settle(self, tx: Transaction, results: Sequence[_Result], ends: Mapping[str, int]) -> None:
        for events, done, error in results:
            self._remember(tx, events[:done])
            if error is not None:
                self.parking.park(tx, events[done], error)
                self.parking.hold_back(tx, events[done + 1 :])
        self._positions.advance(tx, ends)

    def _remember(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Note that ``events`` were dealt with."""
        tx.executemany(
            "INSERT INTO inbox (consumer, event_id, position) VALUES (?, ?, ?) "
            "ON CONFLICT (consumer, event_id) DO NOTHING",
            [(self.name, recorded.event_id, recorded.position) for recorded in events],
        )
