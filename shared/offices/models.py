"""What an office, a permit type and a year of joint leave say in their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from shared.offices.duty import Duty, OnDuty
from shared.offices.origin import Origin
from shared.offices.strict import FileModel, Hours, QuietSpan
from shared.phone import ContactNumber
from shared.text import bad_value

T = TypeVar("T")

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise bad_value("This is not a time zone such as Asia/Jakarta.") from None
    return name


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
    ``supervisor``, ..) to a number for alerts, ``duty`` a role to who is told in which order.
    Alerts go to mobile numbers, and to ``landlines`` only where the office says so.
    ``email`` is where people send documents.
    ``quiet_hours`` (local time, may go over midnight) are this office's own, in which nobody is
    told what can wait.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    name: LocalText
    address: str
    level: Level = Level.KOTA
    parent: Identifier | None = None
    zone: Annotated[str, AfterValidator(_zone)]
    hours: dict[str, tuple[Hours, ...]]
    special_hours: dict[date, tuple[Hours, ...]] = Field(default_factory=dict)
    day_minutes: Annotated[int, Field(gt=0, le=1440)]
    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    joint_leave: tuple[date, ...] = ()
    permit_types: tuple[Identifier, ...]
    channels: tuple[Channel, ...] = (Channel.ONLINE, Channel.COUNTER)
    pilot: tuple[Identifier, ...] | None = None
    agencies: tuple[Agency, ...] = ()
    ladder: Ladder = Ladder()
    complaint_days: Annotated[int, Field(gt=0)] = 5
    contacts: dict[str, ContactNumber] = Field(default_factory=dict)
    duty: dict[OnDuty, Duty] = Field(default_factory=dict)
    landlines: bool = False
    email: Annotated[str, Field(pattern=r"^([a-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+)?$")] = ""
    quiet_hours: QuietSpan | None = None
    source: str

    def takes_online(self, permit_type: str) -> bool:
        """Say whether people may apply for a permit type here through the internet."""
        if Channel.ONLINE not in self.channels or permit_type not in self.permit_types:
            return False
        return self.pilot is None or permit_type in self.pilot

    def numbers(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield every number in its contacts and rosters, with its place in the file."""
        for role, number in self.contacts.items():
            yield ("contacts", role), number
        for duty_role, duty in self.duty.items():
            for index, shift in enumerate(duty.people):
                if shift.who.startswith("+"):
                    yield ("duty", duty_role, "people", index, "who"), shift.who

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
