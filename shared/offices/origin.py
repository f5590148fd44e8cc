"""Where in its file a value was written: data files as trees that remember their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.offices.mistakes import BadFile, Mistake
from shared.text import msg

Place = tuple[str | int, ...]
"""Names and numbers (from 0) that lead to a value, as pydantic's ``loc`` has them."""

_NOT_YAML = msg("The file can't be read as YAML here: check indentation, quotes and colons.")
_NOT_TEXT = msg("The file can't be read as text.")
_TWICE = msg("{name} is there twice.")
_NO_DAY = msg("There is no such day. Write a date such as 2026-01-31.")
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True)
class Origin:
    """A data file's name, the line (from 1) of every value in it, and its text as written."""

    file: str
    lines: Mapping[Place, int]
    text: str = ""

    def line(self, place: Sequence[str | int]) -> int:
        """Return the line of a place, or of the nearest thing around it that is written down.

        Parts that the file does not hold are passed over: pydantic also names the member of a
        union that it tried.
        """
        found: Place = ()
        for part in place:
            longer = (*found, part)
            found = longer if longer in self.lines else found
        return self.lines.get(found, 1)


def read_data(file: Path) -> tuple[Any, Origin]:
    """Return a YAML file's content and where everything in it stands.

    Raises BadFile for one that is no YAML, or that says the same thing twice in one place.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile([Mistake(file.name, 1, (), _NOT_TEXT)]) from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return None, Origin(file.name, {(): 1})
        origin = Origin(file.name, dict(_lines(node, (), file.name)), text)
        return yaml.safe_load(text), origin
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise BadFile([Mistake(file.name, line, (), _NOT_YAML)]) from error


def _lines(node: yaml.Node, place: Place, file: str) -> Iterator[tuple[Place, int]]:
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode) and node.tag == _TIMESTAMP:
        _check_day(node, place, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*place, index), file)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise BadFile([Mistake(file, line, place, _TWICE, {"name": str(key.value)})])
            seen.add(key.value)
            yield from _lines(value, (*place, key.value), file)
            # The line of a name, which is where a person looks, and not of what follows it.
            yield (*place, key.value), line


def _check_day(node: yaml.ScalarNode, place: Place, file: str) -> None:
    """Raise BadFile for what looks like a date and is none, such as 2026-02-30."""
    try:
        yaml.SafeLoader("").construct_yaml_timestamp(node)
    except ValueError as error:
        raise BadFile([Mistake(file, node.start_mark.line + 1, place, _NO_DAY)]) from error
