"""The privacy seam: which fields of an event are personal, and what guards them when stored.

Contracts mark a personal field as ``Personal`` (a string). The codec hands every marked value to a
``Guard`` on its way in and out of the store, so that encrypting them later changes no service.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Protocol, get_args, get_origin, get_type_hints


class _Marker:
    """Marks an annotated string as personal data, in the code and in the published schemas."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(core) | {"x-personal": True}


Personal = Annotated[str, _Marker()]
Path = tuple[str, ...]


class Guard(Protocol):
    """Protects personal values at rest. ``seal`` and ``open`` are each other's inverse."""

    def seal(self, value: str, *, subject: str, event_id: str, field: str) -> str:
        """Return what is stored instead of ``value``; ``subject`` is the application's id."""
        ...

    def open(self, stored: str, *, subject: str, event_id: str, field: str) -> str:
        """Return the value again, or a fixed placeholder when it was erased."""
        ...


class Unguarded:
    """Stores personal values as they are: the guard until keys per person exist."""

    def seal(self, value: str, *, subject: str, event_id: str, field: str) -> str:
        """Return ``value`` unchanged."""
        return value

    def open(self, stored: str, *, subject: str, event_id: str, field: str) -> str:
        """Return ``stored`` unchanged."""
        return stored


def personal_paths(cls: type[Any]) -> tuple[Path, ...]:
    """Return the paths of the personal fields of an event class; ``*`` stands for list items."""
    return tuple(_walk(cls, ()))


def _walk(annotation: Any, path: Path) -> Iterator[Path]:
    if get_origin(annotation) is Annotated:
        if any(isinstance(extra, _Marker) for extra in get_args(annotation)[1:]):
            yield path
            return
        annotation = get_args(annotation)[0]
    if dataclasses.is_dataclass(annotation):
        for name, hint in get_type_hints(annotation, include_extras=True).items():
            yield from _walk(hint, (*path, name))
        return
    origin = get_origin(annotation)
    for argument in get_args(annotation):
        yield from _walk(argument, (*path, "*") if origin in (tuple, list, dict) else path)


def mask(value: str, *, keep: int = 3) -> str:
    """Return ``value`` with all but its last ``keep`` characters hidden, for people without need.

    ``mask("3271046504930002") -> "•••••••••••••002"``
    """
    shown = value[len(value) - keep :] if len(value) > keep else ""
    return "•" * (len(value) - len(shown)) + shown
