"""Kafka records: CloudEvents 1.0 in binary mode, there and back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.records import Header, UnreadableRecord, from_record, to_record
from shared.events import Recorded
from tests.consuming import recorded


@dataclass(frozen=True)
class Record:
    """A record as a consumer gets it."""

    topic: str = "jejak.intake"
    key: bytes | None = b"a"
    value: bytes | None = b"{}"
    headers: list[Header] = field(default_factory=list)


def record_of(event: Recorded) -> Record:
    """Return the record that a consumer would get of ``event``."""
    return Record("jejak.intake", *to_record(event))


def changed(name: str, value: bytes) -> Record:
    """Return a good record with one header changed."""
    good = record_of(recorded(7))
    return replace(good, headers=[(n, value if n == name else v) for n, v in good.headers])


def test_the_headers_are_those_of_the_cloud_events_kafka_binding() -> None:
    event = recorded(7)
    key, value, headers = to_record(event)
    assert (key, value) == (b"a", event.data)
    assert dict(headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": event.event_id.encode(),
        "ce_type": b"ApplicationWithdrawn",
        "ce_source": b"/jejak/intake",
        "ce_subject": b"application-a",
        "ce_time": b"2026-01-05T01:03:20.000007+00:00",
        "ce_position": b"7",
        "ce_streamversion": b"7",
        "ce_schemaversion": b"1",
        "ce_recordedtime": b"2026-01-05T01:03:20.000012+00:00",
        "ce_actor": b"applicant",
        "ce_causeid": event.cause_id.encode(),
        "ce_correlationid": b"a",
    }


def test_attribute_names_are_lower_case_letters_and_digits() -> None:
    for name, _ in to_record(recorded(1)).headers:
        if name != "content-type":
            assert name.removeprefix("ce_").isalnum()
            assert name == name.lower()


micros = st.integers(min_value=0, max_value=4_000_000_000_000_000)
numbers = st.integers(min_value=1, max_value=2**62)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(numbers, numbers, numbers, micros, micros, texts, texts, texts)
def test_what_goes_out_comes_back(
    position: int,
    version: int,
    schema: int,
    occurred: int,
    known: int,
    actor: str,
    cause: str,
    application: str,
) -> None:
    event = recorded(1)._replace(
        position=position,
        version=version,
        schema_version=schema,
        occurred_us=occurred,
        recorded_us=known,
        actor=actor,
        cause_id=cause,
        correlation_id=application,
    )
    assert from_record(record_of(event)) == event


@pytest.mark.parametrize("name", [n for n, _ in to_record(recorded(1)).headers if n[:3] == "ce_"])
def test_a_missing_header_is_named(name: str) -> None:
    good = record_of(recorded(7))
    bad = replace(good, headers=[(n, v) for n, v in good.headers if n != name])
    if name == "ce_source":
        # Everything it says is known from the stream.
        assert from_record(bad) == recorded(7)
        return
    with pytest.raises(UnreadableRecord) as caught:
        from_record(bad)
    assert caught.value.params["reason"] == f"header {name} is missing"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b""),
        ("ce_type", b""),
        ("ce_type", b"\xff"),
        ("ce_position", b"0"),
        ("ce_position", b"-4"),
        ("ce_position", b"seven"),
        ("ce_position", b"9223372036854775808"),
        ("ce_streamversion", b""),
        ("ce_schemaversion", b"1.5"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-01-05T01:03:20"),
        ("ce_recordedtime", b"\xff\xfe"),
        ("ce_subject", b"stranger-a"),
        ("ce_subject", b"permit-a"),
        ("ce_correlationid", b"b"),
    ],
)
def test_a_wrong_header_is_refused(name: str, value: bytes) -> None:
    with pytest.raises(UnreadableRecord):
        from_record(changed(name, value))


@pytest.mark.parametrize("key", [None, b"", b"b", b"\xff"])
def test_a_wrong_key_is_refused(key: bytes | None) -> None:
    with pytest.raises(UnreadableRecord, match="key"):
        from_record(replace(record_of(recorded(7)), key=key))


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff", b"7", b"[]", b"null", b'{"a":1}}'])
def test_a_value_that_is_no_json_object_is_refused(value: bytes | None) -> None:
    with pytest.raises(UnreadableRecord, match="JSON"):
        from_record(replace(record_of(recorded(7)), value=value))


SECRET = b"3271046504930002"


@pytest.mark.parametrize("name", ["specversion", "subject", "time", "recordedtime", "value"])
def test_an_error_never_repeats_what_the_record_held(name: str) -> None:
    good = replace(record_of(recorded(7)), value=SECRET)
    with pytest.raises(UnreadableRecord) as caught:
        from_record(good if name == "value" else changed(f"ce_{name}", SECRET))
    assert SECRET.decode() not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
