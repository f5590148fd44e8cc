"""Published events are for ever: every version ever stored decodes, byte for byte."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.codec import Codec
from shared.contracts import BY_NAME, EventType
from shared.contracts.registry import event
from shared.contracts.upcasters import UPCASTERS, upcast
from shared.errors import UndecodableEvent
from shared.events import NewEvent, Recorded
from shared.topics import TOPICS
from tests.examples import GOLDEN, enveloped, example, golden_file

KINDS = sorted(BY_NAME.values(), key=lambda kind: kind.name)
FILES = sorted(GOLDEN.glob("*.json"))
CODEC = Codec()


def stored(name: str, version: int, data: bytes) -> Recorded:
    """Return an event as the store gives it back."""
    return Recorded(1, "permit-1", 1, "id", name, version, data, 1, 1, "system", "cause", "1")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_event_has_a_golden_file(kind: EventType) -> None:
    assert golden_file(kind).exists(), "run: python -m tests.examples write"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_current_version_decodes_to_the_example_and_encodes_the_same(kind: EventType) -> None:
    data = golden_file(kind).read_bytes().rstrip(b"\n")
    decoded = CODEC.decode(stored(kind.name, kind.version, data))
    assert decoded == example(kind.cls)
    assert enveloped(decoded).data == data


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_version_ever_stored_decodes(file: Path) -> None:
    name, version = re.fullmatch(r"(\w+)\.v(\d+)\.json", file.name).groups()  # type: ignore[union-attr]
    decoded = CODEC.decode(stored(name, int(version), file.read_bytes()))
    assert type(decoded) is BY_NAME[name].cls


def test_every_old_version_has_an_upcaster_and_a_golden_file() -> None:
    old = {(kind.name, version) for kind in KINDS for version in range(1, kind.version)}
    assert set(UPCASTERS) == old
    assert {(kind, version) for kind, version in old} <= {
        (file.name.split(".")[0], int(file.name.split(".")[1][1:])) for file in FILES
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_events_are_frozen_and_belong_to_a_publisher(kind: EventType) -> None:
    one: Any = example(kind.cls)
    field = dataclasses.fields(one)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, field, "changed")
    assert any(kind.name in topic.events for topic in TOPICS)
    assert kind.cls.__doc__


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_names_are_past_tense_and_name_one_thing(kind: EventType) -> None:
    assert not re.search(r"Updated|Changed$|And[A-Z]", kind.name)


def test_two_events_can_not_have_one_name() -> None:
    with pytest.raises(ValueError, match="PermitIssued"):

        @event("PermitIssued")
        class Other:
            """Would be stored under a name that is taken."""


def test_upcasting_goes_one_step_at_a_time() -> None:
    steps = {
        ("Made", 1): lambda stored: {**stored, "currency": "IDR"},
        ("Made", 2): lambda stored: {**stored, "amount": stored["amount"] * 100},
        ("Other", 1): lambda stored: {},
    }
    assert upcast("Made", 1, 3, {"amount": 5}, steps) == {"amount": 500, "currency": "IDR"}
    assert upcast("Made", 2, 3, {"amount": 5}, steps) == {"amount": 500}
    assert upcast("Made", 3, 3, {"amount": 5}, steps) == {"amount": 5}
    with pytest.raises(KeyError):
        upcast("Made", 1, 4, {"amount": 5}, steps)


def test_the_envelope_of_an_example_is_whole() -> None:
    new = enveloped(example(BY_NAME["PermitIssued"].cls))
    assert isinstance(new, NewEvent)
    assert (new.type, new.schema_version) == ("PermitIssued", 2)
    assert json.loads(new.data)["document_number"] == "503/0042/BPPTPM/2026"


SECRET = b"3271046504930002"


@pytest.mark.parametrize(
    ("name", "version", "data"),
    [
        ("NeverHeardOf", 1, b'{"nik":"%s"}' % SECRET),
        ("PermitIssued", 99, b'{"nik":"%s"}' % SECRET),
        ("PermitIssued", 0, b'{"nik":"%s"}' % SECRET),
        ("PermitIssued", 1, b'{"nik":"%s"' % SECRET),
        ("PermitIssued", 1, b'{"application_id":"%s"}' % SECRET),
        ("PermitIssued", 1, b'["%s"]' % SECRET),
        ("FeeSettled", 1, b'{"application_id":"1","bill_id":"1","amount":"%s x"}' % SECRET),
        ("PermitIssued", 1, b"\xff\xfe" + SECRET),
        ("PermitIssued", 1, b""),
    ],
)
def test_what_can_not_be_read_says_so_without_repeating_it(
    name: str, version: int, data: bytes
) -> None:
    with pytest.raises(UndecodableEvent) as caught:
        CODEC.decode(stored(name, version, data))
    error: BaseException | None = caught.value
    assert caught.value.params == {"type": name, "version": version}
    while error is not None:
        assert SECRET.decode() not in repr(error) + str(error)
        error = error.__cause__
