"""Random office calendars and the slow oracle that they are held against, minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shared.calendar import WorkCalendar
from shared.office_hours import OfficeHours, Span

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Europe/Amsterdam", "America/Sao_Paulo")
MINUTE = timedelta(minutes=1)
# Easter and the end of summer time, Lebaran, the end of the year, and a leap day.
BEGINNINGS = (
    datetime(2024, 3, 28, tzinfo=UTC),
    datetime(2026, 3, 17, tzinfo=UTC),
    datetime(2010, 10, 29, tzinfo=UTC),
    datetime(2025, 12, 30, tzinfo=UTC),
    datetime(2024, 2, 27, tzinfo=UTC),
)


class Oracle:
    """The definition, word by word: a minute counts when the office is open as it begins."""

    def __init__(self, versions: list[OfficeHours]) -> None:
        self._versions = sorted(versions, key=lambda version: version.begins)

    def open(self, at: datetime) -> bool:
        version = next(v for v in reversed(self._versions) if _has_begun(v, at))
        later = [v.begins for v in self._versions if v.begins > version.begins]
        local = at.astimezone(version.zone)
        # The first day of a version that follows belongs to that one, also where clocks differ.
        if later and local.date() >= later[0]:
            return False
        spans = version.week.get(local.weekday(), ())
        if local.date() in version.days_off:
            spans = ()
        spans = version.special.get(local.date(), spans)
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in spans)

    def between(self, start: datetime, end: datetime) -> int:
        total = 0
        while start < end:
            total += self.open(start)
            start += MINUTE
        return total

    def add(self, start: datetime, minutes: int) -> datetime:
        while minutes:
            minutes -= self.open(start)
            start += MINUTE
        return start


def _has_begun(version: OfficeHours, at: datetime) -> bool:
    return version.begins == date.min or at.astimezone(version.zone).date() >= version.begins


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    marks = draw(st.lists(st.integers(0, 96), max_size=6, unique=True))
    edges = [mark * 15 for mark in sorted(marks)]
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def hours(draw: st.DrawFn, around: date, begins: date) -> OfficeHours:
    """Random hours with days off and half days around a date."""
    week = {day: draw(spans()) for day in range(7)}
    if not any(week.values()):
        week[0] = ((480, 720),)
    near = st.integers(-2, 12).map(lambda days: around + timedelta(days=days))
    return OfficeHours(
        ZoneInfo(draw(st.sampled_from(ZONES))),
        week,
        days_off=draw(st.frozensets(near, max_size=4)),
        special=draw(st.dictionaries(near, spans(), max_size=2)),
        begins=begins,
    )


@st.composite
def offices(draw: st.DrawFn) -> tuple[WorkCalendar, Oracle, datetime]:
    """A random calendar, its oracle, and an instant from which a few days are looked at."""
    around = draw(st.sampled_from(BEGINNINGS))
    changes = draw(st.lists(st.integers(-1, 8), max_size=2, unique=True))
    begins = [date.min, *(around.date() + timedelta(days=days) for days in changes)]
    versions = [draw(hours(around.date(), day)) for day in begins]
    return WorkCalendar(versions, day_minutes=480), Oracle(versions), around
