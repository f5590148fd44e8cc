"""Months and Ramadan: what came in, per month of either calendar, and the dip said in numbers.

Hijri months are those of the Umm al-Qura tables (``hijridate``). The government's own decision
(sidang isbat) may differ by a day; for a count per month that does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from hijridate import Gregorian, Hijri

RAMADAN = 9
COMPARED_DAYS = 56
"""Ramadan is held against so many days before it and as many after it: eight weeks each."""

Days = Mapping[date, Mapping[str, int]]
"""Local day -> channel -> how many applications came in. Quiet days are absent."""


class Bar(NamedTuple):
    """What came in during one month. ``ramadan`` is how many of its ``days`` were in Ramadan."""

    first: date
    days: int
    ramadan: int
    channels: dict[str, int]

    @property
    def hijri(self) -> tuple[int, int]:
        """Hijri year and month (1 to 12) of its first day."""
        day = Gregorian(self.first.year, self.first.month, self.first.day).to_hijri()
        return day.year, day.month

    @property
    def total(self) -> int:
        """All channels together."""
        return sum(self.channels.values())


class Dip(NamedTuple):
    """A Ramadan against the eight weeks on both sides: applications per working day."""

    first: date
    last: date
    during: float
    around: float

    @property
    def change(self) -> float:
        """-0.25 says that a quarter fewer came in."""
        return self.during / self.around - 1


def months(days: Days, first: date, last: date, *, hijri: bool) -> list[Bar]:
    """Return one bar per month that overlaps ``first`` to ``last``, quiet ones included."""
    found: list[Bar] = []
    begin = month_start(first, hijri=hijri)
    while begin <= last:
        # A Hijri month has 29 or 30 days, one of ours up to 31: this lands in the next one.
        following = month_start(begin + timedelta(days=30 if hijri else 31), hijri=hijri)
        span = [begin + timedelta(days=n) for n in range((following - begin).days)]
        channels: Counter[str] = Counter()
        for day in span:
            channels.update(days.get(day, {}))
        found.append(Bar(begin, len(span), sum(map(in_ramadan, span)), dict(channels)))
        begin = following
    return found


def month_start(day: date, *, hijri: bool) -> date:
    """Return the first day of the month that a day lies in."""
    if not hijri:
        return day.replace(day=1)
    found = Gregorian(day.year, day.month, day.day).to_hijri()
    begin = Hijri(found.year, found.month, 1).to_gregorian()
    return date(begin.year, begin.month, begin.day)


def in_ramadan(day: date) -> bool:
    """Say whether a day lies in Ramadan."""
    return Gregorian(day.year, day.month, day.day).to_hijri().month == RAMADAN


def ramadans(first: date, last: date) -> list[tuple[date, date]]:
    """Return the first and the last day of every Ramadan that lies wholly within a period."""
    found = []
    for year in range(_hijri_year(first), _hijri_year(last) + 1):
        begin = Hijri(year, RAMADAN, 1).to_gregorian()
        end = Hijri(year, RAMADAN + 1, 1).to_gregorian() - timedelta(days=1)
        if first <= begin and end <= last:
            found.append(
                (date(begin.year, begin.month, begin.day), date(end.year, end.month, end.day))
            )
    return found


def dips(days: Days, first: date, last: date, works: Callable[[date], bool]) -> list[Dip]:
    """Return how each whole Ramadan compares with the weeks around it.

    ``works`` says whether the office is open on a day. Only what lies within ``first`` to ``last``
    is compared; a Ramadan without anything to compare it with is left out.
    """
    found = []
    for begin, end in ramadans(first, last):
        before = max(first, begin - timedelta(days=COMPARED_DAYS))
        after = min(last, end + timedelta(days=COMPARED_DAYS))
        during = _per_day(days, begin, end, works)
        around = _per_day(days, before, after, _without(works, begin, end))
        if during is not None and around:
            found.append(Dip(begin, end, during, around))
    return found


def _without(works: Callable[[date], bool], first: date, last: date) -> Callable[[date], bool]:
    return lambda day: works(day) and not first <= day <= last


def _per_day(days: Days, first: date, last: date, works: Callable[[date], bool]) -> float | None:
    """Return what came in per working day, on working days; None without any."""
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    worked = [day for day in span if works(day)]
    came = sum(sum(days.get(day, {}).values()) for day in worked)
    return came / len(worked) if worked else None


def _hijri_year(day: date) -> int:
    return Gregorian(day.year, day.month, day.day).to_hijri().year
