"""Documents made on the spot: good ones, and each kind of bad one."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from functools import cache

from PIL import Image
from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import DictionaryObject, NameObject, PdfObject, TextStringObject


@cache
def pdf(text: str = "contoh") -> bytes:
    """Return a plain PDF of one page; another ``text`` gives another document."""
    return _written(_blank(text))


@cache
def jpeg(width: int = 40, height: int = 30) -> bytes:
    """Return a JPEG picture."""
    return _picture("JPEG", width, height)


@cache
def png(width: int = 40, height: int = 30) -> bytes:
    """Return a PNG picture."""
    return _picture("PNG", width, height)


def pdf_with_script() -> bytes:
    """Return a PDF that runs JavaScript when it is opened."""
    writer = _blank("js")
    action = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject("app.alert('x');")}
    writer.root_object[NameObject("/OpenAction")] = _dictionary(action)
    return _written(writer)


def pdf_with_file() -> bytes:
    """Return a PDF with another file attached."""
    writer = _blank("file")
    writer.add_attachment("inner.txt", b"inner")
    return _written(writer)


def pdf_with_launch() -> bytes:
    """Return a PDF whose opening starts a program."""
    writer = _blank("launch")
    action = {"/S": NameObject("/Launch"), "/F": TextStringObject("calc.exe")}
    writer.root_object[NameObject("/OpenAction")] = _dictionary(action)
    return _written(writer)


def pdf_with_link() -> bytes:
    """Return a harmless PDF with a link in it."""
    writer = _blank("link")
    writer.add_annotation(0, Link(rect=(0, 0, 9, 9), url="https://contoh.id"))
    return _written(writer)


def pdf_with_hidden_script_name() -> bytes:
    """Return a PDF that spells /JavaScript with an escaped letter."""
    return pdf_with_script().replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/J#53")


def encrypted_pdf() -> bytes:
    """Return a PDF that asks for a password."""
    writer = _blank("secret")
    writer.encrypt("rahasia", algorithm="RC4-128")
    return _written(writer)


def pixel_bomb() -> bytes:
    """Return a small PNG that claims 65,500 x 65,500 pixels."""
    return _header(65_500, 65_500)


def slightly_huge() -> bytes:
    """Return a PNG just over our own limit, and under the library's."""
    return _header(8_100, 8_000)


def zip_behind(document: bytes) -> bytes:
    """Return a document with an archive behind it."""
    return document + b"PK\x05\x06" + bytes(18)


def _header(width: int, height: int) -> bytes:
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    chunks = [(b"IHDR", size + b"\x08\x02\x00\x00\x00"), (b"IDAT", zlib.compress(bytes(100)))]
    body = b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in [*chunks, (b"IEND", b"")]
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _picture(kind: str, width: int, height: int) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (width, height), (30, 90, 160)).save(held, kind)
    return held.getvalue()


def _dictionary(entries: Mapping[str, PdfObject | str]) -> DictionaryObject:
    return DictionaryObject({NameObject(key): value for key, value in entries.items()})


def _blank(text: str) -> PdfWriter:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_metadata({"/Title": text})
    return writer


def _written(writer: PdfWriter) -> bytes:
    held = io.BytesIO()
    writer.write(held)
    return held.getvalue()
