"""The folder of settlement files: each is kept once, under the SHA-256 of its bytes.

A file is streamed into a draft, flushed to the disk and only then renamed to its place, so it is
there whole or not at all. A slip beside it (``waiting/``) says that it is still to be taken in: a
process that dies leaves the slip, and whoever starts next goes on.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from shared.errors import InvalidInput, StoreFull, TooLarge, Unavailable
from shared.text import clean_line

# A million lines of MT940 are about 200 MB.
MAX_BYTES = 512 * 1024 * 1024
LIMIT_TEXT = "512 MB"
_MAX_NAME = 120
_READ_BYTES = 1024 * 1024


class EmptyFile(InvalidInput):
    """A settlement file without a byte."""

    code = "empty-settlement-file"
    text = "The settlement file is empty."


@dataclass(frozen=True, slots=True)
class Slip:
    """A kept file that is to be taken in.

    ``actor`` is the account that brought it, of ``office``; without an office, a program of ours.
    """

    partner: str
    sha256: str
    name: str
    actor: str
    office: str = ""


class Files:
    """Keeps settlement files below ``folder``."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first file comes."""
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Return where the file with these bytes is, or would be."""
        return self._folder / sha256[:2] / sha256

    async def keep(self, chunks: AsyncIterator[bytes]) -> str:
        """Keep what comes and return its SHA-256 (hex).

        Raises EmptyFile, TooLarge, StoreFull, Unavailable.
        """
        digest, size = hashlib.sha256(), 0
        draft = self._draft()
        try:
            await asyncio.to_thread(_make, self._folder)
            with draft.open("wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > MAX_BYTES:
                        raise TooLarge(limit=LIMIT_TEXT)
                    await asyncio.to_thread(_add, file, digest, chunk)
                if not size:
                    raise EmptyFile
                await asyncio.to_thread(_flush, file)
            sha256 = digest.hexdigest()
            await asyncio.to_thread(_move, draft, self.path(sha256))
        except OSError as error:
            _refuse(error)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return sha256

    async def keep_file(self, source: Path) -> str:
        """Keep a copy of a file of this machine; see ``keep``."""

        async def chunks() -> AsyncIterator[bytes]:
            with source.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, _READ_BYTES):
                    yield chunk

        return await self.keep(chunks())

    def wait(self, identity: str, slip: Slip) -> None:
        """Note durably that a kept file is to be taken in."""
        draft = self._draft()
        try:
            _make(self._folder)
            with draft.open("wb") as file:
                file.write(json.dumps(asdict(slip)).encode())
                _flush(file)
            _move(draft, self._slip(identity))
        except OSError as error:
            _refuse(error)

    def done(self, identity: str) -> None:
        """Take the slip away."""
        self._slip(identity).unlink(missing_ok=True)

    def waiting(self) -> Iterable[tuple[str, Slip]]:
        """Return the slips that are there, oldest first, with the ids of their files."""
        found = self._folder.glob("waiting/*.json")
        slips = []
        for path in sorted(found, key=lambda one: one.stat().st_mtime):
            # Another process may have finished with it meanwhile.
            with suppress(FileNotFoundError):
                slips.append((path.stem, Slip(**json.loads(path.read_bytes()))))
        return slips

    def _slip(self, identity: str) -> Path:
        return self._folder / "waiting" / f"{identity}.json"

    def _draft(self) -> Path:
        return self._folder / f".draft-{secrets.token_hex(8)}"


def shown_name(name: str) -> str:
    """Return a file's name as people may see it: its last part, cleaned and cut."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    try:
        return clean_line(last)[:_MAX_NAME] or "settlement"
    except ValueError:
        return "settlement"


def _add(file: BinaryIO, digest: hashlib._Hash, chunk: bytes) -> None:
    digest.update(chunk)
    file.write(chunk)


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move(draft: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        # The name must survive a power cut too, not only the bytes.
        os.fsync(folder)
    finally:
        os.close(folder)


def _refuse(error: OSError) -> NoReturn:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise StoreFull from error
    raise Unavailable from error
