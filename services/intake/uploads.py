"""The folder of documents: each is stored once, under the SHA-256 of its content.

A document is streamed into a draft beside the folder, counted while it comes, checked, flushed to
the disk and only then renamed to its place: it is there whole or not at all, and before any event
names it. Names that people gave are never file names here.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import secrets
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, NoReturn

from services.intake.inspection import NotADocument, inspect, sniff
from shared.errors import InvalidInput, StoreFull, TooLarge, Unavailable
from shared.service import Now
from shared.text import clean_line

MAX_BYTES = 10 * 1024 * 1024
LIMIT_TEXT = "10 MB"
MAX_NAME = 120
_WRITE_BYTES = 1024 * 1024
# Opening a document takes a core and up to a quarter of a gigabyte: two at a time leave room.
_AT_ONCE = 2
# No upload takes this long, so an older draft belongs to nobody any more.
_DRAFT_SECONDS, _TIDY_SECONDS = 24 * 3600, 3600


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that is kept. ``sha256`` is lower-case hex, ``size`` in bytes."""

    sha256: str
    size: int
    media_type: str


class UnknownDocument(InvalidInput):
    """A document is named that was never uploaded."""

    code = "unknown-document"
    text = "A document that was named has not been uploaded. Upload it first."


class BadFileName(InvalidInput):
    """A file name with a path, control characters or changed writing direction."""

    code = "bad-file-name"
    text = "The file's name has signs that are not allowed. Rename the file and send it again."


def clean_name(name: str) -> str:
    """Return a file name as it may be shown. Raises BadFileName; never shortens the ending."""
    try:
        cleaned = clean_line(name)
    except ValueError:
        raise BadFileName from None
    plain = PurePosixPath(cleaned).name == cleaned == PureWindowsPath(cleaned).name
    if not plain or cleaned in ("", ".", "..") or any(map(_hidden, cleaned)):
        raise BadFileName
    stem, dot, ending = cleaned.rpartition(".")
    if not dot or len(ending) > 8:
        return cleaned[:MAX_NAME]
    return f"{stem[: MAX_NAME - len(ending) - 1]}.{ending}"


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Zl", "Zp")


class Uploads:
    """Keeps documents in a folder."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        """Keep them below ``folder``, each up to ``max_bytes`` long."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._inspecting = asyncio.Semaphore(_AT_ONCE)

    async def keep(self, chunks: AsyncIterator[bytes]) -> Stored:
        """Take a document in and return what it is, once it is safely on the disk.

        Raises TooLarge while it still comes, UnsupportedDocument, StoreFull, Unavailable. Whatever
        is raised, nothing of it stays.
        """
        draft = self._folder / "drafts" / secrets.token_hex(16)
        try:
            sha256, size = await self._write(draft, chunks)
            async with self._inspecting:
                media_type = await asyncio.to_thread(inspect, draft)
            await asyncio.to_thread(_settle, draft, self.path(sha256))
        except OSError as error:
            _refuse(error)
        finally:
            with suppress(OSError):
                await asyncio.to_thread(draft.unlink, missing_ok=True)
        return Stored(sha256, size, media_type)

    async def find(self, hashes: Sequence[str]) -> list[Stored]:
        """Return documents that were kept before. Raises UnknownDocument."""
        return await asyncio.to_thread(lambda: [self._find(sha256) for sha256 in hashes])

    def path(self, sha256: str) -> Path:
        """Return where a document is; ``sha256`` must be checked hex, for it becomes a path."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise UnknownDocument
        return self._folder / sha256[:2] / sha256

    async def tidy(self, now: Now) -> None:
        """Remove, for ever, drafts that a process left when it died."""
        while True:
            before = now().timestamp() - _DRAFT_SECONDS
            await asyncio.to_thread(_remove_older, self._folder / "drafts", before)
            await asyncio.sleep(_TIDY_SECONDS)

    def _find(self, sha256: str) -> Stored:
        path = self.path(sha256)
        try:
            with path.open("rb") as handle:
                media_type = sniff(handle.read(16))
            size = path.stat().st_size
        except FileNotFoundError:
            raise UnknownDocument from None
        if media_type is None:
            raise UnknownDocument
        return Stored(sha256, size, media_type)

    async def _write(self, draft: Path, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        handle = await asyncio.to_thread(_open, draft)
        digest, size, held = hashlib.sha256(), 0, bytearray()
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    raise TooLarge(limit=LIMIT_TEXT)
                held += chunk
                if len(held) >= _WRITE_BYTES:
                    await asyncio.to_thread(_append, handle, digest, bytes(held))
                    held.clear()
            await asyncio.to_thread(_append, handle, digest, bytes(held))
            if size == 0:
                raise NotADocument
            await asyncio.to_thread(_flush, handle)
        finally:
            with suppress(OSError):
                await asyncio.to_thread(handle.close)
        return digest.hexdigest(), size


def _open(draft: Path) -> BinaryIO:
    draft.parent.mkdir(parents=True, exist_ok=True)
    return draft.open("xb")


def _append(handle: BinaryIO, digest: hashlib._Hash, data: bytes) -> None:
    digest.update(data)
    handle.write(data)


def _flush(handle: BinaryIO) -> None:
    handle.flush()
    os.fsync(handle.fileno())


def _settle(draft: Path, place: Path) -> None:
    """Put a flushed draft into its place, and make the place itself durable."""
    fresh = not place.parent.exists()
    place.parent.mkdir(exist_ok=True)
    if fresh:
        _flush_folder(place.parent.parent)
    # The same content replaces itself: readers keep what they have open.
    os.replace(draft, place)
    _flush_folder(place.parent)


def _remove_older(folder: Path, before: float) -> None:
    for draft in folder.glob("*"):
        with suppress(OSError):
            if draft.stat().st_mtime < before:
                draft.unlink()


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse(error: OSError) -> NoReturn:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise StoreFull from error
    raise Unavailable from error
