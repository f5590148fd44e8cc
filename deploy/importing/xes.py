"""Reads a XES event log (IEEE 1849) one trace at a time, plain or gzip, of any size.

No tree is built: a parser target keeps the attributes of the trace that is open and nothing else,
so memory depends on the largest trace and not on the file. Entities and document type declarations
are refused (defusedxml), because a few lines of them can expand to gigabytes.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from deploy.importing.errors import BadLog
from shared.web.i18n import msg

CHUNK_BYTES = 32 * 1024
MAX_DEPTH = 64
# A permit with more recorded steps, or a single value this long, is not a permit log.
MAX_EVENTS_PER_TRACE = 10_000
MAX_ATTRIBUTES = 500
MAX_SILENT_BYTES = 8 * 1024 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_ATTRIBUTES = frozenset({"string", "date", "int", "float", "boolean", "id"})

Attributes = dict[str, str]


@dataclass(slots=True)
class Trace:
    """One case: its own attributes, its events' attributes in file order, and where it starts.

    ``left_out`` counts events (and attributes) beyond the limits of this module.
    """

    line: int
    attributes: Attributes = field(default_factory=dict)
    events: list[Attributes] = field(default_factory=list)
    left_out: int = 0


class _Target:
    """What the parser calls at every tag; finished traces wait in ``ready``."""

    def __init__(self, line: Callable[[], int]) -> None:
        self.ready: list[Trace] = []
        self.tags = 0
        self._line = line
        self._path: list[str] = []
        self._trace: Trace | None = None
        self._event: Attributes | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element; ``tag`` may carry a namespace in braces."""
        self.tags += 1
        name = tag.rpartition("}")[2]
        depth = len(self._path)
        if depth == 0 and name != "log":
            raise BadLog(msg("Line {line}: this XML is not an XES log."), line=self._line())
        if depth >= MAX_DEPTH:
            raise BadLog(msg("Line {line}: elements are nested too deeply."), line=self._line())
        self._path.append(name)
        if depth == 1 and name == "trace":
            self._trace = Trace(self._line())
        elif self._trace is not None:
            self._inside(self._trace, depth, name, attributes)

    def _inside(self, trace: Trace, depth: int, name: str, attributes: dict[str, str]) -> None:
        if depth == 2 and name == "event":
            self._event = {}
        elif depth == 2:
            self._keep(trace, trace.attributes, name, attributes)
        elif depth == 3 and self._event is not None:
            self._keep(trace, self._event, name, attributes)

    @staticmethod
    def _keep(trace: Trace, owner: Attributes, name: str, attributes: dict[str, str]) -> None:
        # Lists, containers and attributes of attributes carry nothing that a permit needs.
        if name not in _ATTRIBUTES or "key" not in attributes:
            return
        if len(owner) >= MAX_ATTRIBUTES:
            trace.left_out += 1
            return
        owner[attributes["key"]] = attributes.get("value", "")

    def end(self, tag: str) -> None:
        """Close an element."""
        self._path.pop()
        depth = len(self._path)
        if self._trace is None:
            return
        if depth == 2 and self._event is not None:
            if len(self._trace.events) < MAX_EVENTS_PER_TRACE:
                self._trace.events.append(self._event)
            else:
                self._trace.left_out += 1
            self._event = None
        elif depth == 1:
            self.ready.append(self._trace)
            self._trace = None

    def close(self) -> None:
        """End of the document."""


class XesReader:
    """Iterates over the traces of one file; ``fraction`` says how much of it has been read."""

    def __init__(self, file: Path) -> None:
        """Read ``file`` when iterated; nothing is opened before."""
        self._file = file
        self._read = 0
        self._size = 0

    @property
    def fraction(self) -> float:
        """The part of the file's bytes read so far, 0.0 to 1.0 (compressed bytes for gzip)."""
        return min(self._read / self._size, 1.0) if self._size else 0.0

    def __iter__(self) -> Iterator[Trace]:
        """Yield every trace. Raises BadLog; the traces before the bad place were yielded."""
        try:
            with self._file.open("rb") as raw:
                self._size = self._file.stat().st_size
                yield from self._traces(raw)
        except OSError as error:
            raise BadLog(msg("The log file can't be opened or read."), line=0) from error

    def _traces(self, raw: IO[bytes]) -> Iterator[Trace]:
        source, parser = _uncompressed(raw), _Parser()
        count = 0
        while chunk := _next_chunk(source, parser):
            failure = parser.feed(chunk)
            self._read = raw.tell()
            count += len(parser.target.ready)
            yield from parser.target.ready
            parser.target.ready.clear()
            if failure is not None:
                raise failure
        parser.close()
        if not count:
            sentence = msg("The log ends at line {line} without a single trace.")
            raise BadLog(sentence, line=parser.line())


class _Parser:
    """An expat parser that refuses document types and entities, over a ``_Target``."""

    def __init__(self) -> None:
        self.target = _Target(self.line)
        self._parser: Any = DefusedXMLParser(target=self.target, forbid_dtd=True)
        # Kept apart, because the parser forgets it when it is closed.
        self._expat = self._parser.parser
        self._silent = 0

    def line(self) -> int:
        """Return the line that is being read, from 1."""
        return int(self._expat.CurrentLineNumber)

    def feed(self, chunk: bytes) -> BadLog | None:
        """Parse ``chunk``; what was complete before a failure waits in ``target.ready``."""
        tags = self.target.tags
        try:
            self._checked(self._parser.feed, chunk)
        except BadLog as failure:
            return failure
        self._silent = self._silent + len(chunk) if self.target.tags == tags else 0
        if self._silent > MAX_SILENT_BYTES:
            return BadLog(msg("Line {line}: a single value is too large."), line=self.line())
        return None

    def close(self) -> None:
        """End the document. Raises BadLog when it is not complete."""
        self._checked(self._parser.close)

    def _checked(self, step: Callable[..., object], *given: bytes) -> None:
        """Run one step of the parser; its many ways to fail become a BadLog with the line."""
        try:
            step(*given)
        except ParseError as error:
            sentence = msg("Line {line}: this is not well-formed XML.")
            raise BadLog(sentence, line=error.position[0]) from error
        except DefusedXmlException as error:
            sentence = msg("Line {line}: document types and entities are not accepted.")
            raise BadLog(sentence, line=self.line()) from error
        except (LookupError, ValueError) as error:
            sentence = msg("Line {line}: this is not an encoding we know.")
            raise BadLog(sentence, line=self.line()) from error


def _uncompressed(raw: IO[bytes]) -> IO[bytes]:
    magic = raw.read(len(_GZIP_MAGIC))
    raw.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if magic == _GZIP_MAGIC else raw


def _next_chunk(source: IO[bytes], parser: _Parser) -> bytes:
    try:
        return source.read(CHUNK_BYTES)
    except EOFError as error:
        sentence = msg("Line {line}: the compressed file ends too early.")
        raise BadLog(sentence, line=parser.line()) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        sentence = msg("Line {line}: the compressed file is damaged.")
        raise BadLog(sentence, line=parser.line()) from error
