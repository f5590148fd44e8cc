"""Message templates: versioned files in both languages, validated when they are loaded.

A message records its template, version and parameters, so what was sent can be shown for ever: a
version that was used is never edited, a new wording is a new file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from shared.errors import BadConfiguration
from shared.offices import BadFile, FileModel, Identifier, LocalText, Mistake, read_data, validated
from shared.text import bad_value, msg

LANGUAGES = ("id", "en")
_PLAIN = re.compile(r"\{([a-z][a-z_]{0,39})\}")
_BRACED = re.compile(r"\{[^{}]*\}")
_EXAMPLE = "{number}"
_TWICE = msg("{id} has version {version} already. Give this one another number.")


def _words(text: str) -> str:
    """Refuse everything of Python's format language but plain names in braces."""
    if not text.strip():
        raise bad_value("This text is empty.")
    rest = _PLAIN.sub("", text)
    if _BRACED.search(rest):
        raise bad_value(
            "Write only a parameter's name between curly braces, such as {example}.",
            example=_EXAMPLE,
        )
    if "{" in rest or "}" in rest:
        raise bad_value(
            "A curly brace stands alone here. Write a parameter as {example}, and no other brace.",
            example=_EXAMPLE,
        )
    return text


Parameter = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
Words = Annotated[str, AfterValidator(_words)]


class Wording(LocalText):
    """A text with parameters, in both languages."""

    id: Words
    en: Words


class Template(FileModel):
    """One version of one text. ``whatsapp`` is the name under which the provider approved it.

    ``line`` says the same in few words, for a message that gathers several, ``subject`` is an
    e-mail's; both may leave parameters out.
    """

    id: Identifier
    version: Annotated[int, Field(ge=1)]
    whatsapp: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,511})?$")] = ""
    parameters: tuple[Parameter, ...]
    text: Wording
    line: Wording | None = None
    subject: Wording | None = None

    @field_validator("parameters")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if names.count(name) > 1:
                raise bad_value("{name} is there twice.", name=name)
        return names

    @field_validator("text", "line", "subject")
    @classmethod
    def _same_parameters(cls, wording: Wording | None, info: ValidationInfo) -> Wording | None:
        # Where the list itself is wrong, that is said, and nothing about the text.
        if wording is None or "parameters" not in info.data:
            return wording
        listed = set(info.data["parameters"])
        for language in LANGUAGES:
            used = set(_PLAIN.findall(wording.of(language)))
            where = {"language": language}
            for name in sorted(used - listed):
                raise bad_value(
                    "The text in {language} uses {name}, which is not on the list of parameters.",
                    name=name,
                    **where,
                )
            for name in sorted(listed - used) if info.field_name == "text" else ():
                raise bad_value(
                    "The text in {language} does not use the parameter {name}. Use it in both "
                    "languages, or take it off the list.",
                    name=name,
                    **where,
                )
        return wording

    def render(self, language: str, parameters: Mapping[str, str]) -> str:
        """Return the text. Raises KeyError when a parameter is missing."""
        return _filled(self.text.of(language), parameters)

    def render_line(self, language: str, parameters: Mapping[str, str]) -> str:
        """Return the text in few words, or else whole. Raises KeyError as ``render`` does."""
        return _filled((self.line or self.text).of(language), parameters)

    def render_subject(self, language: str, parameters: Mapping[str, str]) -> str:
        """Return an e-mail's subject, empty for a text without one."""
        return _filled(self.subject.of(language), parameters) if self.subject else ""


def _filled(text: str, parameters: Mapping[str, str]) -> str:
    # What a value holds is never looked at: braces in a name stay braces.
    return _PLAIN.sub(lambda found: parameters[found[1]], text)


class Templates:
    """Every version of every template."""

    def __init__(self, templates: list[Template]) -> None:
        """Raises BadConfiguration when one version is there twice."""
        self._all: dict[tuple[str, int], Template] = {}
        for template in templates:
            key = (template.id, template.version)
            if key in self._all:
                raise BadConfiguration(file=template.id, reason=f"version {key[1]} is there twice")
            self._all[key] = template
        # Versions in order: the last one of a name stays.
        self._newest = {name: self._all[name, version] for name, version in sorted(self._all)}

    @classmethod
    def load(cls, folder: Path) -> Templates:
        """Read ``folder/*.yaml``. Raises BadFile naming the file, the line and what is wrong."""
        found: dict[tuple[str, int], Template] = {}
        for file in sorted(folder.glob("*.yaml")):
            content, origin = read_data(file)
            template = validated(content, origin, Template)
            key = (template.id, template.version)
            if key in found:
                params: dict[str, str | int] = {"id": key[0], "version": key[1]}
                line = origin.line(("version",))
                raise BadFile([Mistake(file.name, line, ("version",), _TWICE, params)])
            found[key] = template
        return cls(list(found.values()))

    def all(self) -> list[Template]:
        """Return every version of every template: by name, the newest first."""
        return sorted(self._all.values(), key=lambda one: (one.id, -one.version))

    def get(self, name: str, version: int) -> Template:
        """Return one version. Raises BadConfiguration when it was removed."""
        found = self._all.get((name, version))
        if found is None:
            raise BadConfiguration(file=name, reason=f"there is no version {version}")
        return found

    def current(self, name: str) -> Template:
        """Return the newest version. Raises BadConfiguration for an unknown template."""
        if name not in self._newest:
            raise BadConfiguration(file=name, reason="there is no such message template")
        return self._newest[name]
