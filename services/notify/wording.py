"""Message templates: versioned files in both languages, validated when they are loaded.

A message records its template, version and parameters, so what was sent can be shown for ever: a
version that was used is never edited, a new wording is a new file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated

from pydantic import Field, model_validator

from shared.errors import BadConfiguration
from shared.offices import FileModel, Identifier, LocalText, load_yaml

Parameter = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]


class Template(FileModel):
    """One version of one text. ``whatsapp`` is the name under which the provider approved it."""

    id: Identifier
    version: Annotated[int, Field(ge=1)]
    whatsapp: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,511}$")]
    parameters: tuple[Parameter, ...]
    text: LocalText

    @model_validator(mode="after")
    def _same_parameters(self) -> Template:
        for language in ("id", "en"):
            used = {name for _, name, _, _ in Formatter().parse(self.text.of(language)) if name}
            if used != set(self.parameters):
                difference = ", ".join(sorted(used ^ set(self.parameters)))
                raise ValueError(f"text and parameters differ in {language}: {difference}")
        return self

    def render(self, language: str, parameters: Mapping[str, str]) -> str:
        """Return the text. Raises KeyError when a parameter is missing."""
        return self.text.of(language).format_map(parameters)


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

    @classmethod
    def load(cls, folder: Path) -> Templates:
        """Read ``folder/*.yaml``. Raises BadConfiguration naming the file and what is wrong."""
        return cls([load_yaml(file, Template) for file in sorted(folder.glob("*.yaml"))])

    def get(self, name: str, version: int) -> Template:
        """Return one version. Raises BadConfiguration when it was removed."""
        found = self._all.get((name, version))
        if found is None:
            raise BadConfiguration(file=name, reason=f"there is no version {version}")
        return found

    def current(self, name: str) -> Template:
        """Return the newest version. Raises BadConfiguration for an unknown template."""
        versions = [version for known, version in self._all if known == name]
        if not versions:
            raise BadConfiguration(file=name, reason="there is no such message template")
        return self._all[name, max(versions)]
