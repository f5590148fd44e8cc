"""Lists on paper: PDF with the header repeated on every page, page numbers and embedded fonts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from shared.errors import InvalidInput

MAX_ROWS = 2_000
_INK, _LINE, _WASH = HexColor("#161d4d"), HexColor("#b9bdd3"), HexColor("#eef0f8")
_MARGIN = 15 * mm
# Bitstream Vera comes with reportlab; embedded, so that a page looks the same everywhere.
_FONTS = {"Vera": "Vera.ttf", "VeraBd": "VeraBd.ttf"}


class TooLongForPaper(InvalidInput):
    """More rows than anybody prints."""

    code = "too-long-for-paper"
    text = (
        "This list is too long for paper: at most {limit} rows. Narrow it down or save it as CSV."
    )


def paper(
    title: str,
    lead: Sequence[str],
    heads: Sequence[tuple[str, bool]],
    rows: Sequence[Sequence[str]],
    page_word: str,
    lang: str,
) -> bytes:
    """Return a PDF of one table. ``heads`` are labels and whether their column is numeric.

    ``page_word`` has a ``{page}`` to fill in. It takes about a second per thousand rows: call it in
    a thread. Raises TooLongForPaper.
    """
    if len(rows) > MAX_ROWS:
        raise TooLongForPaper(limit=MAX_ROWS)
    _register()
    head = ParagraphStyle("head", fontName="VeraBd", fontSize=7, leading=9, textColor=_INK)
    cell = ParagraphStyle("cell", fontName="Vera", fontSize=7, leading=9)
    number = ParagraphStyle("number", parent=cell, alignment=TA_RIGHT)
    styles = [number if numeric else cell for _, numeric in heads]
    table: list[list[Any]] = [[Paragraph(escape(label), head) for label, _ in heads]]
    for row in rows:
        table.append(
            [Paragraph(escape(text), style) for text, style in zip(row, styles, strict=True)]
        )
    return _built(title, lead, table, page_word, lang)


def _built(
    title: str, lead: Sequence[str], table: list[list[Any]], page_word: str, lang: str
) -> bytes:
    buffer = io.BytesIO()
    size = landscape(A4)
    document = SimpleDocTemplate(
        buffer, pagesize=size, title=title, author="Jejak", lang=lang, invariant=1
    )
    for side in ("leftMargin", "rightMargin", "topMargin", "bottomMargin"):
        setattr(document, side, _MARGIN)
    width = (size[0] - 2 * _MARGIN) / len(table[0])
    drawn = LongTable(table, colWidths=[width] * len(table[0]), repeatRows=1)
    drawn.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
                ("BACKGROUND", (0, 0), (-1, 0), _WASH),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    big = ParagraphStyle("title", fontName="VeraBd", fontSize=14, leading=18, textColor=_INK)
    small = ParagraphStyle("lead", fontName="Vera", fontSize=8, leading=11)

    def numbered(canvas: Any, _: Any) -> None:
        canvas.setFont("Vera", 7)
        canvas.drawRightString(
            size[0] - _MARGIN, 8 * mm, page_word.format(page=canvas.getPageNumber())
        )

    story = [
        Paragraph(escape(title), big),
        *[Paragraph(escape(line), small) for line in lead],
        Spacer(1, 4 * mm),
        drawn,
    ]
    document.build(story, onFirstPage=numbered, onLaterPages=numbered)
    return buffer.getvalue()


def _register() -> None:
    known = pdfmetrics.getRegisteredFontNames()
    for name, file in _FONTS.items():
        if name not in known:
            pdfmetrics.registerFont(TTFont(name, file))
