"""What is wrong with a data file, in sentences that the person who edits it can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.errors import BadConfiguration
from shared.text import msg


class Speaker(Protocol):
    """Who speaks a language: ``shared.web.i18n.Translator``, which deciders must not import."""

    def t(self, msgid: str, /, **params: object) -> str: ...


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the file, the line (from 1), the place in it, an msgid and its parameters."""

    file: str
    line: int
    place: tuple[str | int, ...]
    msgid: str
    params: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The place as people write it: ``stages.2.days``, numbered from 0; may be empty."""
        return ".".join(map(str, self.place))

    def reason(self, tr: Speaker | None = None) -> str:
        """Return the sentence alone; English without a translator."""
        text = self.msgid if tr is None else tr.t(self.msgid)
        return text.format(**self.params) if self.params else text

    def say(self, tr: Speaker) -> str:
        """Return file, line, place and sentence in the translator's language."""
        place = tr.t(msg("{file}, line {line}"), file=self.file, line=self.line)
        return ": ".join(part for part in (place, self.where, self.reason(tr)) if part)


class BadFile(BadConfiguration):
    """A data file is wrong; ``mistakes`` are all that were found, at least one."""

    code = "bad-file"
    text = "{file}: {reason}"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        """All ``mistakes`` are of one file."""
        self.mistakes = tuple(mistakes)
        first = self.mistakes[0]
        said = "; ".join(
            ": ".join(part for part in (f"line {one.line}", one.where, one.reason()) if part)
            for one in self.mistakes
        )
        super().__init__(file=first.file, reason=said)
