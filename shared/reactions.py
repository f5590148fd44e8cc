"""Reactions: an event that happened brings about a command elsewhere, exactly once in effect.

The inbox remembers what was dealt with; ids derived from the causing event make a second try
harmless even when the process dies between the effect and the inbox row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from shared.bus import Delivery, Subscription
from shared.codec import Codec
from shared.contracts import BY_CLASS
from shared.database import Database, Transaction
from shared.errors import Unavailable
from shared.events import Recorded
from shared.parking import Parking
from shared.telemetry import REACTED, log


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
        self._reactions = reactions
        self._types = {BY_CLASS[cls].name for cls in reactions}
        self._codec = codec
        self._database = database
        self.parking = Parking(database, name)

    async def prepare(self) -> None:
        """Create the inbox."""
        await self._database.transaction(lambda tx: tx.execute(_INBOX))
        await self.parking.prepare()

    async def run(self, subscription: Subscription) -> None:
        """React for ever; the bus hears of progress only after the effects."""
        await self.prepare()
        async for deliveries in subscription.batches():
            await self.react(deliveries)
            await subscription.commit()

    async def react(self, deliveries: Sequence[Delivery]) -> None:
        """Deal with a batch: effects of one permit in order, of different permits side by side.

        The inbox is read once before and written once after, each in one transaction.
        """
        wanted = [r for _, events in deliveries for r in events if r.type in self._types]
        if not wanted:
            return
        fresh = await self._database.transaction(lambda tx: self._fresh(tx, wanted))
        permits: dict[str, list[Recorded]] = {}
        for recorded in fresh:
            permits.setdefault(recorded.correlation_id, []).append(recorded)
        results = await asyncio.gather(*map(self._in_order, permits.values()))
        await self._database.transaction(lambda tx: self._settle(tx, results))
        REACTED.labels(self.name).inc(len(fresh))

    async def _in_order(self, events: Sequence[Recorded]) -> _Result:
        """Run one permit's effects until one fails; return how many were done, and the failure."""
        for done, recorded in enumerate(events):
            try:
                await self.effect(recorded)
            except Exception as error:  # noqa: BLE001 - whatever it is must not stop the others
                log.warning("reaction_failed", reactor=self.name, event_id=recorded.event_id)
                return _Result(events, done, error)
        return _Result(events, len(events), None)

    async def effect(self, recorded: Recorded) -> None:
        """Run the reaction, waiting for parts that are down: order matters more than speed."""
        event = self._codec.decode(recorded)
        wait = 0.1
        while True:
            try:
                return await self._reactions[type(event)](event, recorded)
            except Unavailable:
                log.warning("reaction_waits", reactor=self.name, event_id=recorded.event_id)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 10.0)

    def _fresh(self, tx: Transaction, wanted: Sequence[Recorded]) -> list[Recorded]:
        marks = ",".join("?" * len(wanted))
        seen = {
            row[0]
            for row in tx.execute(
                f"SELECT event_id FROM inbox WHERE consumer = ? AND event_id IN ({marks})",
                (self.name, *(recorded.event_id for recorded in wanted)),
            )
        }
        return self.parking.hold_back(tx, [r for r in wanted if r.event_id not in seen])

    def _settle(self, tx: Transaction, results: Sequence[_Result]) -> None:
        for events, done, error in results:
            self.remember(tx, events[:done])
            if error is not None:
                self.parking.park(tx, events[done], error)
                self.parking.hold_back(tx, events[done + 1 :])

    def remember(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Note that ``events`` were dealt with."""
        tx.executemany(
            "INSERT INTO inbox (consumer, event_id, position) VALUES (?, ?, ?) "
            "ON CONFLICT (consumer, event_id) DO NOTHING",
            [(self.name, recorded.event_id, recorded.position) for recorded in events],
        )
