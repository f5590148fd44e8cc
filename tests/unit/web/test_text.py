"""Clean text and the NIK: what is taken, and what is refused with which sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.text import CleanParagraph, CleanText, Nik

TEXT, PARAGRAPH, NIK = (TypeAdapter(kind) for kind in (CleanText, CleanParagraph, Nik))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Budi Contoh ", "Budi Contoh"),
        ("Cafe\u0301", "Café"),
        ("Jl. Melati No. 3/B, RT 01 — “baru”", "Jl. Melati No. 3/B, RT 01 — “baru”"),
        ("", ""),
    ],
)
def test_ordinary_text_is_kept(typed: str, kept: str) -> None:
    assert TEXT.validate_python(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["a\x00b", "a\nb", "a\x1bb", "a\u202eb", "a\u2066b", "a\u200fb", "a\ud800b", "a\ue000b"],
)
def test_characters_that_deceive_are_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        TEXT.validate_python(typed)


def test_too_long_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most 2000"):
        TEXT.validate_python("a" * 1_000_000)


def test_a_paragraph_keeps_its_lines() -> None:
    assert PARAGRAPH.validate_python("a\r\nb\rc\td") == "a\nb\nc\td"
    with pytest.raises(ValidationError):
        PARAGRAPH.validate_python("a\x07b")


@given(st.text(max_size=200))
def test_what_is_accepted_is_stable(typed: str) -> None:
    try:
        kept = str(TEXT.validate_python(typed))
    except ValidationError:
        return
    assert TEXT.validate_python(kept) == kept


@pytest.mark.parametrize(
    "nik",
    [
        "3271046504930002",
        "3271042902000001",
        "9271017112990001",
        "9501010101010001",
        " 3271 0465 0493 0002 ",
    ],
)
def test_a_possible_nik(nik: str) -> None:
    assert NIK.validate_python(nik) == nik.replace(" ", "")


@pytest.mark.parametrize(
    ("nik", "sentence"),
    [
        ("327104650493000", "16 digits"),
        ("32710465049300021", "16 digits"),
        ("32710465O4930002", "16 digits"),
        ("３２７１０４６５０４９３０００２", "16 digits"),
        ("1071046504930002", "province"),
        ("9771046504930002", "province"),
        ("3271043202930002", "date of birth"),
        ("3271043002930002", "date of birth"),
        ("3271047202930002", "date of birth"),
        ("3271046513930002", "date of birth"),
        ("3271040004930002", "date of birth"),
        ("3271044004930002", "date of birth"),
        ("3271046504930000", "can't exist"),
        ("3200046504930002", "can't exist"),
    ],
)
def test_an_impossible_nik(nik: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence) as caught:
        NIK.validate_python(nik)
    assert nik not in caught.value.errors(include_input=False)[0]["msg"]
