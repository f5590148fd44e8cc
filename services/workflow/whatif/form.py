"""The page's form: what it shows of an office's rules, and what was changed in it.

Fields hold the rules in force; one that is sent back as it was changes nothing. A budget is written
in the unit of its file (working days or hours), hours as ``07:30-12:00, 13:00-16:00``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from services.workflow.sop_file import Time
from services.workflow.whatif.rules import Alternative
from shared.office_hours import spans_of
from shared.offices import Catalogue, Ladder, LocalText, Office, PermitType
from shared.offices.strict import Hours
from shared.text import msg
from shared.web.forms import FieldError, Form, field_error

T = TypeVar("T")

_DAYS: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(gt=0, le=1000)])
_TIME: TypeAdapter[Any] = TypeAdapter(Time)
_HOURS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[Hours, ...])
_DATES: TypeAdapter[tuple[date, ...]] = TypeAdapter(tuple[date, ...])
_LIMITS: Mapping[str, TypeAdapter[int]] = {
    "warn_percent": TypeAdapter(Annotated[int, Field(ge=1, le=99)]),
    "answer_minutes": TypeAdapter(Annotated[int, Field(gt=0, le=100_000)]),
    "head_minutes": TypeAdapter(Annotated[int, Field(gt=0, le=100_000)]),
}
WEEKDAYS = {
    "mon": msg("Monday"),
    "tue": msg("Tuesday"),
    "wed": msg("Wednesday"),
    "thu": msg("Thursday"),
    "fri": msg("Friday"),
    "sat": msg("Saturday"),
    "sun": msg("Sunday"),
}
LADDER = {
    "warn_percent": msg("Warn at this share of a step's time (percent)"),
    "answer_minutes": msg("Working minutes to answer before the supervisor is told"),
    "head_minutes": msg("Working minutes more until the head of office is told"),
}
PROMISE = msg("Promised working days")
ADDED, REMOVED = msg("Days off to add"), msg("Days off to take away")
_NEVER_OPEN = msg("The office is never open.")
_FROM_FILE = msg("From a file")


class Change(NamedTuple):
    """One thing that was changed: what it is about, in which words, before and after."""

    about: tuple[LocalText, ...]
    msgid: str
    before: str
    after: str


@dataclass(frozen=True)
class Asked:
    """A question: the alternative, what it changes in words, and the form as it was sent."""

    alternative: Alternative
    changes: tuple[Change, ...]
    form: Form


class Budget(NamedTuple):
    """A field for one step's budget; ``unit`` is ``days`` or ``hours``."""

    name: str
    stage: LocalText
    unit: str
    value: str


class Procedure(NamedTuple):
    """The fields of one permit type."""

    kind: PermitType
    promise: str
    value: str
    budgets: tuple[Budget, ...]


def procedures(catalogue: Catalogue, office: Office, today: date) -> list[Procedure]:
    """Return the fields of every permit type that the office gives, as in force today."""
    kinds = (catalogue.current(name, today) for name in office.permit_types)
    return [_procedure(kind) for kind in kinds if kind is not None]


def _procedure(kind: PermitType) -> Procedure:
    budgets = tuple(
        Budget(
            f"{kind.id}.{entry['id']}", LocalText.model_validate(entry["name"]), unit, str(value)
        )
        for entry in kind.workflow.get("stages", ())
        for unit in ("days", "hours")
        if (value := entry.get(unit)) is not None
    )
    return Procedure(kind, f"{kind.id}.janji", str(kind.promise.working_days), budgets)


def hours_of(office: Office) -> dict[str, str]:
    """Return the hours of each weekday as they are written in the form; empty: closed."""
    return {day: ", ".join(office.hours.get(day, ())) for day in WEEKDAYS}


