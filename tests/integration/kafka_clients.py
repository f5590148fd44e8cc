"""The few things tests do with a broker, in a line each, over aiokafka."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def produce(bootstrap: str, topic: str, values: Sequence[bytes]) -> None:
    """Send ``values`` to ``topic`` in order; return when the broker has acknowledged all."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        sent = [await producer.send(topic, value) for value in values]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def consume(bootstrap: str, topic: str, count: int, seconds: float = 20) -> list[bytes]:
    """Return the first ``count`` values of ``topic``.

    Raises:
        TimeoutError: there were fewer after ``seconds``.
    """
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    values: list[bytes] = []
    try:
        async with asyncio.timeout(seconds):
            while len(values) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    values.extend(record.value for record in records)
    finally:
        await consumer.stop()
    return values[:count]
