"""The envelope: what surrounds every fact, before and after it is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

E = TypeVar("E")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(instant: datetime) -> int:
    """Return microseconds since 1970 in UTC. Raises ValueError for a naive instant."""
    try:
        delta = instant - _EPOCH
    except TypeError:
        raise ValueError("an instant needs a time zone") from None
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """Return the aware UTC instant of ``micros``."""
    return _EPOCH + timedelta(0, 0, micros)


class NewEvent(NamedTuple):
    """An encoded fact on its way into the store. ``data`` is JSON; times are microseconds UTC."""

    event_id: str
    type: str
    schema_version: int
    data: bytes
    occurred_us: int
    actor: str
    cause_id: str
    correlation_id: str


class Recorded(NamedTuple):
    """A fact as the store gives it back.

    ``position`` is its place in the one global order (from 1, growing, not always dense);
    ``version`` its place in its stream (from 1, dense); ``correlation_id`` the application.
    """

    position: int
    stream: str
    version: int
    event_id: str
    type: str
    schema_version: int
    data: bytes
    occurred_us: int
    recorded_us: int
    actor: str
    cause_id: str
    correlation_id: str

    @property
    def occurred_at(self) -> datetime:
        """When it happened, UTC."""
        return from_micros(self.occurred_us)

    @property
    def recorded_at(self) -> datetime:
        """When the store recorded it, UTC."""
        return from_micros(self.recorded_us)


class Fact(NamedTuple, Generic[E]):
    """A decoded event with what folds need of its envelope: when it happened and who did it."""

    event: E
    at: datetime
    actor: str = "system"


AnyFact = Fact[Any]
