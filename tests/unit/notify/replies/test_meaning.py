"""What words mean, and which date somebody promises."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.replies.meaning import MAX_WORDS, Addressed, Wish, addressed, clean, wish
from services.notify.replies.promise import promised

TODAY = date(2026, 11, 30)
NUMBERS = ("BGR-2026-000001", "BGR-2026-000017", "BGR-2026-001017")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("STOP", Wish.STOP),
        ("  stop. ", Wish.STOP),
        ("Berhenti!", Wish.STOP),
        ("MULAI", Wish.START),
        ("*start*", Wish.START),
        ("Status?", Wish.STATUS),
        ("cek   STATUS", Wish.STATUS),
        ("bahasa", Wish.INDONESIAN),
        ("English", Wish.ENGLISH),
        ("WA", Wish.WHATSAPP),
        ("Whatsapp", Wish.WHATSAPP),
        ("s-m-s", None),
        ("SMS", Wish.SMS),
        ("", None),
        ("...", None),
        ("stop pekerjaan karena hujan", None),
        ("status berkas saya bagaimana", None),
    ],
)
def test_a_word_of_command_is_the_whole_message(text: str, asks: Wish | None) -> None:
    assert wish(text) is asks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BGR-2026-000001 menunggu pemohon", ("BGR-2026-000001", "menunggu pemohon")),
        ("bgr 2026 000001: menunggu", ("BGR-2026-000001", "menunggu")),
        ("#BGR/2026/000017, sakit", ("BGR-2026-000017", "sakit")),
        ("BGR-2026-000001", ("BGR-2026-000001", "")),
        ("BGR-2026-000099 menunggu", ("", "menunggu")),
        ("000017 sakit", ("BGR-2026-000017", "sakit")),
        ("001. sakit", ("BGR-2026-000001", "sakit")),
        ("017 sakit", (None, "017 sakit")),
        ("3 berkas hilang", (None, "3 berkas hilang")),
        ("2026 penuh kendala", (None, "2026 penuh kendala")),
        ("menunggu BGR-2026-000001", (None, "menunggu BGR-2026-000001")),
        ("", (None, "")),
    ],
)
def test_a_number_at_the_beginning_names_the_file(text: str, found: tuple[str | None, str]) -> None:
    assert addressed(text, NUMBERS) == Addressed(*found)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Menunggu pemohon, selesai 3 Des", "2026-12-03"),
        ("selesai tanggal 3 Desember 2026 ya", "2026-12-03"),
        ("Akan selesai pada 2026-12-05.", "2026-12-05"),
        ("selesai besok", "2026-12-01"),
        ("menunggu tanda tangan, besok", "2026-12-01"),
        ("Done by 4 December", "2026-12-04"),
        ("ready tomorrow", "2026-12-01"),
        ("janji lusa", "2026-12-02"),
        ("rampung hari ini", "2026-11-30"),
        ("selesai 3 Jan", "2027-01-03"),
        # Said of something else than the end, unclear, denied, or impossible.
        ("besok saya cuti", ""),
        ("surat tanggal 3 Des 2026 belum datang", ""),
        ("belum selesai besok", ""),
        ("tidak akan siap", ""),
        ("selesai 03/12", ""),
        ("selesai 3 Nov", ""),
        ("selesai 2026-11-29", ""),
        ("selesai 31 Nov", ""),
        ("selesai 2026-13-40", ""),
        ("selesai 3 Des atau selesai 4 Des", ""),
        ("selesai secepatnya", ""),
        ("selesai 3 desa lagi", ""),
        ("", ""),
    ],
)
def test_only_a_clear_date_is_a_promise(text: str, day: str) -> None:
    assert promised(text, TODAY) == day


@given(st.text(max_size=300), st.dates(date(2020, 1, 1), date(2030, 12, 31)))
@settings(max_examples=200)
def test_any_text_is_read_without_failing(text: str, today: date) -> None:
    wish(text)
    addressed(text, NUMBERS)
    day = promised(text, today)
    assert day == "" or date.fromisoformat(day) >= today
    assert clean(clean(text)) == clean(text)


def test_a_very_long_text_is_read_in_no_time() -> None:
    text = "selesai pada hari tanggal " * 4_000
    assert promised(clean(text), TODAY) == ""


def test_text_is_fit_to_be_shown() -> None:
    assert clean("  a\u202eb\x00c\r\nd\u200b ") == "abc\nd"
    assert len(clean("x" * 9_000)) == MAX_WORDS
