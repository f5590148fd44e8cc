"""Offices and permit types: versioned data files, validated when they are loaded.

A permit type's file has a common head and one section per service (``intake``, ``workflow``,
``payment``); each service reads its own section with its own model and no other's.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shared.errors import BadConfiguration

M = TypeVar("M", bound=BaseModel)

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone such as Asia/Jakarta") from error
    return name


Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$")]


class FileModel(BaseModel):
    """A strict model of a data file: a word that is not known is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LocalText(FileModel):
    """A text in Bahasa Indonesia and in English."""

    id: str
    en: str

    def of(self, language: str) -> str:
        """Return the text in ``language``, Bahasa Indonesia unless it is ``en``."""
        return self.en if language == "en" else self.id


class Office(FileModel):
    """One permit office. ``hours`` maps mon..sun to spans such as ``07:30-12:00`` (local time).

    ``day_minutes`` is what one working day of a budget counts in working minutes. ``holidays`` is
    the country whose national holidays apply; ``joint_leave`` adds days that decrees set.
    ``contacts`` maps a role (``head``, ``supervisor``, ..) to an E.164 number for alerts.
    """

    id: Identifier
    code: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    name: LocalText
    address: str
    zone: Annotated[str, AfterValidator(_zone)]
    hours: dict[str, tuple[Hours, ...]]
    day_minutes: Annotated[int, Field(gt=0, le=1440)]
    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    joint_leave: tuple[date, ...] = ()
    permit_types: tuple[Identifier, ...]
    channels: tuple[str, ...] = ("online", "counter")
    contacts: dict[str, str] = {}
    answer_minutes: Annotated[int, Field(gt=0)] = 240
    source: str


class Promise(FileModel):
    """What the office publishes before anyone applies: working days and cost."""

    working_days: Annotated[int, Field(gt=0)]
    cost: LocalText


class PermitType(FileModel):
    """The common head of a permit type's version; the sections are each service's own."""

    id: Identifier
    version: Annotated[int, Field(ge=1)]
    effective: date
    name: LocalText
    promise: Promise
    source: str
    intake: dict[str, Any]
    workflow: dict[str, Any]
    payment: dict[str, Any]


def load_yaml(file: Path, model: type[M]) -> M:
    """Return ``file`` as ``model``. Raises BadConfiguration naming the file, the place and why."""
    try:
        return model.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadConfiguration(file=str(file), reason=str(error)) from error
    except ValidationError as error:
        raise BadConfiguration(file=str(file), reason=explain(error)) from error


def section(permit_type: PermitType, name: str, model: type[M]) -> M:
    """Return one service's section of a permit type, as that service's ``model``."""
    try:
        return model.model_validate(getattr(permit_type, name))
    except ValidationError as error:
        where = f"{permit_type.id} version {permit_type.version}, {name}"
        raise BadConfiguration(file=where, reason=explain(error)) from error


def explain(error: ValidationError) -> str:
    """Return where and why, one sentence per mistake."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors()
    )


class Catalogue:
    """All offices and permit types. A running application keeps the version it started with."""

    def __init__(
        self, offices: dict[str, Office], types: dict[tuple[str, int], PermitType]
    ) -> None:
        """Hold ``offices`` by id and permit ``types`` by id and version."""
        self.offices = offices
        self.types = types

    @classmethod
    def load(cls, folder: Path) -> Catalogue:
        """Read ``folder/offices/*.yaml`` and ``folder/permits/*.yaml``. Raises BadConfiguration."""
        offices = [load_yaml(file, Office) for file in sorted(folder.glob("offices/*.yaml"))]
        types = [load_yaml(file, PermitType) for file in sorted(folder.glob("permits/*.yaml"))]
        known = {kind.id for kind in types}
        for office in offices:
            for missing in set(office.permit_types) - known:
                raise BadConfiguration(
                    file=office.id, reason=f"there is no permit type {missing!r}"
                )
        return cls({o.id: o for o in offices}, {(t.id, t.version): t for t in types})

    def current(self, permit_type: str, on: date) -> PermitType | None:
        """Return the version in force on a date: the latest that is effective by then."""
        versions = [
            kind
            for (name, _), kind in self.types.items()
            if name == permit_type and kind.effective <= on
        ]
        return max(versions, key=lambda kind: (kind.effective, kind.version), default=None)
