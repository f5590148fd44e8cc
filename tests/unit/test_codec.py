"""The codec: envelopes, derived ids, and the seam through which personal values are protected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.actors import APPLICANT, Actor
from shared.codec import Codec
from shared.contracts import intake, workflow
from shared.errors import UndecodableEvent
from shared.events import NewEvent, Recorded, from_micros, to_micros
from shared.ids import event_id
from shared.privacy import Unguarded, personal_paths
from tests.examples import APPLICATION, OCCURRED_US, enveloped, example, examples

WIB = timezone(timedelta(hours=7))


@dataclass(frozen=True)
class Touch:
    now: datetime
    by: Actor = APPLICANT


class Reversed:
    """A toy guard: stores values back to front, bound to the permit and the field."""

    def seal(self, value: str, *, subject: str, event_id: str, field: str) -> str:
        return f"{subject}/{field}/{value[::-1]}"

    def open(self, stored: str, *, subject: str, event_id: str, field: str) -> str:
        prefix = f"{subject}/{field}/"
        if not stored.startswith(prefix):
            raise ValueError("sealed for somebody else")
        return stored.removeprefix(prefix)[::-1]


def recorded(new: NewEvent, stream: str = "permit-1", position: int = 1) -> Recorded:
    """Return ``new`` as a store gives it back."""
    return Recorded(position, stream, 1, *new[:5], new.occurred_us, *new[5:])


def test_encoded_events_carry_who_when_and_derived_ids() -> None:
    codec, stream = Codec(), f"permit-{APPLICATION}"
    command = Touch(datetime(2026, 1, 5, 8, 0, tzinfo=WIB), Actor("officer", "loket"))
    events = [example(workflow.FeeSettled), example(workflow.StageStarted)]
    new = codec.encode(events, stream, command, "cause-1", APPLICATION)
    assert [one.event_id for one in new] == [
        event_id("cause-1", stream, 0),
        event_id("cause-1", stream, 1),
    ]
    assert {(one.actor, one.cause_id, one.correlation_id) for one in new} == {
        ("officer:loket", "cause-1", APPLICATION)
    }
    assert from_micros(new[0].occurred_us) == datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
    assert codec.encode(events, stream, command, "cause-1", APPLICATION) == new


def test_a_fact_is_the_event_with_its_time_and_actor() -> None:
    event = example(workflow.PermitIssued)
    fact = Codec().fact(recorded(enveloped(event)))
    assert fact.event == event
    assert fact.actor == "officer:verifikator"
    assert fact.at == from_micros(OCCURRED_US)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_micros(datetime(2026, 1, 5))


def test_instants_survive_to_the_microsecond() -> None:
    for instant in (
        datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=WIB),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2999, 1, 1, tzinfo=UTC),
    ):
        assert from_micros(to_micros(instant)) == instant


@pytest.mark.parametrize("event", examples(), ids=lambda event: type(event).__name__)
def test_every_event_survives_a_guard(event: object) -> None:
    codec = Codec(Reversed())
    assert codec.decode(recorded(enveloped(event, codec))) == event


def test_nothing_personal_is_stored_behind_a_guard() -> None:
    codec = Codec(Reversed())
    event = example(intake.ApplicationSubmitted)
    new = enveloped(event, codec)
    personal = [
        event.applicant.name,
        event.applicant.nik,
        event.applicant.phone,
        event.applicant.email,
        event.applicant.address,
        *event.answers.values(),
        *(document.name for document in event.documents),
    ]
    text = new.data.decode()
    assert not [value for value in personal if value in text]
    stored = json.loads(new.data)
    assert stored["number"] == event.number
    assert stored["documents"][0]["sha256"] == event.documents[0].sha256
    assert list(stored["answers"]) == list(event.answers)


def test_a_value_sealed_for_another_permit_does_not_open() -> None:
    codec = Codec(Reversed())
    new = enveloped(example(workflow.PermitHandedOver), codec)
    moved = recorded(new._replace(correlation_id="another"))
    with pytest.raises(UndecodableEvent):
        codec.decode(moved)


def test_broken_data_behind_a_guard_is_undecodable_too() -> None:
    codec = Codec(Reversed())
    new = enveloped(example(workflow.PermitHandedOver), codec)
    for data in (b"{", b"[]", b"{}", b"7", b'{"receiver": 1}', b"\xff"):
        with pytest.raises(UndecodableEvent) as caught:
            codec.decode(recorded(new._replace(data=data)))
        assert caught.value.__cause__ is None


def test_unguarded_events_are_not_rewritten() -> None:
    event = example(intake.ApplicationSubmitted)
    assert enveloped(event, Codec(Unguarded())) == enveloped(event, Codec())
    assert not Codec(Unguarded()).guards
    assert Codec(Reversed()).guards


def test_personal_fields_are_found_where_they_are() -> None:
    assert set(personal_paths(intake.ApplicationSubmitted)) == {
        ("applicant", "name"),
        ("applicant", "nik"),
        ("applicant", "phone"),
        ("applicant", "email"),
        ("applicant", "address"),
        ("answers", "*"),
        ("documents", "*", "name"),
    }
    assert personal_paths(workflow.PermitIssued) == ()


def test_the_schema_of_an_event_names_its_fields() -> None:
    schema = Codec().json_schema("FeeSettled")
    assert set(schema["required"]) == {"application_id", "bill_id", "amount", "paid_at"}
    assert schema["properties"]["amount"]["type"] == "integer"
