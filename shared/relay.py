"""The relay: committed events -> topics, in the log's order, by one leader at a time.

A batch is sent, acknowledged by the broker, and only then the checkpoint moves. Whatever fails in
between, everything after the checkpoint is sent again: consumers see some events twice, never one
missing, never two of a permit in the wrong order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from shared.bus.records import to_record
from shared.database import Database
from shared.errors import Unavailable
from shared.events import Recorded
from shared.ids import new_id
from shared.leases import Lease, LeaseLost, TableLease
from shared.patience import FIRST_WAIT
from shared.settings import Settings
from shared.store import EventStore
from shared.telemetry import RELAY_GAP, log
from shared.topics import TOPICS, BrokerUnavailable, MissingTopic, belongs_to, topic_of

BATCH: Final = 2000
# A batch of a partition goes in whole or not at all; an event bigger than this goes alone.
_BATCH_BYTES: Final = 512 * 1024
_TIMEOUT_MS: Final = 10_000
_STOP_SECONDS: Final = 5.0
_LONGEST_WAIT: Final = 5.0
_GAP_SECONDS: Final = 1.0

_PUBLISHED = belongs_to([topic.name for topic in TOPICS])


class Publisher(Protocol):
    """Where the relay sends events."""

    async def publish(self, events: Sequence[Recorded]) -> None:
        """Send ``events`` in order; return when all of them are acknowledged.

        When it fails, nothing was sent to a partition after what failed there.
        Raises Unavailable, MissingTopic.
        """
        ...

    async def empty(self) -> bool:
        """Whether the topics hold nothing at all. Raises Unavailable, MissingTopic."""
        ...

    async def close(self) -> None:
        """Let go of the broker; the next call connects again."""
        ...


class Relay:
    """One candidate. Any number of processes may run one; the lease lets one of them lead."""

    def __init__(
        self, store: EventStore, publisher: Publisher, lease: Lease, *, batch: int = BATCH
    ) -> None:
        """Relay from ``store``, up to ``batch`` events between two checkpoints."""
        self._store = store
        self._publisher = publisher
        self._lease = lease
        self._batch = batch
        self._position = 0

    async def run(self) -> None:
        """Lead whenever possible, for ever. Raises MissingTopic."""
        wait = FIRST_WAIT
        while True:
            began = self._position
            try:
                await self._lead()
            except LeaseLost as error:
                RELAY_GAP.set(0)
                log.warning("relay_lease_lost", reason=error.code)
            except Unavailable as error:
                log.warning("relay_waits", reason=error.code)
            wait = FIRST_WAIT if self._position > began else min(wait * 2, _LONGEST_WAIT)
            await asyncio.sleep(wait)

    async def _lead(self) -> None:
        """Wait for the lease, relay until something fails, and let go of it."""
        term = await self._lease.acquire()
        while term is None:
            await asyncio.sleep(self._lease.renew_every / 2)
            term = await self._lease.acquire()
        log.info("relay_leads", token=term.token, position=term.position)
        self._position = term.position
        parts = [asyncio.create_task(self._relay()), asyncio.create_task(self._stay_leader())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            await self._publisher.close()
            with suppress(Unavailable):
                await self._lease.release()

    async def _relay(self) -> None:
        if self._position and await self._publisher.empty():
            # The broker's disk was lost. The store is the record: the topics are filled again, and
            # whoever has seen an event already knows it by its position and id.
            log.warning("relay_starts_over", position=self._position)
            self._position = 0
        async for batch in self._store.follow(self._position, self._batch):
            self._lease.check()
            await self._publisher.publish(batch)
            await self._lease.save(batch[-1].position)
            self._position = batch[-1].position

    async def _stay_leader(self) -> None:
        """Renew the lease and measure the gap; ask a database that is away until the term ends."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if loop.time() >= due:
                due = loop.time() + self._lease.renew_every
                try:
                    await self._lease.renew()
                except LeaseLost:
                    raise
                except Unavailable as error:
                    log.warning("relay_renewal_waits", reason=error.code)
            self._lease.check()
            RELAY_GAP.set(max(0, await self._store.head() - self._position))
            await asyncio.sleep(min(_GAP_SECONDS, self._lease.renew_every))


