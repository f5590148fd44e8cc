"""The broker that everything else relies on keeps what it acknowledged, and invents no topic."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient

from tests.fixtures import Broker
from tests.integration.conftest import NewTopicFactory
from tests.integration.kafka_clients import consume, produce

pytestmark = pytest.mark.kafka

VALUES = [f"event {number}".encode() for number in range(200)]


def topics_of(bootstrap: str) -> list[str]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        return list(admin.list_topics())
    finally:
        admin.close()


async def test_what_is_sent_arrives_in_order(
    kafka_bootstrap: str, new_topic: NewTopicFactory
) -> None:
    topic = new_topic(kafka_bootstrap)
    await produce(kafka_bootstrap, topic, VALUES)
    assert await consume(kafka_bootstrap, topic, len(VALUES)) == VALUES


async def test_another_client_library_reads_the_same(
    kafka_bootstrap: str, new_topic: NewTopicFactory
) -> None:
    topic = new_topic(kafka_bootstrap)
    await produce(kafka_bootstrap, topic, VALUES)
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=kafka_bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=3000,
    )
    try:
        read = [message.value for _, message in zip(VALUES, consumer, strict=False)]
    finally:
        consumer.close()
    assert read == VALUES


async def test_no_topic_is_made_by_accident(kafka_bootstrap: str) -> None:
    name = f"typo.{uuid.uuid4().hex}"
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, request_timeout_ms=2000)
    await producer.start()
    try:
        with pytest.raises(KafkaError):
            await producer.send_and_wait(name, b"lost")
    finally:
        await producer.stop()
    assert name not in topics_of(kafka_bootstrap)


async def test_acknowledged_records_survive_a_kill(
    spare_broker: Broker, new_topic: NewTopicFactory
) -> None:
    topic = new_topic(spare_broker.bootstrap)
    await produce(spare_broker.bootstrap, topic, VALUES[:100])
    await asyncio.to_thread(spare_broker.kill)
    await asyncio.to_thread(spare_broker.start)
    await produce(spare_broker.bootstrap, topic, VALUES[100:])
    assert await consume(spare_broker.bootstrap, topic, len(VALUES)) == VALUES


async def test_a_stop_keeps_records_and_address(
    spare_broker: Broker, new_topic: NewTopicFactory
) -> None:
    topic, before = new_topic(spare_broker.bootstrap), spare_broker.bootstrap
    await produce(before, topic, VALUES)
    await asyncio.to_thread(spare_broker.stop)
    await asyncio.to_thread(spare_broker.start)
    assert spare_broker.bootstrap == before
    assert await consume(before, topic, len(VALUES)) == VALUES


async def test_a_frozen_broker_acknowledges_after_it_goes_on(
    spare_broker: Broker, new_topic: NewTopicFactory
) -> None:
    topic = new_topic(spare_broker.bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=spare_broker.bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"before")
        await asyncio.to_thread(spare_broker.pause)
        acknowledged = await producer.send(topic, b"during")
        finished, _ = await asyncio.wait([acknowledged], timeout=2)
        assert not finished
        await asyncio.to_thread(spare_broker.resume)
        await asyncio.wait_for(acknowledged, 30)
    finally:
        await producer.stop()
    assert await consume(spare_broker.bootstrap, topic, 2) == [b"before", b"during"]
