"""Language: which one is spoken, and how numbers, dates and working time read in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shared.errors import BadConfiguration
from shared.web.i18n import Translator, negotiate, read_catalogue

NOON = datetime(2026, 11, 23, 3, 56, tzinfo=UTC)
WITA = ZoneInfo("Asia/Makassar")


@pytest.mark.parametrize(
    ("query", "cookie", "header", "spoken"),
    [
        (None, None, "", "id"),
        (None, None, "en-GB,en;q=0.9", "en"),
        (None, None, "fr, en;q=0.3, id;q=0.4", "id"),
        (None, None, "in-ID,en;q=0.5", "id"),
        (None, None, "en;q=0", "id"),
        (None, None, "en;q=zero,,;;", "id"),
        (None, "en", "id", "en"),
        ("id", "en", "en", "id"),
        ("xx", "yy", "en", "en"),
    ],
)
def test_negotiation(query: str | None, cookie: str | None, header: str, spoken: str) -> None:
    assert negotiate(query, cookie, header) == spoken


def test_sentences_and_counts() -> None:
    indonesian, english = Translator("id"), Translator("en")
    assert indonesian.t("Signed in as {name}.", name="A") == "Masuk sebagai A."
    assert english.t("Signed in as {name}.", name="A") == "Signed in as A."
    assert english.n("{n} hour", "{n} hours", 1) == "1 hour"
    assert english.n("{n} hour", "{n} hours", 2) == "2 hours"
    assert indonesian.n("{n} hour", "{n} hours", 12_500) == "12.500 jam"


def test_an_unknown_sentence_speaks_english_rather_than_failing() -> None:
    assert Translator("id").t("Never written down {x}", x=1) == "Never written down 1"


def test_text_with_braces_is_only_filled_in_when_there_is_something_to_fill() -> None:
    assert Translator("en").t("{ not a placeholder }") == "{ not a placeholder }"


def test_dates_are_told_in_the_office_zone() -> None:
    assert Translator("id").datetime(NOON, WITA) == "23 November 2026, 11.56 WITA"
    assert (
        Translator("en").datetime(NOON, ZoneInfo("Asia/Jakarta")) == "23 November 2026, 10:56 WIB"
    )
    assert Translator("id").day(NOON, WITA) == "Senin, 23 November 2026"


@pytest.mark.parametrize(
    ("amount", "written"),
    [(0, "Rp0"), (1_250_000, "Rp1.250.000"), (-5_000, "-Rp5.000")],
)
def test_rupiah(amount: int, written: str) -> None:
    assert Translator("id").rupiah(amount) == Translator("en").rupiah(amount) == written


@pytest.mark.parametrize(
    ("minutes", "per_day", "words"),
    [
        (0, 480, "0 menit"),
        (25, 480, "25 menit"),
        (85, 480, "1 jam 25 menit"),
        (480, 480, "1 hari kerja"),
        (2 * 450 + 185, 450, "2 hari kerja 3 jam"),
        (-60, 480, "1 jam"),
    ],
)
def test_working_time(minutes: int, per_day: int, words: str) -> None:
    assert Translator("id").duration(minutes, per_day) == words


def _po(folder: Path, name: str, translation: str) -> None:
    (folder / name).write_text(f'msgid "Yes"\nmsgstr "{translation}"\n', encoding="utf-8")


def test_rooms_may_share_a_sentence_but_not_disagree(tmp_path: Path) -> None:
    _po(tmp_path, "a.po", "Ya")
    _po(tmp_path, "b.po", "Ya")
    assert read_catalogue(tmp_path) == {"Yes": ("Ya",)}
    _po(tmp_path, "b.po", "Iya")
    with pytest.raises(BadConfiguration, match=r"a\.po, b\.po"):
        read_catalogue(tmp_path)


def test_an_empty_translation_counts_as_missing(tmp_path: Path) -> None:
    _po(tmp_path, "a.po", "")
    assert read_catalogue(tmp_path) == {}
