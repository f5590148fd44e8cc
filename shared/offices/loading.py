"""Reads a folder of data files; what is wrong with one is written down and stops no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import holidays
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from shared.office_hours import spans_of, week_of
from shared.offices.files import section, validated
from shared.offices.mistakes import BadFile, Mistake
from shared.offices.models import JointLeave, Office, PermitType, Versioned
from shared.offices.origin import Origin, Place, read_data
from shared.phone import reachable
from shared.text import msg

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V", bound=Versioned)

_SAME_VERSION = msg("{id} has version {version} already, in {file}. Give this one another number.")
_SAME_DAY = msg("{id} has a version from {day} on already, in {file}. Give this one another day.")
_SAME_YEAR = msg("The joint leave of {country} in {year} is in another file already.")
_NO_TYPE = msg("There is no permit type {id}. It can't be applied for here.")
_NO_PARENT = msg("There is no office {id} that could be above this one.")
_CODE_TAKEN = msg("The code {code} is that of the office {id}: numbers would be mixed up.")
_NEVER_OPEN = msg("The office is never open.")
_NO_COUNTRY = msg("No holidays are known for this country. Write a code such as ID.")
_NOT_GIVEN = msg("The office gives no permit type {id}, so it can't be in the pilot.")
_LONG_DAY = msg(
    "A working day of {minutes} minutes is longer than the office is open on any day: {longest}."
)
_NO_MOBILE = msg("This is no mobile number. Write another one, or landlines: true.")
_CIRCLE = msg("The office {id} is above and below this one at the same time.")


@dataclass(slots=True)
class Folder:
    """What a folder holds that can be used, and what is wrong with the rest."""

    offices: list[Office] = field(default_factory=list)
    types: list[PermitType] = field(default_factory=list)
    leave: list[JointLeave] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    # Ids of permit types whose files were refused: an office that names one is not at fault.
    broken: set[str] = field(default_factory=set)


def read_folder(folder: Path, sections: Mapping[str, type[BaseModel]]) -> Folder:
    """Read every file of a folder. Never raises for what a file holds."""
    read = Folder()
    for kind, _ in _files(folder, "permits", PermitType, read):
        _keep_type(kind, sections, read)
    for office, _ in _files(folder, "offices", Office, read):
        _keep_office(office, read)
    for leave, origin in _files(folder, "holidays", JointLeave, read):
        _keep_leave(leave, origin, read)
    read.mistakes += _dangling(read)
    return read


def _files(folder: Path, name: str, model: type[M], read: Folder) -> Iterator[tuple[M, Origin]]:
    for file in sorted((folder / name).glob("*.yaml")):
        content = None
        try:
            content, origin = read_data(file)
            yield validated(content, origin, model), origin
        except BadFile as error:
            read.mistakes += error.mistakes
            # A file that can't even be read is known by its name alone: siup.v2.yaml.
            named = content.get("id") if isinstance(content, dict) else file.name.split(".")[0]
            read.broken.add(str(named))


def _keep_type(kind: PermitType, sections: Mapping[str, type[BaseModel]], read: Folder) -> None:
    mistakes = _clash(kind, read.types)
    for name, model in sections.items():
        try:
            section(kind, name, model)
        except BadFile as error:
            mistakes += error.mistakes
    if mistakes:
        read.mistakes += mistakes
        read.broken.add(kind.id)
    else:
        read.types.append(kind)


def _keep_office(office: Office, read: Folder) -> None:
    mistakes = [*_clash(office, read.offices), *unworkable(office)]
    mistakes += () if mistakes else _long_day(office)
    for other in read.offices:
        if other.code == office.code and other.id != office.id:
            mistakes.append(_of(office, ("code",), _CODE_TAKEN, code=office.code, id=other.id))
            break
    if mistakes:
        read.mistakes += mistakes
    else:
        read.offices.append(office)


def unworkable(office: Office) -> Iterator[Mistake]:
    """Yield why an office can't be worked with: its hours, its numbers."""
    try:
        if not any(week_of(office.hours).values()):
            yield _of(office, ("hours",), _NEVER_OPEN)
    except PydanticCustomError as error:
        yield _of(office, ("hours",), error.message_template, **_params(error))
    for day, texts in office.special_hours.items():
        try:
            spans_of(day.isoformat(), texts)
        except PydanticCustomError as error:
            yield _of(office, ("special_hours",), error.message_template, **_params(error))
    for place, number in office.numbers():
        if not reachable(number, landlines=office.landlines):
            yield _of(office, place, _NO_MOBILE)
    if office.holidays not in holidays.list_supported_countries():
        yield _of(office, ("holidays",), _NO_COUNTRY)


