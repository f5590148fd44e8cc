"""Topics: where each service publishes its events. The key is always the application's id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from shared.contracts import BY_NAME
from shared.errors import Defect, Unavailable


class MissingTopic(Defect):
    """A topic does not exist on the broker. No service ever creates one."""

    code = "missing-topic"
    text = "Topic {topic} does not exist. Create the topics with: jejak topics apply"


class BrokerUnavailable(Unavailable):
    """The Kafka broker does not answer."""

    code = "broker-unavailable"
    text = "The Kafka broker at {broker} does not answer."


class Topic(NamedTuple):
    """One topic. ``retention_ms`` of -1 keeps records for ever; ``compact`` the last per key."""

    name: str
    service: str
    partitions: int = 12
    retention_ms: int = -1
    replication: int = 1
    max_bytes: int = 8 * 1024 * 1024
    compact: bool = False

    @property
    def events(self) -> tuple[str, ...]:
        """The stored names of the event types published here."""
        return tuple(kind.name for kind in BY_NAME.values() if kind.service == self.service)


INTAKE = Topic("jejak.intake", "intake")
WORKFLOW = Topic("jejak.workflow", "workflow")
PAYMENT = Topic("jejak.payment", "payment")
NOTIFY = Topic("jejak.notify", "notify")
PARKED = Topic("jejak.parked", "parked")

TOPICS: tuple[Topic, ...] = (INTAKE, WORKFLOW, PAYMENT, NOTIFY)

# What the Faust worker keeps for itself: its leader's election and its windowed table's changelog.
WORKER_ID = "jejak-worker"
WORKER_LEADER = Topic(f"{WORKER_ID}-__assignor-__leader", "worker", partitions=1)
WORKER_ACTIVITY = Topic(f"{WORKER_ID}-activity-changelog", "worker", compact=True)

ALL_TOPICS: tuple[Topic, ...] = (*TOPICS, PARKED, WORKER_LEADER, WORKER_ACTIVITY)

_BY_PREFIX = {
    "application": INTAKE,
    "mail": INTAKE,
    "office": INTAKE,
    "permit": WORKFLOW,
    "roster": WORKFLOW,
    "bill": PAYMENT,
    "suspense": PAYMENT,
    "settlement": PAYMENT,
    "closing": PAYMENT,
    "message": NOTIFY,
    "reply": NOTIFY,
    "consent": NOTIFY,
}


def topic_of(stream: str) -> Topic:
    """Return the topic that a stream's events go to; the prefix says who alone may append.

    Raises KeyError for a stream that belongs to no service.
    """
    return _BY_PREFIX[stream.split("-", 1)[0]]


def belongs_to(topics: Sequence[str]) -> Callable[[str], bool]:
    """Return a test whether a stream's events go to one of ``topics``.

    A stream that belongs to no service belongs to no topic.
    """
    prefixes = {prefix for prefix, topic in _BY_PREFIX.items() if topic.name in topics}
    return lambda stream: stream.split("-", 1)[0] in prefixes
