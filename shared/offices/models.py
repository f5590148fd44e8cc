"""What an office, a permit type and a year of joint leave say in their files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from shared.offices.origin import Origin
from shared.text import bad_value

T = TypeVar("T")

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise bad_value("This is not a time zone such as Asia/Jakarta.") from None
    return name


_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d")
_MOBILE = re.compile(r"\+[1-9][0-9]{6,14}")


def _hours(span: str) -> str:
    if not _HOURS.fullmatch(span):
        raise bad_value("Write hours such as 07:30-12:00.")
    return span


def _mobile(number: str) -> str:
    if not _MOBILE.fullmatch(number):
        raise bad_value("Write the number with its country, such as +6281234567890.")
    return number


Hours = Annotated[str, AfterValidator(_hours)]
Mobile = Annotated[str, AfterValidator(_mobile)]
"""An E.164 number."""


class FileModel(BaseModel):
    """A strict model of a data file: a word that is not known is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Versioned(FileModel):
    """A version of something, in force from the (local) day ``effective`` on."""

    id: Identifier
    version: Annotated[int, Field(ge=1)]
    effective: date
    _origin: Origin | None = PrivateAttr(None)

    @property
    def origin(self) -> Origin | None:
        """The file it was read from, None for one that was made in a program."""
        return self._origin

    def read_from(self, origin: Origin) -> None:
        """Remember the file, so that a mistake found later still names its line."""
        self._origin = origin


class LocalText(FileModel):
    """A text in Bahasa Indonesia and in English."""

    id: str
    en: str

    def of(self, language: str) -> str:
        """Return the text in ``language``, Bahasa Indonesia unless it is ``en``."""
        return self.en if language == "en" else self.id


class Level(StrEnum):
    """The level of government an office belongs to, from the village up to the province."""

    KELURAHAN = "kelurahan"
    KECAMATAN = "kecamatan"
    KOTA = "kota"
    PROVINSI = "provinsi"

    @property
    def rank(self) -> int:
        """The height of the level, the village's being 0."""
        return list(Level).index(self)


class Channel(StrEnum):
    """How an application comes in. All but ``online`` are entered by the counter for somebody."""

    ONLINE = "online"
    COUNTER = "counter"
    EMAIL = "email"
    PHONE = "phone"


class Agency(FileModel):
    """A technical agency (OPD) that gives recommendations to an office.

    One that is not ``ready`` for online work is served by a counter officer on its behalf.
    """

    id: Identifier
    name: LocalText
    ready: bool


class Ladder(FileModel):
    """When who is told of a stalled file.

    ``warn_percent`` of a stage's budget warns its officer. Once it is overdue the officer has
    ``answer_minutes`` (working minutes) to explain before the supervisor is told, and the
    supervisor ``head_minutes`` from then on until the head of the office is.
    """

    warn_percent: Annotated[int, Field(ge=1, le=99)] = 80
    answer_minutes: Annotated[int, Field(gt=0)] = 240
    head_minutes: Annotated[int, Field(gt=0)] = 240


class Office(Versioned):
    """One version of a permit office.

    ``hours`` maps mon..sun to spans such as ``07:30-12:00`` (local time); ``special_hours`` does so
    for single dates, such as half days. ``day_minutes`` is what one working day of a budget counts
    in working minutes. ``holidays`` is the country whose national holidays and joint leave apply;
    ``joint_leave`` adds days off that only this office has. ``parent`` is the office above it.
    ``pilot`` names the permit types with online intake; absent, all have it. ``complaint_days``
    are the working days to answer a complaint. ``contacts`` maps a role (``head``,
    ``supervisor``, ..) to an E.164 number for alerts.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    name: LocalText
    address: str
    level: Level = Level.KOTA
    parent: Identifier | None = None
    zone: Annotated[str, AfterValidator(_zone)]
    hours: dict[str, tuple[Hours, ...]]
    special_hours: dict[date, tuple[Hours, ...]] = {}
    day_minutes: Annotated[int, Field(gt=0, le=1440)]
    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    joint_leave: tuple[date, ...] = ()
    permit_types: tuple[Identifier, ...]
    channels: tuple[Channel, ...] = (Channel.ONLINE, Channel.COUNTER)
    pilot: tuple[Identifier, ...] | None = None
    agencies: tuple[Agency, ...] = ()
    ladder: Ladder = Ladder()
    complaint_days: Annotated[int, Field(gt=0)] = 5
    contacts: dict[str, Mobile] = {}
    source: str

    def takes_online(self, permit_type: str) -> bool:
        """Say whether people may apply for a permit type here through the internet."""
        if Channel.ONLINE not in self.channels or permit_type not in self.permit_types:
            return False
        return self.pilot is None or permit_type in self.pilot

    def agency(self, agency_id: str) -> Agency | None:
        """Return one of its agencies."""
        return next((agency for agency in self.agencies if agency.id == agency_id), None)


class Promise(FileModel):
    """What the office publishes before anyone applies: working days and cost."""

    working_days: Annotated[int, Field(gt=0)]
    cost: LocalText


class Condition(FileModel):
    """Holds when the form's number ``field`` is at most ``max``; not when it was not given."""

    field: Identifier
    max: int

    def holds(self, answers: Mapping[str, str]) -> bool:
        """Say whether the condition holds for an application's answers."""
        given = answers.get(self.field, "")
        return given.isascii() and given.isdigit() and int(given) <= self.max


class AuthorityRule(FileModel):
    """The level with authority, where the condition holds."""

    level: Level
    when: Condition | None = None


class PermitType(Versioned):
    """The common head of a permit type's version; the sections are each service's own.

    ``authority`` are rules in order, of which the first that holds counts; without any, every
    office that gives the permit type decides on it. ``renewable``: a permit in force can be
    renewed by a new application.
    """

    name: LocalText
    promise: Promise
    authority: tuple[AuthorityRule, ...] = ()
    renewable: bool = False
    source: str
    intake: dict[str, Any]
    workflow: dict[str, Any]
    payment: dict[str, Any]

    @model_validator(mode="after")
    def _always_somebody(self) -> PermitType:
        if any(rule.when is None for rule in self.authority[:-1]):
            raise bad_value("Only the last rule of authority may have no condition.")
        if self.authority and self.authority[-1].when is not None:
            raise bad_value("The last rule of authority must have no condition.")
        return self

    def level(self, answers: Mapping[str, str]) -> Level | None:
        """Return the level with authority over such an application; None: any."""
        for rule in self.authority:
            if rule.when is None or rule.when.holds(answers):
                return rule.level
        return None


class LeaveDay(FileModel):
    """One day of joint leave."""

    day: date
    name: LocalText


class JointLeave(FileModel):
    """A country's joint leave (cuti bersama) of one year, which a decree sets."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    year: Annotated[int, Field(ge=1945, le=2300)]
    source: str
    joint_leave: tuple[LeaveDay, ...]

    @model_validator(mode="after")
    def _of_its_year(self) -> JointLeave:
        seen = set[date]()
        for leave in self.joint_leave:
            if leave.day in seen:
                raise bad_value("The day {day} is there twice.", day=leave.day.isoformat())
            seen.add(leave.day)
            if leave.day.year != self.year:
                raise bad_value(
                    "The day {day} is not in the year {year} of this file.",
                    day=leave.day.isoformat(),
                    year=self.year,
                )
        return self
