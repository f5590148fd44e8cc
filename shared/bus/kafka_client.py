"""How the bus talks to the brokers: connected consumers, committed offsets, parked records.

Everything here waits while the brokers are gone, and never creates a topic.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from shared.patience import patiently
from shared.telemetry import PARKED, log
from shared.topics import PARKED as PARKED_TOPIC
from shared.topics import BrokerUnavailable, MissingTopic

# A reaction may wait long for a part that is down; that is no reason to take its partitions away.
# A member that died is noticed by its missing heartbeats.
_MAX_POLL_MS: Final = 3_600_000


class Brokers:
    """The brokers at ``bootstrap`` (``host:port``, comma-separated)."""

    def __init__(self, bootstrap: str, session_timeout_ms: int) -> None:
        """A member of a group that is silent for ``session_timeout_ms`` loses its partitions."""
        self._bootstrap = bootstrap
        self._session_timeout_ms = session_timeout_ms
        self._producer: AIOKafkaProducer | None = None

    async def consumer(self, topics: Sequence[str], group: str | None) -> AIOKafkaConsumer:
        """Return a started consumer of existing ``topics``.

        Without a group it has all their partitions; with one it has yet to subscribe.
        Raises MissingTopic.
        """

        async def connect() -> AIOKafkaConsumer:
            partitions = await self._partitions(topics)
            consumer = self._consumer(group)
            try:
                await consumer.start()
            except KafkaError as error:
                await consumer.stop()
                raise BrokerUnavailable(broker=self._bootstrap) from error
            if group is None:
                consumer.assign(partitions)
            return consumer

        return await patiently("broker", connect, group=group or "live")

    async def committed(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """Return what ``group`` has committed."""

        async def fetch() -> dict[TopicPartition, OffsetAndMetadata]:
            async with self._admin() as admin:
                return dict(await admin.list_consumer_group_offsets(group))

        return await patiently("broker", fetch, group=group)

    async def park(self, group: str, record: ConsumerRecord[Any, Any], why: str) -> None:
        """Send a record that ``group`` can't read to the parked topic, as it was, with ``why``."""
        await patiently("broker", lambda: self._send(group, record, why), group=group)
        PARKED.labels(group).inc()
        log.error(
            "record_parked",
            consumer=group,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=why,
        )

    async def close(self) -> None:
        """Let go of the brokers; consumers are closed by those who asked for them."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            await admin.start()
            yield admin
        except KafkaError as error:
            raise BrokerUnavailable(broker=self._bootstrap) from error
        finally:
            await admin.close()

    async def _partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        """Return the partitions of ``topics``. To ask for all of them by no name creates none."""
        async with self._admin() as admin:
            found = {about["topic"]: about["partitions"] for about in await admin.describe_topics()}
        missing = [topic for topic in topics if topic not in found]
        if missing:
            raise MissingTopic(topic=missing[0])
        return [TopicPartition(t, about["partition"]) for t in topics for about in found[t]]

    def _consumer(self, group: str | None) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="jejak",
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=self._session_timeout_ms // 3,
            max_poll_interval_ms=_MAX_POLL_MS,
            # Partition n of every topic goes to one member: it sees all of a permit.
            partition_assignment_strategy=(RangePartitionAssignor,),
        )

    async def _send(self, group: str, record: ConsumerRecord[Any, Any], why: str) -> None:
        about = {
            "parkedreason": why,
            "parkedgroup": group,
            "parkedtopic": record.topic,
            "parkedpartition": str(record.partition),
            "parkedoffset": str(record.offset),
        }
        headers = [*record.headers, *((name, text.encode()) for name, text in about.items())]
        # A record needs a key or a value; one that had neither gets an empty value.
        value = record.value if record.value is not None or record.key is not None else b""
        try:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True
                )
                await producer.start()
                self._producer = producer
            await self._producer.send_and_wait(
                PARKED_TOPIC.name, value, key=record.key, headers=headers
            )
        except KafkaError as error:
            await self.close()
            raise BrokerUnavailable(broker=self._bootstrap) from error
