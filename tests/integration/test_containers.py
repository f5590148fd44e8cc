"""The images of ``deploy/containers`` run under testcontainers and behave as the local parts do.

``--parts=containers`` runs every other integration and contract test on them as well.
"""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from tests.fixtures import Broker, Database
from tests.integration.conftest import NewTopicFactory
from tests.integration.kafka_clients import consume, produce

pytestmark = pytest.mark.containers


async def test_a_broker_in_a_container_answers_at_its_published_port(
    container_kafka: Broker, new_topic: NewTopicFactory
) -> None:
    topic = new_topic(container_kafka.bootstrap)
    await produce(container_kafka.bootstrap, topic, [b"one", b"two"])
    assert await consume(container_kafka.bootstrap, topic, 2) == [b"one", b"two"]


async def test_a_killed_broker_comes_back_at_the_same_port_with_its_records(
    container_kafka: Broker, new_topic: NewTopicFactory
) -> None:
    topic = new_topic(container_kafka.bootstrap)
    await produce(container_kafka.bootstrap, topic, [b"kept"])
    await asyncio.to_thread(container_kafka.kill)
    await asyncio.to_thread(container_kafka.start)
    assert await consume(container_kafka.bootstrap, topic, 1) == [b"kept"]


def test_a_killed_database_keeps_its_commits(container_postgres: Database) -> None:
    dsn = container_postgres.create_database("killed")
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE facts AS SELECT generate_series(1, 100) AS n")
    container_postgres.kill()
    container_postgres.start()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM facts").fetchone() == (100,)
