"""What tests on a real broker have in common. The parts themselves are in ``tests.fixtures``."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

NewTopicFactory = Callable[[str], str]


@pytest.fixture
def new_topic() -> NewTopicFactory:
    """A function that makes a topic of one partition on a broker; answers with its name.

    Every test has topics of its own, so that tests can share a broker.
    """

    def make(bootstrap: str) -> str:
        name = f"test.{uuid.uuid4().hex}"
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            admin.create_topics([NewTopic(name=name, num_partitions=1, replication_factor=1)])
        finally:
            admin.close()
        return name

    return make
