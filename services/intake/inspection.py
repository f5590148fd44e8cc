"""Is a document what it says, and can it be opened without harm?

A PDF is opened by pypdf and every object in it is looked at; a JPEG or PNG is opened by Pillow.
What runs, hides or attaches something is refused: an office's officers open these files all day.

Refusals (all ``UnsupportedDocument``, 415): ``NotADocument``, ``WrongExtension``,
``ProtectedDocument``, ``ActiveDocument``, ``HugePicture``.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from shared.errors import UnsupportedDocument

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
EXTENSIONS = {PDF: ("pdf",), JPEG: ("jpg", "jpeg"), PNG: ("png",)}
_STARTS = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG}

# The cameras of phones reach 50 megapixels; decoded, each pixel costs up to four bytes.
MAX_PIXELS = 64_000_000
MAX_PDF_OBJECTS = 50_000
MAX_PAGES = 500
_MAX_DEPTH = 40

# Beginnings of other formats inside a picture or behind a document: a file with two meanings.
_FOREIGN = re.compile(
    rb"<script|<html|<!doctype|<\?php|<svg|%PDF-|EICAR-STANDARD-ANTIVIRUS-TEST-FILE", re.IGNORECASE
)
_EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
_HTML = re.compile(rb"<script|<html|<!doctype", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = 66_000

_ACTIVE_KEYS = frozenset(
    {"/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/XFA", "/RichMediaContent"}
)
_ACTIVE_VALUES = frozenset(
    {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/EmbeddedFile"}
    | {"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"}
)


class NotADocument(UnsupportedDocument):
    """The content is no PDF, JPEG or PNG, or can't be opened."""

    code: ClassVar[str] = "not-a-document"


class WrongExtension(UnsupportedDocument):
    """The name's ending says something else than the content."""

    code: ClassVar[str] = "wrong-extension"
    text: ClassVar[str] = "The file's name does not fit what is in it. Send it under its own kind."


class ProtectedDocument(UnsupportedDocument):
    """An encrypted PDF."""

    code: ClassVar[str] = "protected-document"
    text: ClassVar[str] = "This PDF is protected by a password. Send it without one."


class ActiveDocument(UnsupportedDocument):
    """A PDF that runs something or carries other files."""

    code: ClassVar[str] = "active-document"
    text: ClassVar[str] = (
        "This PDF has scripts or other files in it. Print it to a plain PDF first."
    )


class HugePicture(UnsupportedDocument):
    """More pixels or pages than anybody needs: it would fill the memory of who opens it."""

    code: ClassVar[str] = "huge-picture"
    text: ClassVar[str] = "This document has too many pixels or pages. Send a smaller scan."


def sniff(start: bytes) -> str | None:
    """Return the media type that a file's first bytes belong to, or None."""
    return next((kind for magic, kind in _STARTS.items() if start.startswith(magic)), None)


def check_extension(name: str, media_type: str) -> None:
    """Raise WrongExtension unless the name ends as this kind of document does."""
    _, dot, ending = name.rpartition(".")
    if not dot or ending.lower() not in EXTENSIONS[media_type]:
        raise WrongExtension


def inspect(file: Path) -> str:
    """Return the media type of a document that may be kept. Slow: call it in a thread.

    Raises the refusals above.
    """
    with file.open("rb") as handle:
        media_type = sniff(handle.read(16))
        if media_type is None:
            raise NotADocument
        with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
            _refuse_two_meanings(content, media_type)
    if media_type == PDF:
        _check_pdf(file)
    else:
        _check_picture(file, media_type)
    return media_type


def _refuse_two_meanings(content: mmap.mmap, media_type: str) -> None:
    if content.find(_ZIP_END, max(0, len(content) - _ZIP_TAIL)) >= 0:
        raise NotADocument
    if media_type == PDF:
        found = content.find(_EICAR) >= 0 or bool(_HTML.search(content[:1024]))
    else:
        found = bool(_FOREIGN.search(content))
    if found:
        raise NotADocument


def _check_picture(file: Path, media_type: str) -> None:
    try:
        with Image.open(file, formats=["JPEG" if media_type == JPEG else "PNG"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise HugePicture
            if media_type == JPEG:
                # At an eighth of the size: everything is read, little is held in memory.
                picture.draft(None, (picture.width // 8 or 1, picture.height // 8 or 1))
                picture.load()
            else:
                picture.verify()
    except Image.DecompressionBombError:
        raise HugePicture from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError):
        # Pillow reports damage in all of these ways.
        raise NotADocument from None


def _check_pdf(file: Path) -> None:
    try:
        with PdfReader(file) as reader:
            if reader.is_encrypted:
                raise ProtectedDocument
            _refuse_active(reader)
            pages = len(reader.pages)
    except (PyPdfError, OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        # pypdf lets damage surface as whatever its parser stumbled over.
        raise NotADocument from None
    except (RecursionError, MemoryError, AssertionError, NotImplementedError, OverflowError):
        raise NotADocument from None
    if pages == 0:
        raise NotADocument
    if pages > MAX_PAGES:
        raise HugePicture


def _refuse_active(reader: PdfReader) -> None:
    numbers = [
        (number, generation)
        for generation, offsets in reader.xref.items()
        for number in offsets
        if number
    ]
    numbers += [(number, 0) for number in reader.xref_objStm]
    if len(numbers) > MAX_PDF_OBJECTS:
        raise HugePicture
    for number, generation in numbers:
        found = reader.get_object(IndirectObject(number, generation, reader))
        if any(map(_is_active, _dictionaries(found, 0))):
            raise ActiveDocument


def _dictionaries(found: Any, depth: int) -> Iterator[DictionaryObject]:
    """Yield the dictionaries directly inside; what an object refers to is looked at by itself."""
    if depth > _MAX_DEPTH:
        raise ActiveDocument
    if isinstance(found, DictionaryObject):
        yield found
        inner = [found.raw_get(key) for key in found]
    elif isinstance(found, ArrayObject):
        inner = [list.__getitem__(found, place) for place in range(len(found))]
    else:
        return
    for item in inner:
        if isinstance(item, DictionaryObject | ArrayObject):
            yield from _dictionaries(item, depth + 1)


def _is_active(found: DictionaryObject) -> bool:
    if not _ACTIVE_KEYS.isdisjoint(found):
        return True
    return any(
        isinstance(value := found.raw_get(key), str) and value in _ACTIVE_VALUES
        for key in ("/S", "/Subtype", "/Type")
        if key in found
    )
