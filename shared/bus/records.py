"""Event <-> Kafka record: the CloudEvents 1.0 Kafka binding in binary mode. Pure functions.

The value is the event's JSON, the key the application's id, the envelope is in headers. Attribute
names beyond the standard's are lower-case letters, as the standard asks; nothing personal is in
any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from pydantic_core import from_json

from shared.errors import Defect
from shared.events import Recorded, from_micros, to_micros
from shared.topics import topic_of

Header = tuple[str, bytes]

CONTENT_TYPE: Final = ("content-type", b"application/json")
SPEC_VERSION: Final = ("ce_specversion", b"1.0")


class UnreadableRecord(Defect):
    """A record that is not one of ours: it is parked with ``reason``, which never holds data."""

    code = "unreadable-record"
    text = "A record of topic {topic} can't be read: {reason}."


class Outgoing(NamedTuple):
    """A record on its way to a topic."""

    key: bytes
    value: bytes
    headers: list[Header]


class Incoming(Protocol):
    """What is needed of a consumed record."""

    @property
    def topic(self) -> str: ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Sequence[Header]: ...


def to_record(recorded: Recorded) -> Outgoing:
    """Return the record of an event. Raises KeyError for a stream that no service owns."""
    service = topic_of(recorded.stream).service
    headers = [
        CONTENT_TYPE,
        SPEC_VERSION,
        ("ce_id", recorded.event_id.encode()),
        ("ce_type", recorded.type.encode()),
        ("ce_source", b"/jejak/" + service.encode()),
        ("ce_subject", recorded.stream.encode()),
        ("ce_time", _rfc3339(recorded.occurred_us)),
        ("ce_position", b"%d" % recorded.position),
        ("ce_streamversion", b"%d" % recorded.version),
        ("ce_schemaversion", b"%d" % recorded.schema_version),
        ("ce_recordedtime", _rfc3339(recorded.recorded_us)),
        ("ce_actor", recorded.actor.encode()),
        ("ce_causeid", recorded.cause_id.encode()),
        ("ce_correlationid", recorded.correlation_id.encode()),
    ]
    return Outgoing(recorded.correlation_id.encode(), recorded.data, headers)


def from_record(record: Incoming) -> Recorded:
    """Return the event of a record.

    Raises UnreadableRecord when a header is missing or wrong, the key is not the application's id,
    the stream does not belong on this topic, or the value is not a JSON object.
    """
    headers = dict(record.headers)
    try:
        if headers["ce_specversion"] != b"1.0":
            raise UnreadableRecord(topic=record.topic, reason="unknown CloudEvents version")
        recorded = Recorded(
            position=_positive(headers["ce_position"]),
            stream=headers["ce_subject"].decode(),
            version=_positive(headers["ce_streamversion"]),
            event_id=_filled(headers["ce_id"]),
            type=_filled(headers["ce_type"]),
            schema_version=_positive(headers["ce_schemaversion"]),
            data=record.value or b"",
            occurred_us=_micros(headers["ce_time"]),
            recorded_us=_micros(headers["ce_recordedtime"]),
            actor=headers["ce_actor"].decode(),
            cause_id=headers["ce_causeid"].decode(),
            correlation_id=headers["ce_correlationid"].decode(),
        )
    except KeyError as missing:
        # The name is one of ours, from the lines above.
        raise UnreadableRecord(
            topic=record.topic, reason=f"header {missing.args[0]} is missing"
        ) from None
    except (ValueError, AttributeError):
        # AttributeError: a header may hold no bytes at all.
        raise UnreadableRecord(topic=record.topic, reason="a header is not valid") from None
    _check(record, recorded)
    return recorded


def _check(record: Incoming, recorded: Recorded) -> None:
    if record.key != recorded.correlation_id.encode():
        raise UnreadableRecord(topic=record.topic, reason="the key is not the application's id")
    try:
        belongs = topic_of(recorded.stream).name
    except KeyError:
        belongs = ""
    if belongs != record.topic:
        raise UnreadableRecord(topic=record.topic, reason="the stream belongs on another topic")
    try:
        value = from_json(recorded.data)
    except ValueError:
        raise UnreadableRecord(topic=record.topic, reason="the value is not JSON") from None
    if not isinstance(value, dict):
        raise UnreadableRecord(topic=record.topic, reason="the value is not a JSON object")


def _rfc3339(micros: int) -> bytes:
    return from_micros(micros).isoformat().encode()


def _micros(text: bytes) -> int:
    return to_micros(datetime.fromisoformat(text.decode()))


def _positive(text: bytes) -> int:
    number = int(text)
    if not 1 <= number < 2**63:
        raise ValueError
    return number


def _filled(text: bytes) -> str:
    if not text:
        raise ValueError
    return text.decode()