class KafkaPublisher:
    """Sends events to their topics with an idempotent producer, a batch per partition at a time.

    A partition's next batch leaves only after the last one was acknowledged, and a batch is written
    whole or not at all: so a failure leaves no hole with something later behind it.
    """

    def __init__(self, bootstrap: str, *, timeout_ms: int = _TIMEOUT_MS) -> None:
        """Publish to ``bootstrap``; a batch that is not acknowledged in time has failed."""
        self._bootstrap = bootstrap
        self._timeout_ms = timeout_ms
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}

    async def publish(self, events: Sequence[Recorded]) -> None:
        """See ``Publisher.publish``."""
        try:
            producer = await self._connected()
            for layer in self._layers(producer, events):
                sent = [
                    await producer.send_batch(b, tp.topic, partition=tp.partition)
                    for tp, b in layer
                ]
                for result in await asyncio.gather(*sent, return_exceptions=True):
                    if isinstance(result, BaseException):
                        raise result
        except KafkaError as error:
            log.warning("relay_send_failed", reason=type(error).__name__)
            raise BrokerUnavailable(broker=self._bootstrap) from error

    async def empty(self) -> bool:
        """See ``Publisher.empty``."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
        try:
            await self._connected()
            await consumer.start()
            places = [TopicPartition(t, p) for t, n in self._partitions.items() for p in range(n)]
            return not any((await consumer.end_offsets(places)).values())
        except KafkaError as error:
            raise BrokerUnavailable(broker=self._bootstrap) from error
        finally:
            await consumer.stop()

    async def close(self) -> None:
        """See ``Publisher.close``."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # What is still on its way to a broker that is gone is not waited for.
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(producer.stop(), _STOP_SECONDS)

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id="jejak-relay",
            acks="all",
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
            max_request_size=TOPICS[0].max_bytes,
            request_timeout_ms=self._timeout_ms,
        )
        try:
            await producer.start()
            cluster = await producer.client.fetch_all_metadata()
            for name in (topic.name for topic in TOPICS):
                if name not in cluster.topics():
                    raise MissingTopic(topic=name)
                self._partitions[name] = len(cluster.partitions_for_topic(name))
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer
        return producer

    def _layers(
        self, producer: AIOKafkaProducer, events: Sequence[Recorded]
    ) -> Iterator[list[tuple[TopicPartition, Any]]]:
        """Yield what may be on its way at the same time: one batch for each partition."""
        batches: dict[TopicPartition, list[Any]] = {}
        for recorded in events:
            if not _PUBLISHED(recorded.stream):
                log.error("event_without_topic", event_id=recorded.event_id, type=recorded.type)
                continue
            record = to_record(recorded)
            topic = topic_of(recorded.stream).name
            tp = TopicPartition(topic, partition_of(record.key, self._partitions[topic]))
            queue = batches.setdefault(tp, [])
            at = recorded.recorded_us // 1000
            if not queue or not _added(queue[-1], record, at):
                queue.append(producer.create_batch())
                _added(queue[-1], record, at)
        for layer in zip_longest(*batches.values()):
            yield [
                (tp, batch) for tp, batch in zip(batches, layer, strict=True) if batch is not None
            ]


def _added(batch: Any, record: Any, timestamp_ms: int) -> bool:
    """Add a record to a batch; False when it is full (the first record always fits)."""
    added = batch.append(
        timestamp=timestamp_ms, key=record.key, value=record.value, headers=record.headers
    )
    return added is not None


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key, as every Kafka client's default partitioner would."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


async def relay_over_kafka(settings: Settings, store: EventStore, database: Database) -> None:
    """Be a candidate for the relay from ``store`` to ``settings.kafka``, for ever.

    The lease and the checkpoint are in ``database``, which all candidates share.
    """
    lease = TableLease(database, "relay", new_id())
    await Relay(store, KafkaPublisher(settings.kafka or ""), lease).run()
