"""The secret code: derived, shown again, never stored. And receipts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.intake.secrecy import Secrecy, code_hash, read_code, same
from tests.unit.intake.samples import NEW_KTP, SUBMITTED

SECRECY = Secrecy("rahasia pertama", "rahasia kedua")
AT = "2026-01-05T01:00:00+00:00"


def test_a_code_is_26_readable_characters_and_always_the_same() -> None:
    code = SECRECY.code("app-1")
    assert len(code) == 26
    assert set(code) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert code == SECRECY.code("app-1")


def test_codes_differ_by_application_and_by_secret() -> None:
    codes = {SECRECY.code(f"app-{n}") for n in range(2000)}
    assert len(codes) == 2000
    assert SECRECY.code("app-1") != Secrecy("lain", "rahasia kedua").code("app-1")


def test_every_character_of_a_code_takes_every_value() -> None:
    codes = [SECRECY.code(f"app-{n}") for n in range(2000)]
    for place in range(26):
        assert len({code[place] for code in codes}) == 32


@pytest.mark.parametrize("typed", ["{}", "{} ", " {}", "{}".lower(), "-{}-"])
def test_a_code_may_be_typed_with_separators(typed: str) -> None:
    code = SECRECY.code("app-1")
    assert same(typed.format(code), code_hash(code))
    assert same(code.lower(), code_hash(code))
    spaced = " ".join(code[place : place + 4] for place in range(0, 26, 4))
    assert same(spaced, code_hash(code))


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    assert read_code("oO iI lL") == "001111"


@pytest.mark.parametrize("typed", ["", "0" * 26, "x" * 1_000_000, "\x00"])
def test_a_wrong_code_is_wrong(typed: str) -> None:
    assert not same(typed, code_hash(SECRECY.code("app-1")))


def test_a_receipt_fits_only_what_was_handed_in_and_when() -> None:
    signature = SECRECY.sign(SUBMITTED, AT)
    assert signature == SECRECY.sign(SUBMITTED, AT)
    others = [
        SECRECY.sign(SUBMITTED, "2026-01-05T01:00:01+00:00"),
        SECRECY.sign(replace(SUBMITTED, number="BGR-2026-000002"), AT),
        SECRECY.sign(replace(SUBMITTED, documents=(NEW_KTP,)), AT),
        Secrecy("rahasia pertama", "lain").sign(SUBMITTED, AT),
    ]
    assert signature not in others
