"""Letters on paper: the bill (SKRD, STRD) and the proof of payment, as PDF with embedded fonts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

import segno
from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

_INK, _LINE, _WASH, _VOID = map(HexColor, ("#161d4d", "#b9bdd3", "#eef0f8", "#a3152c"))
_MARGIN: Final = 20 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_QR: Final = 30 * mm
# Bitstream Vera comes with reportlab; embedded, so that a letter looks the same everywhere.
_FONTS: Final = {"Vera": "Vera.ttf", "VeraBd": "VeraBd.ttf"}

_TIGHT: Final = (("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3))

_BODY = ParagraphStyle("body", fontName="Vera", fontSize=9, leading=12)
_BOLD = ParagraphStyle("bold", parent=_BODY, fontName="VeraBd")
_NUMBER = ParagraphStyle("number", parent=_BODY, alignment=TA_RIGHT)
_SUM = ParagraphStyle("sum", parent=_BOLD, alignment=TA_RIGHT)
_TITLE = ParagraphStyle("title", parent=_BOLD, fontSize=14, leading=18, textColor=_INK)
_STAMP = ParagraphStyle(
    "stamp", parent=_BOLD, fontSize=12, leading=16, textColor=white, alignment=TA_CENTER
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
    _register()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=letter.title,
        author=letter.office,
        lang=letter.lang,
        invariant=1,
    )
    document.build(list(_story(letter)))
    return buffer.getvalue()


def _story(letter: Letter) -> Sequence[Flowable]:
    story: list[Flowable] = [_head(letter), Spacer(1, 2 * mm)]
    if letter.stamp:
        story += [_stamp(letter.stamp), Spacer(1, 2 * mm)]
    story += [_facts(letter), Spacer(1, 5 * mm), _lines(letter), Spacer(1, 5 * mm)]
    story += [_text(note) for note in letter.notes]
    return [*story, Spacer(1, 4 * mm), _text(letter.address_note), _text(letter.address, _BOLD)]


def _head(letter: Letter) -> Table:
    words = [_text(letter.office, _BOLD), _text(letter.place), Spacer(1, 6 * mm)]
    words.append(_text(letter.title, _TITLE))
    head = Table([[words, _Qr(letter.address)]], colWidths=[_WIDTH - _QR - 4 * mm, _QR + 4 * mm])
    head.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "BOTTOM")]))
    return head


def _text(text: str, style: ParagraphStyle = _BODY) -> Paragraph:
    return Paragraph(escape(text), style)


def _stamp(text: str) -> Table:
    stamp = Table([[_text(text, _STAMP)]], colWidths=[_WIDTH])
    stamp.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), _VOID)]))
    return stamp


def _facts(letter: Letter) -> Table:
    rows = [[_text(term), _text(value, _BOLD)] for term, value in letter.facts]
    facts = Table(rows, colWidths=[_WIDTH * 0.36, _WIDTH * 0.64])
    facts.setStyle(TableStyle([*_TIGHT, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return facts


def _lines(letter: Letter) -> Table:
    label, calculation, amount = letter.heads
    rows: list[list[Any]] = [[_text(label, _BOLD), _text(calculation, _BOLD), _text(amount, _SUM)]]
    rows += [[_text(one), _text(two), _text(three, _NUMBER)] for one, two, three in letter.lines]
    rows += [[_text(letter.total[0], _BOLD), "", _text(letter.total[1], _SUM)]]
    table = Table(rows, colWidths=[_WIDTH * 0.36, _WIDTH * 0.4, _WIDTH * 0.24], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                *_TIGHT,
                ("LINEBELOW", (0, 0), (-1, -2), 0.4, _LINE),
                ("LINEABOVE", (0, -1), (-1, -1), 1, _INK),
                ("BACKGROUND", (0, 0), (-1, 0), _WASH),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("SPAN", (0, -1), (1, -1)),
            ]
        )
    )
    return table


class _Qr(Flowable):
    """A QR code, drawn as rectangles with its quiet zone."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.width = self.height = _QR
        self._rows = [list(row) for row in segno.make(address, error="m").matrix_iter(border=4)]

    def draw(self) -> None:
        """Draw it, first row at the top."""
        side = _QR / len(self._rows)
        for down, row in enumerate(self._rows):
            for across, dark in enumerate(row):
                if dark:
                    # A little larger than its place: no hair lines between the rectangles.
                    top = _QR - (down + 1) * side
                    self.canv.rect(across * side, top, side * 1.02, side * 1.02, stroke=0, fill=1)


def _register() -> None:
    known = pdfmetrics.getRegisteredFontNames()
    for name, file in _FONTS.items():
        if name not in known:
            pdfmetrics.registerFont(TTFont(name, file))
