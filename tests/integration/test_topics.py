"""Topics on a real broker: created on purpose, checked, measured."""

from __future__ import annotations

import time

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from shared.ids import new_id
from shared.topic_admin import Difference, apply, check, lag
from shared.topics import ALL_TOPICS, BrokerUnavailable, Topic
from tests.consuming import eventually
from tests.fixtures import Broker
from tests.integration.kafka_clients import produce

pytestmark = pytest.mark.kafka


def fresh(partitions: int = 1) -> Topic:
    """Return a topic nobody has made yet."""
    return Topic(f"test.{new_id()}", "intake", partitions)


def test_all_topics_are_created_with_what_they_declare(kafka_bootstrap: str) -> None:
    apply(kafka_bootstrap)
    assert check(kafka_bootstrap) == []
    assert [done.what for done in apply(kafka_bootstrap)] == ["kept"] * len(ALL_TOPICS)


def test_a_missing_topic_is_found_and_created(kafka_bootstrap: str) -> None:
    topic = fresh(partitions=3)
    assert check(kafka_bootstrap, [topic]) == [
        Difference(topic.name, "topic", "present", "missing")
    ]
    assert apply(kafka_bootstrap, [topic]) == [(topic.name, "created")]
    assert check(kafka_bootstrap, [topic]) == []


async def test_a_wrong_retention_is_found_and_set(kafka_bootstrap: str) -> None:
    topic = fresh()
    apply(kafka_bootstrap, [topic])
    _alter(kafka_bootstrap, topic.name, {"retention.ms": "60000"})
    difference = Difference(topic.name, "retention.ms", "-1", "60000")
    await eventually(lambda: _differs(kafka_bootstrap, topic, difference))
    assert apply(kafka_bootstrap, [topic]) == [(topic.name, "changed")]
    assert check(kafka_bootstrap, [topic]) == []


def test_partitions_are_named_but_never_changed(kafka_bootstrap: str) -> None:
    topic = fresh(partitions=2)
    apply(kafka_bootstrap, [topic])
    wider = topic._replace(partitions=4)
    difference = Difference(topic.name, "partitions", "4", "2")
    assert check(kafka_bootstrap, [wider]) == [difference]
    assert apply(kafka_bootstrap, [wider]) == [(topic.name, "kept")]
    assert check(kafka_bootstrap, [wider]) == [difference]


async def test_lag_counts_what_a_group_has_not_committed(kafka_bootstrap: str) -> None:
    topic = fresh(partitions=1)
    apply(kafka_bootstrap, [topic])
    await produce(kafka_bootstrap, topic.name, [b"one", b"two", b"three"])
    group = f"test-{new_id()}"
    assert lag(kafka_bootstrap, {group: [topic.name]}) == [(group, topic.name, 0, None, 3, 3)]
    _commit(kafka_bootstrap, group, topic.name, 2)
    assert lag(kafka_bootstrap, {group: [topic.name]}) == [(group, topic.name, 0, 2, 3, 1)]


def test_lag_of_nothing_is_nothing(kafka_bootstrap: str) -> None:
    assert lag(kafka_bootstrap, {}) == []
    assert lag(kafka_bootstrap, {"nobody": ["test.there-is-no-such-topic"]}) == []


@pytest.mark.parametrize("call", [apply, check, lambda at, **kw: lag(at, {"g": []}, **kw)])
def test_a_broker_that_is_not_there_is_a_typed_error_in_time(call: object) -> None:
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1 "):
        call("127.0.0.1:1", seconds=1)  # type: ignore[operator]
    assert time.monotonic() - began < 5


def test_a_broker_that_hangs_is_a_typed_error_in_time(spare_broker: Broker) -> None:
    spare_broker.pause()
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable):
        check(spare_broker.bootstrap, seconds=1)
    assert time.monotonic() - began < 10
    spare_broker.resume()


async def _differs(bootstrap: str, topic: Topic, difference: Difference) -> bool:
    return check(bootstrap, [topic]) == [difference]


def _alter(bootstrap: str, topic: str, configs: dict[str, str]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)])
    admin.close()


def _commit(bootstrap: str, group: str, topic: str, offset: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.alter_group_offsets(group, {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)})
    admin.close()
