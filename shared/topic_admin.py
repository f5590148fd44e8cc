"""Creates, checks and measures the topics: what ``jejak topics apply|check|lag`` runs.

The one place where topics come from. Synchronous: these are commands, not services.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError, RetriableError, TopicAlreadyExistsError

from shared.topics import ALL_TOPICS, BrokerUnavailable, Topic

SECONDS: Final = 15.0


class Applied(NamedTuple):
    """What became of one topic: ``created``, ``changed`` or ``kept``."""

    topic: str
    what: str


class Difference(NamedTuple):
    """How a topic is not as it should be. ``setting`` is ``topic`` for one that is missing."""

    topic: str
    setting: str
    wanted: str
    found: str


class Lag(NamedTuple):
    """How far a group is behind on a partition; ``committed`` is None before its first commit."""

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int


def apply(
    bootstrap: str, topics: Sequence[Topic] = ALL_TOPICS, *, seconds: float = SECONDS
) -> list[Applied]:
    """Create what is missing and set what is wrong.

    The number of partitions is never changed: a permit's key would move to another partition, and
    its events would overtake each other. ``check`` goes on naming it. Raises BrokerUnavailable.
    """
    with _admin(bootstrap, seconds) as admin:
        present = set(admin.list_topics())
        missing = [topic for topic in topics if topic.name not in present]
        created = {topic.name for topic in missing if _create(admin, topic)}
        if created:
            admin.wait_for_topics(sorted(created))
        there = [topic for topic in topics if topic.name not in created]
        changed = _set(admin, there)
        if created or changed:
            _settle(admin, topics, time.monotonic() + seconds)
    return [
        Applied(
            topic.name,
            "created" if topic.name in created else "changed" if topic.name in changed else "kept",
        )
        for topic in topics
    ]


def check(
    bootstrap: str, topics: Sequence[Topic] = ALL_TOPICS, *, seconds: float = SECONDS
) -> list[Difference]:
    """Return every difference between the topics as they are and as they should be.

    Raises BrokerUnavailable.
    """
    with _admin(bootstrap, seconds) as admin:
        partitions = _partitions(admin)
        there = [topic for topic in topics if topic.name in partitions]
        configs = _configs(admin, there)
    found: list[Difference] = []
    for topic in topics:
        if topic.name not in partitions:
            found.append(Difference(topic.name, "topic", "present", "missing"))
            continue
        if len(partitions[topic.name]) != topic.partitions:
            counts = str(topic.partitions), str(len(partitions[topic.name]))
            found.append(Difference(topic.name, "partitions", *counts))
        for name, value in _settings(topic).items():
            actual = configs[topic.name].get(name, "")
            if actual != value:
                found.append(Difference(topic.name, name, value, actual))
    return found


def lag(
    bootstrap: str, groups: Mapping[str, Sequence[str]], *, seconds: float = SECONDS
) -> list[Lag]:
    """Return how far each group is behind, for every partition of its topics.

    ``groups`` maps a group to the topics it reads; a topic that does not exist has no rows.
    Raises BrokerUnavailable.
    """
    with _admin(bootstrap, seconds) as admin:
        partitions = _partitions(admin)
        places = {
            group: [TopicPartition(t, p) for t in topics for p in partitions.get(t, ())]
            for group, topics in groups.items()
        }
        ends = _ends(admin, {tp for tps in places.values() for tp in tps})
        committed = _committed(admin, list(groups), time.monotonic() + seconds)
    rows = []
    for group, tps in places.items():
        for tp in tps:
            at = committed[group].get(tp)
            behind = max(0, ends[tp] - (at or 0))
            rows.append(Lag(group, tp.topic, tp.partition, at, ends[tp], behind))
    return rows


@contextmanager
def _admin(bootstrap: str, seconds: float) -> Iterator[KafkaAdminClient]:
    """Connect; every request has ``seconds``, and what fails is one typed error."""
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","),
            client_id="jejak-topics",
            request_timeout_ms=int(seconds * 1000),
            bootstrap_timeout_ms=int(seconds * 1000),
        )
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as error:
        raise BrokerUnavailable(broker=bootstrap) from error


def _settings(topic: Topic) -> dict[str, str]:
    """Return the configuration that a topic is given, by Kafka's own names."""
    return {
        "cleanup.policy": "compact" if topic.compact else "delete",
        "retention.ms": str(topic.retention_ms),
        # An event must never be too big for its topic: the store took it already.
        "max.message.bytes": str(topic.max_bytes),
    }


def _create(admin: KafkaAdminClient, topic: Topic) -> bool:
    try:
        admin.create_topics(
            {
                topic.name: {
                    "num_partitions": topic.partitions,
                    "replication_factor": topic.replication,
                    "configs": _settings(topic),
                }
            }
        )
    except TopicAlreadyExistsError:
        # Another command was faster.
        return False
    return True


def _set(admin: KafkaAdminClient, topics: Sequence[Topic]) -> set[str]:
    """Set what differs; return the names of the topics that changed."""
    wrong = _wrong(admin, topics)
    if wrong:
        admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, name, configs=settings)
                for name, settings in wrong.items()
            ]
        )
    return set(wrong)


def _settle(admin: KafkaAdminClient, topics: Sequence[Topic], deadline: float) -> None:
    """Wait until the broker shows what it took: its controller tells it a little later."""
    while _wrong(admin, topics) and time.monotonic() < deadline:
        time.sleep(0.05)


def _wrong(admin: KafkaAdminClient, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    """Return the settings of those topics that have other ones."""
    configs = _configs(admin, topics)
    return {
        topic.name: _settings(topic)
        for topic in topics
        if not _settings(topic).items() <= configs[topic.name].items()
    }


def _configs(admin: KafkaAdminClient, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    """Return topic -> setting -> value, for those settings that are ours."""
    if not topics:
        return {}
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, t.name, configs=dict.fromkeys(_settings(t)))
        for t in topics
    ]
    answer = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: {setting: about["value"] for setting, about in settings.items()}
        for name, settings in answer.items()
    }


def _partitions(admin: KafkaAdminClient) -> dict[str, list[int]]:
    return {
        topic["name"]: sorted(part["partition_index"] for part in topic["partitions"])
        for topic in admin.describe_topics()
    }


def _ends(admin: KafkaAdminClient, places: set[TopicPartition]) -> dict[TopicPartition, int]:
    if not places:
        return {}
    found = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    return {tp: place.offset for tp, place in found.items()}


def _committed(
    admin: KafkaAdminClient, groups: Sequence[str], deadline: float
) -> dict[str, dict[TopicPartition, int]]:
    if not groups:
        return {}
    while True:
        try:
            found = admin.list_group_offsets(dict.fromkeys(groups))
        except RetriableError:
            # A fresh broker makes its own topic of offsets when it is first asked.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
            continue
        return {
            group: {tp: place.offset for tp, place in places.items() if place.offset >= 0}
            for group, places in found.items()
        }