def _long_day(office: Office) -> Iterator[Mistake]:
    """Yield that a budget's day is one that nobody can work in a day: all would get more time."""
    days = week_of(office.hours).values()
    longest = max(sum(end - start for start, end in spans) for spans in days)
    if office.day_minutes > longest:
        minutes = office.day_minutes
        yield _of(office, ("day_minutes",), _LONG_DAY, minutes=minutes, longest=longest)


def _params(error: PydanticCustomError) -> dict[str, str | int]:
    return {name: value for name, value in (error.context or {}).items() if name != "msgid"}


def _clash(one: V, others: Sequence[V]) -> list[Mistake]:
    """Return why a version can't stand beside the others of the same thing."""
    mistakes = []
    for other in others:
        if other.id != one.id:
            continue
        file = other.origin.file if other.origin else other.id
        if other.version == one.version:
            number = one.version
            mistakes.append(
                _of(one, ("version",), _SAME_VERSION, id=one.id, version=number, file=file)
            )
        if other.effective == one.effective:
            day = one.effective.isoformat()
            mistakes.append(_of(one, ("effective",), _SAME_DAY, id=one.id, day=day, file=file))
    return mistakes


def _keep_leave(leave: JointLeave, origin: Origin, read: Folder) -> None:
    key = (leave.country, leave.year)
    if leave.country not in holidays.list_supported_countries():
        line = origin.line(("country",))
        read.mistakes.append(Mistake(origin.file, line, ("country",), _NO_COUNTRY))
    elif any((other.country, other.year) == key for other in read.leave):
        said: dict[str, str | int] = {"country": leave.country, "year": leave.year}
        line = origin.line(("year",))
        read.mistakes.append(Mistake(origin.file, line, ("year",), _SAME_YEAR, said))
    else:
        read.leave.append(leave)


def _dangling(read: Folder) -> Iterator[Mistake]:
    """Yield references to nothing. The office works on without them."""
    types = {kind.id for kind in read.types} | read.broken
    offices = {office.id: office for office in read.offices}
    for office in read.offices:
        for index, name in enumerate(office.permit_types):
            if name not in types:
                yield _of(office, ("permit_types", index), _NO_TYPE, id=name)
        for index, name in enumerate(office.pilot or ()):
            if name not in office.permit_types:
                yield _of(office, ("pilot", index), _NOT_GIVEN, id=name)
        if office.parent is not None and office.parent not in offices:
            yield _of(office, ("parent",), _NO_PARENT, id=office.parent)
        elif _in_a_circle(office, offices):
            yield _of(office, ("parent",), _CIRCLE, id=str(office.parent))


def _in_a_circle(office: Office, offices: Mapping[str, Office]) -> bool:
    seen, parent = set[str](), office.parent
    while parent in offices and parent not in seen:
        if parent == office.id:
            return True
        seen.add(str(parent))
        parent = offices[str(parent)].parent
    return False


def _of(one: Versioned, place: Place, msgid: str, **params: str | int) -> Mistake:
    origin = one.origin or Origin(one.id, {})
    return Mistake(origin.file, origin.line(place), place, msgid, params)
