"""Declares an event: a frozen dataclass with a stored type string that never changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast, dataclass_transform

C = TypeVar("C", bound=type)


class EventType(NamedTuple):
    """One published event type: its stored name, current version, class and publisher."""

    name: str
    version: int
    cls: type[Any]
    service: str


BY_NAME: dict[str, EventType] = {}
BY_CLASS: dict[type[Any], EventType] = {}


def _publisher(cls: type[Any]) -> str:
    return cls.__module__.removeprefix(f"{__package__}.").split(".")[0]


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(name: str, *, version: int = 1) -> Callable[[C], C]:
    """Declare a class as the event stored under ``name`` at schema ``version``.

    The publishing service is the module or package below ``shared.contracts`` that declares it. The
    name is the storage format: renaming the class is free, changing ``name`` is never allowed.
    """

    def declare(cls: C) -> C:
        made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        if name in BY_NAME:
            raise ValueError(f"two events are stored under the name {name}")
        kind = EventType(name, version, made, _publisher(cls))
        BY_NAME[name] = kind
        BY_CLASS[made] = kind
        return cast(C, made)

    return declare
