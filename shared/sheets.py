"""Sheets of paper as PDF: embedded fonts, labelled facts, a QR code, a stamp across what is void.

What a letter says is its service's; here is only how letters of every service look. The same
content gives the same bytes. Needs reportlab, which the extras of those services name.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import segno
from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

INK, LINE, WASH, VOID = map(HexColor, ("#161d4d", "#b9bdd3", "#eef0f8", "#a3152c"))
MARGIN: Final = 20 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
QR_SIDE: Final = 30 * mm
# Bitstream Vera comes with reportlab; embedded, so that a letter looks the same everywhere.
_FONTS: Final = {"Vera": "Vera.ttf", "VeraBd": "VeraBd.ttf"}
_ACROSS_SIZE: Final = 40

TIGHT: Final = (("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3))
BODY = ParagraphStyle("body", fontName="Vera", fontSize=9, leading=12)
BOLD = ParagraphStyle("bold", parent=BODY, fontName="VeraBd")
SMALL = ParagraphStyle("small", parent=BODY, fontSize=7, leading=9, textColor=HexColor("#4a4f73"))
NUMBER = ParagraphStyle("number", parent=BODY, alignment=TA_RIGHT)
SUM = ParagraphStyle("sum", parent=BOLD, alignment=TA_RIGHT)
TITLE = ParagraphStyle("title", parent=BOLD, fontSize=14, leading=18, textColor=INK)
_STAMP = ParagraphStyle(
    "stamp", parent=BOLD, fontSize=12, leading=16, textColor=white, alignment=TA_CENTER
)


def printed(
    story: Sequence[Flowable], *, title: str, author: str, lang: str, across: str = ""
) -> bytes:
    """Return ``story`` as PDF (A4); the same story gives the same bytes.

    ``across`` is written from corner to corner over every page.
    """
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=title,
        author=author,
        lang=lang,
        invariant=1,
    )

    def mark(canvas: Any, _: Any) -> None:
        if across:
            _write_across(canvas, across)

    document.build(list(story), onFirstPage=mark, onLaterPages=mark)
    return buffer.getvalue()


def text(words: str, style: ParagraphStyle = BODY) -> Paragraph:
    """Return plain words as a paragraph; nothing in them is markup."""
    _register()
    return Paragraph(escape(words), style)


def link(address: str, style: ParagraphStyle = BODY) -> Paragraph:
    """Return an address to read and to click."""
    _register()
    return Paragraph(f"<a href={quoteattr(address)}>{escape(address)}</a>", style)


def stamp(words: str) -> Table:
    """Return a band over the whole width, for a letter that no longer counts."""
    band = Table([[text(words, _STAMP)]], colWidths=[WIDTH])
    band.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), VOID)]))
    return band


def facts(rows: Sequence[tuple[Any, Any]]) -> Table:
    """Return terms and what they are, side by side; each is a flowable or a list of them."""
    # A long answer may go on over the page's end.
    table = Table(list(rows), colWidths=[WIDTH * 0.36, WIDTH * 0.64], splitInRow=1)
    table.setStyle(TableStyle([*TIGHT, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return table


class Qr(Flowable):
    """A QR code, drawn as rectangles with its quiet zone."""

    def __init__(self, address: str, side: float = QR_SIDE) -> None:
        """``address`` is what it leads to, ``side`` its length in points."""
        super().__init__()
        self.width = self.height = side
        self._rows = [list(row) for row in segno.make(address, error="m").matrix_iter(border=4)]

    def draw(self) -> None:
        """Draw it, first row at the top."""
        side = self.width / len(self._rows)
        for down, row in enumerate(self._rows):
            for across, dark in enumerate(row):
                if dark:
                    # A little larger than its place: no hair lines between the rectangles.
                    top = self.height - (down + 1) * side
                    self.canv.rect(across * side, top, side * 1.02, side * 1.02, stroke=0, fill=1)


def _write_across(canvas: Any, words: str) -> None:
    canvas.saveState()
    canvas.setFillColor(VOID)
    canvas.setFillAlpha(0.16)
    canvas.setFont("VeraBd", _ACROSS_SIZE)
    canvas.translate(A4[0] / 2, A4[1] / 2)
    canvas.rotate(55)
    canvas.drawCentredString(0, 0, words)
    canvas.restoreState()


@cache
def _register() -> None:
    for name, file in _FONTS.items():
        pdfmetrics.registerFont(TTFont(name, file))