class Reader:
    """Reads one form that was sent, collecting what is wrong and what was changed."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """``values`` are the fields' texts."""
        self._values = {name: value.strip() for name, value in values.items()}
        self.errors: list[FieldError] = []
        self.changes: list[Change] = []

    def read(
        self, catalogue: Catalogue, office: Office, today: date, given: Alternative
    ) -> Asked | None:
        """Return the question; None when something is wrong. Files (``given``) win over fields."""
        taken = {kind.id for kind in given.kinds}
        kinds = [
            changed
            for fields in procedures(catalogue, office, today)
            if fields.kind.id not in taken and (changed := self._kind(fields)) is not None
        ]
        altered = Alternative(
            (*given.kinds, *kinds),
            given.office or self._office(office),
            given.leave,
            given.ladder or self._ladder(office.ladder),
        )
        for kind in given.kinds:
            self.changes.append(Change((kind.name,), _FROM_FILE, "", ""))
        form = Form(dict(self._values), tuple(self.errors))
        return None if self.errors else Asked(altered, tuple(self.changes), form)

    def form(self) -> Form:
        """Return the form to be drawn again."""
        return Form(dict(self._values), tuple(self.errors))

    def _changed(self, name: str, before: str) -> str | None:
        """Return what a field says now, None where it says what it said before or is absent."""
        now = self._values.get(name, before)
        return None if now == before else now

    def _checked(self, name: str, adapter: TypeAdapter[T], value: Any) -> T | None:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            self.errors.append(replace(field_error(error.errors()[0]), field=name))
            return None

    def _kind(self, fields: Procedure) -> PermitType | None:
        plain = fields.kind.model_dump(mode="json")
        before = len(self.changes)
        promise = self._changed(fields.promise, fields.value)
        if promise and (days := self._checked(fields.promise, _DAYS, promise)) is not None:
            plain["promise"]["working_days"] = days
            self.changes.append(Change((fields.kind.name,), PROMISE, fields.value, promise))
        for budget in fields.budgets:
            said = self._changed(budget.name, budget.value)
            # A comma is how decimals are written in Indonesia.
            text = (said or "").replace(",", ".")
            if text and self._checked(budget.name, _TIME, text) is not None:
                stage = next(
                    one
                    for one in plain["workflow"]["stages"]
                    if one["id"] == budget.name.partition(".")[2]
                )
                stage[budget.unit] = text
                about = (fields.kind.name, budget.stage)
                unit = msg("working days") if budget.unit == "days" else msg("working hours")
                self.changes.append(Change(about, unit, budget.value, text))
        return PermitType.model_validate(plain) if len(self.changes) > before else None

    def _office(self, office: Office) -> Office | None:
        hours, changed = self._hours(office)
        added = self._days("tambah", ADDED)
        removed = self._days("hapus", REMOVED)
        if not any(hours.values()):
            self.errors.append(FieldError("jam.mon", _NEVER_OPEN))
        if not (changed or added or removed) or self.errors:
            return None
        special = {day: spans for day, spans in office.special_hours.items() if day not in added}
        # A day that is worked after all has the hours of its weekday.
        special |= {day: hours.get(list(WEEKDAYS)[day.weekday()], ()) for day in removed}
        return office.model_copy(
            update={
                "hours": hours,
                "special_hours": special,
                "joint_leave": (*office.joint_leave, *added),
            }
        )

    def _hours(self, office: Office) -> tuple[dict[str, tuple[str, ...]], bool]:
        hours, changed = dict(office.hours), False
        for day, before in hours_of(office).items():
            said = self._changed(f"jam.{day}", before)
            if said is None:
                continue
            spans = self._checked(f"jam.{day}", _HOURS, tuple(_parts(said)))
            if spans is None or not self._fits(f"jam.{day}", lambda: spans_of(day, spans)):  # noqa: B023
                continue
            hours[day], changed = spans, True
            self.changes.append(Change((), WEEKDAYS[day], before or "–", said or "–"))
        return hours, changed

    def _fits(self, name: str, check: Callable[[], object]) -> bool:
        try:
            check()
        except PydanticCustomError as error:
            context = {k: v for k, v in (error.context or {}).items() if k != "msgid"}
            self.errors.append(FieldError(name, error.message_template, context))
            return False
        return True

    def _days(self, name: str, label: str) -> tuple[date, ...]:
        said = self._values.get(name, "")
        days = self._checked(name, _DATES, tuple(_parts(said))) or ()
        if days:
            self.changes.append(Change((), label, "", ", ".join(day.isoformat() for day in days)))
        return days

    def _ladder(self, ladder: Ladder) -> Ladder | None:
        found: dict[str, int] = {}
        for name, adapter in _LIMITS.items():
            before = str(getattr(ladder, name))
            said = self._changed(name, before)
            if said and (value := self._checked(name, adapter, said)) is not None:
                found[name] = value
                self.changes.append(Change((), LADDER[name], before, said))
        return ladder.model_copy(update=found) if found else None


def _parts(text: str) -> Iterator[str]:
    """Yield what is separated by commas, semicolons or white space."""
    return (part for part in re.split(r"[,;\s]+", text) if part)
