"""The bus over Kafka, with aiokafka: groups, batches, offsets committed after the effect.

A broker that is gone is waited for; nothing here ever ends because of it. No topic is ever created.
A record that can't be read goes to ``jejak.parked`` and holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from shared.bus.kafka_client import Brokers
from shared.bus.protocol import Delivery
from shared.bus.records import UnreadableRecord, from_record
from shared.events import Recorded
from shared.telemetry import log

MAX_RECORDS: Final = 5000
_POLL_MS: Final = 1000
_RETRY_SECONDS: Final = 1.0


class KafkaBus:
    """The bus over the brokers at ``bootstrap`` (``host:port``, comma-separated)."""

    def __init__(
        self, bootstrap: str, *, max_records: int = MAX_RECORDS, session_timeout_ms: int = 10_000
    ) -> None:
        """Consume up to ``max_records`` per batch; a dead member is noticed after the timeout."""
        self._brokers = Brokers(bootstrap, session_timeout_ms)
        self._max_records = max_records
        self._subscriptions: list[KafkaSubscription] = []
        self._live: set[AIOKafkaConsumer] = set()
        self._closed = False

    async def subscribe(self, group: str, topics: Sequence[str]) -> KafkaSubscription:
        """See ``Bus.subscribe``. Waits for the broker. Raises MissingTopic."""
        subscription = KafkaSubscription(self._brokers, group, topics, self._max_records)
        await subscription.connect()
        self._subscriptions = [s for s in self._subscriptions if not s.closed] + [subscription]
        return subscription

    async def live(self, topics: Sequence[str]) -> AsyncIterator[Recorded]:
        """See ``Bus.live``; begins with the first ``await``. Raises MissingTopic."""
        ends: dict[TopicPartition, int] = {}
        while not self._closed:
            consumer = await self._brokers.consumer(topics, group=None)
            self._live.add(consumer)
            try:
                async for recorded in _from_now(consumer, ends):
                    yield recorded
            except (KafkaError, ConsumerStoppedError) as error:
                log.warning("bus_live_interrupted", reason=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
            finally:
                self._live.discard(consumer)
                await consumer.stop()

    async def close(self) -> None:
        """Leave every group, end every live reader."""
        self._closed = True
        for subscription in self._subscriptions:
            await subscription.close()
        for consumer in list(self._live):
            await consumer.stop()
        await self._brokers.close()


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of a group. See ``shared.bus.Subscription``.

    Each commit carries the position of the last event as its metadata, so that a consumer whose
    own rows are behind (a lost or restored database) is noticed, and reads the partition again.
    """

    def __init__(
        self, brokers: Brokers, group: str, topics: Sequence[str], max_records: int
    ) -> None:
        """Read ``topics`` as a member of ``group``."""
        self.closed = False
        self._brokers = brokers
        self._group = group
        self._topics = tuple(topics)
        self._max_records = max_records
        self._consumer: AIOKafkaConsumer | None = None
        # What was handed out and not committed yet: the next offset of each partition.
        self._next: dict[TopicPartition, int] = {}
        self._last: dict[TopicPartition, int] = {}
        # After a rewind: what the consumer holds, what was committed, and where it was made good.
        self._held: Mapping[str, int] | None = None
        self._committed: dict[TopicPartition, OffsetAndMetadata] = {}
        self._healed: set[TopicPartition] = set()

    async def connect(self) -> None:
        """Connect without joining yet, so that a rewind comes first. Raises MissingTopic."""
        self._consumer = await self._brokers.consumer(self._topics, self._group)

    async def batches(self) -> AsyncIterator[list[Delivery]]:
        """See ``Subscription.batches``; ends when it is closed. Raises MissingTopic."""
        while not self.closed:
            try:
                consumer = await self._joined()
                records = await consumer.getmany(timeout_ms=_POLL_MS, max_records=self._max_records)
            except (KafkaError, ConsumerStoppedError) as error:
                await self._disconnect(type(error).__name__)
                continue
            settled = not self._next
            deliveries = [d for tp in records if (d := await self._read(tp, records[tp])).events]
            if deliveries:
                yield deliveries
            elif settled and self._next:
                # All that came was unreadable and is parked.
                await self.commit()

    async def commit(self) -> None:
        """See ``Subscription.commit``. A partition that was lost meanwhile is left to its owner."""
        consumer, self._next, given = self._consumer, {}, self._next
        if consumer is None or not given:
            return
        mine = consumer.assignment()
        offsets = {
            tp: OffsetAndMetadata(offset, str(self._last.get(tp, 0)))
            for tp, offset in given.items()
            if tp in mine
        }
        try:
            if offsets:
                await consumer.commit(offsets)
                self._healed |= offsets.keys()
        except KafkaError as error:
            # Nothing is lost: what was not committed is delivered again, to us or to another.
            log.info("bus_commit_refused", group=self._group, reason=type(error).__name__)

    async def rewind(self, held: Mapping[str, int] | None = None) -> None:
        """See ``Subscription.rewind``; holds for partitions that are assigned later, too."""
        self._committed = await self._brokers.committed(self._group) if held else {}
        self._held = dict(held or {})
        self._healed.clear()
        self._next.clear()
        if self._consumer is not None:
            self.on_partitions_assigned(self._consumer.assignment())

    async def close(self) -> None:
        """See ``Subscription.close``."""
        self.closed = True
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await consumer.stop()

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called by the consumer. What is in the works is harmless: effects bear repetition."""

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called by the consumer: start where the group was, or early enough to fill a hole."""
        for tp in assigned:
            if self._held is not None and tp not in self._healed and self._lacks(tp, self._held):
                # Offset 0, or the first there is: needs no answer from the broker, so can't fail.
                self._consumer.seek(tp, 0)  # type: ignore[union-attr]

    def _lacks(self, tp: TopicPartition, held: Mapping[str, int]) -> bool:
        if not held:
            return True
        committed = self._committed.get(tp)
        if committed is None:
            return False
        last = int(committed.metadata) if committed.metadata.isdigit() else 1
        return held.get(_source(tp), 0) < last

    async def _joined(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            await self.connect()
        consumer = self._consumer
        assert consumer is not None
        if not consumer.subscription():
            consumer.subscribe(self._topics, listener=self)
        return consumer

    async def _disconnect(self, why: str) -> None:
        if self.closed:
            return
        log.warning("bus_interrupted", group=self._group, reason=why)
        self._next.clear()
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()
        await asyncio.sleep(_RETRY_SECONDS)

    async def _read(
        self, tp: TopicPartition, records: Sequence[ConsumerRecord[Any, Any]]
    ) -> Delivery:
        events: list[Recorded] = []
        for record in records:
            try:
                events.append(from_record(record))
            except UnreadableRecord as error:
                await self._brokers.park(self._group, record, str(error.params["reason"]))
        if events:
            self._last[tp] = max(self._last.get(tp, 0), events[-1].position)
        self._next[tp] = records[-1].offset + 1
        return Delivery(_source(tp), events)


def _source(tp: TopicPartition) -> str:
    return f"{tp.topic}/{tp.partition}"


async def _from_now(
    consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]
) -> AsyncIterator[Recorded]:
    """Yield what comes after ``ends``, the next offset of each partition, and keep them.

    A partition that is not there yet begins at its end. What can't be read is left to the groups.
    """
    new = consumer.assignment() - ends.keys()
    ends.update(await consumer.end_offsets(new))
    for tp, offset in ends.items():
        consumer.seek(tp, offset)
    while True:
        records = await consumer.getmany(timeout_ms=_POLL_MS)
        for tp, batch in records.items():
            for record in batch:
                ends[tp] = record.offset + 1
                with suppress(UnreadableRecord):
                    yield from_record(record)
