"""Forms: typed values out, sentences people understand, nothing echoed."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import pytest
from fastapi.testclient import TestClient
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from shared.web.forms import FieldError, Form, parse_form
from shared.web.i18n import Translator
from tests.unit.web.kit import HOSTILE, HTML, Person, token_in

GOOD = {"name": " Pemohon Contoh ", "nik": "3271046504930002"}


class Colour(StrEnum):
    RED = "red"


class Everything(BaseModel):
    """One field per sentence."""

    count: Annotated[int, Field(ge=1, le=9)] = 1
    size: Annotated[float, Field(gt=0)] = 1.0
    day: date = date(2026, 1, 1)
    at: AwareDatetime | None = None
    colour: Colour = Colour.RED
    yes: bool = False
    word: Annotated[str, Field(min_length=2, max_length=4, pattern="^[a-z]+$")] = "ab"
    some: Annotated[list[str], Field(max_length=2)] = []


def test_a_good_form_becomes_a_value() -> None:
    parsed = parse_form(Person, {**GOOD, "csrf_token": "x"})
    assert parsed.value == Person(name="Pemohon Contoh", nik="3271046504930002")
    assert parsed.form.errors == ()


def test_a_prepared_adapter_will_do() -> None:
    assert parse_form(TypeAdapter(dict[str, int]), {"a": "1"}).value == {"a": 1}


def test_blank_is_absent() -> None:
    parsed = parse_form(Person, {"name": "   ", "nik": ""})
    assert parsed.value is None
    assert [error.field for error in parsed.form.errors] == ["name", "nik"]
    assert parsed.form.errors[0].say(Translator("id")) == "Harus diisi."


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("count", "many", "Isi dengan bilangan bulat."),
        ("count", "0", "Isi 1 atau lebih."),
        ("count", "10", "Isi 9 atau kurang."),
        ("size", "0", "Isi lebih dari 0.0."),
        ("size", "wide", "Isi dengan angka."),
        ("day", "yesterday", "Isi dengan tanggal, misalnya 2026-11-23."),
        ("at", "2026-01-01T10:00", "Isi dengan tanggal dan jam, misalnya 2026-11-23T09:00."),
        ("colour", "blue", "Pilih salah satu."),
        ("yes", "perhaps", "Pilih salah satu."),
        ("word", "a", "Gunakan sedikitnya 2 huruf."),
        ("word", "abcde", "Gunakan paling banyak 4 huruf."),
        ("word", "AB", "Penulisannya tidak sesuai."),
    ],
)
def test_every_kind_of_mistake_has_a_sentence(field: str, typed: str, sentence: str) -> None:
    (error,) = parse_form(Everything, {field: typed}).form.errors
    assert error.field == field
    assert error.say(Translator("id")) == sentence


def test_lists_stay_lists() -> None:
    one = parse_form(Everything, {"some": "a"}, lists=frozenset({"some"}))
    assert one.value is not None
    assert one.value.some == ["a"]
    (error,) = parse_form(Everything, {"some": ["a", "b", "c"]}).form.errors
    assert error.say(Translator("en")) == "Choose at most 2."
    assert one.form.has("some", "a")
    assert not one.form.has("some", "b")


def test_an_unknown_field_is_refused_without_repeating_a_hostile_name() -> None:
    (error,) = parse_form(Person, {**GOOD, HOSTILE: "1"}).form.errors
    assert error == FieldError("?", "This field is not known here.")


def test_a_rule_no_model_holds() -> None:
    form = Form({"a": "1"}).with_error("a", "Enter {ge} or more.", ge=5)
    error = form.error("a")
    assert error is not None
    assert error.say(Translator("en")) == "Enter 5 or more."
    assert form.error("b") is None


def test_the_page_shows_summary_and_field_errors_and_escapes_what_was_typed(
    client: TestClient,
) -> None:
    token = token_in(client.get("/apply", headers=HTML).text)
    answer = client.post(
        "/apply", data={"csrf_token": token, "name": HOSTILE, "nik": "1"}, headers=HTML
    )
    assert answer.status_code == 422
    assert 'href="#f-nik"' in answer.text
    assert 'id="f-nik"' in answer.text
    assert ">The NIK: NIK terdiri dari 16 angka" in answer.text
    assert 'aria-describedby="h-nik e-nik"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert HOSTILE not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_a_good_form_leads_on_with_a_word_said_once(client: TestClient) -> None:
    token = token_in(client.get("/apply", headers=HTML).text)
    first = client.post("/apply", data={**GOOD, "csrf_token": token}, headers=HTML)
    assert first.url.path == "/apply"
    assert "Masuk sebagai X &amp; Y." in first.text
    assert "Masuk sebagai" not in client.get("/apply", headers=HTML).text


def test_an_upload_learns_where_to_go_instead_of_following(client: TestClient) -> None:
    token = token_in(client.get("/apply", headers=HTML).text)
    answer = client.post(
        "/apply",
        data={**GOOD, "csrf_token": token},
        headers={**HTML, "x-jejak-upload": "1"},
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["x-location"]) == (204, "/apply")
