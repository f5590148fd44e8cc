"""Who is on duty at an instant, who stands in for whom, and who is told when. All of it is pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, get_args

from shared.contracts.workflow import AbsenceCancelled, AbsenceRecorded
from shared.office_hours import spans_of
from shared.offices import Duty, Shift
from shared.offices.strict import Weekday

_WEEKDAYS: tuple[str, ...] = get_args(Weekday)
NOW = timedelta()


class Turn(NamedTuple):
    """Somebody to tell, ``wait`` from now: an account's name or an E.164 number."""

    who: str
    wait: timedelta = NOW


@dataclass(frozen=True, slots=True)
class Away:
    """One absence: ``first`` and ``last`` are local days of the office, both included."""

    absence_id: str
    account: str
    deputy: str
    first: date
    last: date


def on_duty(duty: Duty, at: datetime) -> tuple[str, ...]:
    """Return who is on duty at a local instant, in the roster's order, each once."""
    return tuple(dict.fromkeys(shift.who for shift in duty.people if covers(shift, at)))


def covers(shift: Shift, at: datetime) -> bool:
    """Say whether a shift holds at a local instant: its first minute is within, its last not."""
    day = at.date()
    if (shift.first is not None and day < shift.first) or (
        shift.last is not None and day > shift.last
    ):
        return False
    if shift.days and _WEEKDAYS[day.weekday()] not in shift.days:
        return False
    minute = at.hour * 60 + at.minute
    spans = spans_of("duty", shift.hours)
    return not spans or any(start <= minute < end for start, end in spans)


def away(events: Iterable[object]) -> tuple[Away, ...]:
    """Return the absences that hold, folded from the events of an office's ``roster`` stream."""
    held: dict[str, Away] = {}
    for event in events:
        match event:
            case AbsenceRecorded():
                days = date.fromisoformat(event.first), date.fromisoformat(event.last)
                held[event.absence_id] = Away(event.absence_id, event.account, event.deputy, *days)
            case AbsenceCancelled(absence_id=absence_id):
                held.pop(absence_id, None)
    return tuple(held.values())


def stand_in(who: str, absences: Iterable[Away], day: date) -> str:
    """Return the deputy of whoever is away on a day, else ``who``."""
    lasting = (one for one in absences if one.account == who and one.first <= day <= one.last)
    return next((one.deputy for one in lasting), who)


def present(people: Iterable[str], absences: Sequence[Away], day: date) -> tuple[str, ...]:
    """Return ``people`` with deputies in the place of those who are away, each once."""
    return tuple(dict.fromkeys(stand_in(who, absences, day) for who in people))


def turns(people: Iterable[str], escalate_minutes: int | None) -> tuple[Turn, ...]:
    """Return when each is told: all at once, or one after the other where the roster says so."""
    pause = timedelta(minutes=escalate_minutes or 0)
    return tuple(Turn(who, pause * rank) for rank, who in enumerate(people))
