"""Letters on paper: the bill (SKRD, STRD) and the proof of payment, as PDF with embedded fonts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table, TableStyle

from shared.sheets import (
    BOLD,
    INK,
    LINE,
    NUMBER,
    QR_SIDE,
    SUM,
    TIGHT,
    TITLE,
    WASH,
    WIDTH,
    Qr,
    facts,
    printed,
    stamp,
    text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a letter says, in the reader's language.

    ``facts`` are terms and values; ``lines`` label, calculation and amount under ``heads``;
    ``address`` is the page that says what is true today, behind the QR code. ``stamp`` is printed
    across the head of a letter that no longer counts.
    """

    lang: str
    title: str
    office: str
    place: str
    facts: Sequence[tuple[str, str]]
    heads: tuple[str, str, str]
    lines: Sequence[tuple[str, str, str]]
    total: tuple[str, str]
    notes: Sequence[str]
    address: str
    address_note: str
    stamp: str = ""


def drawn(letter: Letter) -> bytes:
    """Return the letter as PDF; the same letter gives the same bytes."""
    return printed(list(_story(letter)), title=letter.title, author=letter.office, lang=letter.lang)


def _story(letter: Letter) -> Sequence[Flowable]:
    story: list[Flowable] = [_head(letter), Spacer(1, 2 * mm)]
    if letter.stamp:
        story += [stamp(letter.stamp), Spacer(1, 2 * mm)]
    rows = [(text(term), text(value, BOLD)) for term, value in letter.facts]
    story += [facts(rows), Spacer(1, 5 * mm), _lines(letter), Spacer(1, 5 * mm)]
    story += [text(note) for note in letter.notes]
    return [*story, Spacer(1, 4 * mm), text(letter.address_note), text(letter.address, BOLD)]


def _head(letter: Letter) -> Table:
    words = [text(letter.office, BOLD), text(letter.place), Spacer(1, 6 * mm)]
    words.append(text(letter.title, TITLE))
    left = WIDTH - QR_SIDE - 4 * mm
    head = Table([[words, Qr(letter.address)]], colWidths=[left, WIDTH - left])
    head.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "BOTTOM")]))
    return head


def _lines(letter: Letter) -> Table:
    label, calculation, amount = letter.heads
    rows: list[list[Any]] = [[text(label, BOLD), text(calculation, BOLD), text(amount, SUM)]]
    rows += [[text(one), text(two), text(three, NUMBER)] for one, two, three in letter.lines]
    rows += [[text(letter.total[0], BOLD), "", text(letter.total[1], SUM)]]
    table = Table(rows, colWidths=[WIDTH * 0.36, WIDTH * 0.4, WIDTH * 0.24], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                *TIGHT,
                ("LINEBELOW", (0, 0), (-1, -2), 0.4, LINE),
                ("LINEABOVE", (0, -1), (-1, -1), 1, INK),
                ("BACKGROUND", (0, 0), (-1, 0), WASH),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("SPAN", (0, -1), (1, -1)),
            ]
        )
    )
    return table
