"""Documents are kept whole, once, and only when they are what they say."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.intake.inspection import (
    ActiveDocument,
    HugePicture,
    NotADocument,
    ProtectedDocument,
    WrongExtension,
    check_extension,
)
from services.intake.uploads import BadFileName, Stored, UnknownDocument, Uploads, clean_name
from shared.errors import JejakError, StoreFull, TooLarge
from tests.unit.intake import papers
from tests.unit.intake.house import sha256


async def pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (papers.pdf(), "application/pdf"),
        (papers.pdf_with_link(), "application/pdf"),
        (papers.jpeg(), "image/jpeg"),
        (papers.png(), "image/png"),
    ],
)
async def test_a_good_document_is_kept_under_its_hash(
    tmp_path: Path, data: bytes, media_type: str
) -> None:
    uploads = Uploads(tmp_path)
    stored = await uploads.keep(pieces(data))
    assert stored == Stored(hashlib.sha256(data).hexdigest(), len(data), media_type)
    assert uploads.path(stored.sha256).read_bytes() == data
    assert await uploads.find([stored.sha256]) == [stored]
    assert files(tmp_path) == [uploads.path(stored.sha256)]


async def test_the_same_document_is_kept_once(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    kept = await asyncio.gather(*(uploads.keep(pieces(papers.pdf())) for _ in range(5)))
    assert len(set(kept)) == 1
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", NotADocument),
        (b"hello", NotADocument),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NotADocument),
        (b"<html><script>alert(1)</script>", NotADocument),
        (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*", NotADocument),
        (b"%PDF-1.7 and then nothing of the kind", NotADocument),
        (papers.pdf()[: len(papers.pdf()) // 2], NotADocument),
        (b" " + papers.pdf(), NotADocument),
        (papers.jpeg(400, 300)[:700], NotADocument),
        (papers.png()[:-30], NotADocument),
        (papers.png()[:60] + b"\x00" + papers.png()[61:], NotADocument),
        (papers.jpeg() + papers.pdf(), NotADocument),
        (papers.png() + b"<script>alert(1)</script>", NotADocument),
        (papers.zip_behind(papers.pdf()), NotADocument),
        (papers.zip_behind(papers.jpeg()), NotADocument),
        (papers.encrypted_pdf(), ProtectedDocument),
        (papers.pdf_with_script(), ActiveDocument),
        (papers.pdf_with_hidden_script_name(), ActiveDocument),
        (papers.pdf_with_file(), ActiveDocument),
        (papers.pdf_with_launch(), ActiveDocument),
        (papers.pixel_bomb(), HugePicture),
        (papers.slightly_huge(), HugePicture),
    ],
)
async def test_a_bad_document_is_refused_and_nothing_stays(
    tmp_path: Path, data: bytes, refusal: type[JejakError]
) -> None:
    with pytest.raises(JejakError) as caught:
        await Uploads(tmp_path).keep(pieces(data))
    assert type(caught.value) is refusal
    assert caught.value.status == 415
    assert files(tmp_path) == []


async def test_too_many_bytes_are_refused_while_they_come(tmp_path: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield papers.pdf()
        while True:
            taken += 1
            yield bytes(1000)

    with pytest.raises(TooLarge):
        await Uploads(tmp_path, max_bytes=50_000).keep(endless())
    assert taken < 60
    assert files(tmp_path) == []


async def test_a_connection_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield papers.pdf()[:100]
        raise ConnectionResetError

    with pytest.raises(JejakError):
        await Uploads(tmp_path).keep(broken())
    assert files(tmp_path) == []


async def test_a_full_disk_is_said_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull):
        await Uploads(tmp_path).keep(pieces(papers.pdf()))
    assert files(tmp_path) == []
    monkeypatch.undo()
    assert (await Uploads(tmp_path).keep(pieces(papers.pdf()))).size == len(papers.pdf())


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64])
async def test_a_document_that_was_never_kept_is_unknown(tmp_path: Path, sha256: str) -> None:
    with pytest.raises(UnknownDocument):
        await Uploads(tmp_path).find([sha256])


@pytest.mark.parametrize(
    "name",
    [
        "../ktp.pdf",
        "..\\ktp.pdf",
        "/etc/passwd",
        "C:\\ktp.pdf",
        "a\x00.pdf",
        "a\nb.pdf",
        "invoice\u202efdp.exe",
        "a\u200bb.pdf",
        "..",
        "",
    ],
)
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(BadFileName):
        clean_name(name)


def test_a_long_name_keeps_its_ending() -> None:
    assert clean_name(f"{'k' * 300}.jpeg") == f"{'k' * 115}.jpeg"
    assert clean_name("  KTP saya.PDF ") == "KTP saya.PDF"


@pytest.mark.parametrize(
    ("name", "media_type", "fits"),
    [
        ("ktp.pdf", "application/pdf", True),
        ("KTP.JPG", "image/jpeg", True),
        ("ktp.jpeg", "image/jpeg", True),
        ("ktp.png", "image/jpeg", False),
        ("ktp.pdf.exe", "application/pdf", False),
        ("pdf", "application/pdf", False),
        ("ktp", "application/pdf", False),
    ],
)
def test_the_ending_must_fit_the_content(name: str, media_type: str, fits: bool) -> None:
    with nullcontext() if fits else pytest.raises(WrongExtension):
        check_extension(name, media_type)


async def test_a_draft_that_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    await uploads.keep(pieces(papers.pdf()))
    old, new = tmp_path / "drafts" / "old", tmp_path / "drafts" / "new"
    for draft in (old, new):
        draft.write_bytes(b"half")
    os.utime(old, (0, 0))
    tidying = asyncio.create_task(uploads.tidy(lambda: datetime.now(UTC)))
    async with asyncio.timeout(5):
        while old in files(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    tidying.cancel()
    assert new in files(tmp_path)
    assert uploads.path(sha256(papers.pdf())).is_file()
