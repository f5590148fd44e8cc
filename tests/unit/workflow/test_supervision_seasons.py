"""Months of both calendars, and the quarter that stays away in Ramadan."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.workflow.supervision.seasons import (
    Days,
    dips,
    in_ramadan,
    months,
    ramadans,
)

# Ramadan 1447 by the Umm al-Qura tables.
BEGAN, ENDED = date(2026, 2, 18), date(2026, 3, 19)
DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))


def year(first: date, last: date, usual: int, ramadan: int) -> Days:
    """Return days on which ``usual`` came in, and ``ramadan`` during Ramadan; weekends none."""
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        day: {"online": ramadan if in_ramadan(day) else usual} for day in span if day.weekday() < 5
    }


def weekday(day: date) -> bool:
    return day.weekday() < 5


def test_ramadan_is_known_by_its_days() -> None:
    assert not in_ramadan(BEGAN - timedelta(days=1))
    assert in_ramadan(BEGAN)
    assert in_ramadan(ENDED)
    assert not in_ramadan(ENDED + timedelta(days=1))


def test_months_of_the_common_calendar_say_how_much_of_them_was_ramadan() -> None:
    bars = months(year(date(2026, 1, 1), date(2026, 4, 30), 4, 3), BEGAN, ENDED, hijri=False)
    assert [(bar.first.month, bar.days, bar.ramadan) for bar in bars] == [(2, 28, 11), (3, 31, 19)]


def test_a_quarter_less_in_ramadan_is_a_quarter_less_in_its_hijri_month() -> None:
    first, last = date(2026, 1, 1), date(2026, 5, 31)
    bars = months(year(first, last, 4, 3), date(2026, 1, 20), date(2026, 4, 17), hijri=True)
    before, during, after = bars
    assert during.ramadan == during.days == 30
    assert before.ramadan == after.ramadan == 0
    # 22 working days in Ramadan at three each, 21 and 21 around it at four.
    assert during.total == 66
    assert during.total < 0.8 * before.total
    assert during.total < 0.8 * after.total


def test_the_dip_is_said_per_working_day() -> None:
    first, last = date(2026, 1, 1), date(2026, 5, 31)
    (dip,) = dips(year(first, last, 4, 3), first, last, weekday)
    assert (dip.first, dip.last) == (BEGAN, ENDED)
    assert (dip.during, dip.around, dip.change) == (3, 4, -0.25)


def test_a_ramadan_without_anything_around_it_is_not_compared() -> None:
    assert dips({}, date(2026, 1, 1), date(2026, 5, 31), weekday) == []
    assert dips({}, BEGAN, ENDED, weekday) == []
    assert ramadans(BEGAN, ENDED - timedelta(days=1)) == []


@given(DAYS, st.integers(0, 800))
def test_months_cover_every_day_once(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    days: Days = {first + timedelta(days=n): {"online": 1} for n in range(length + 1)}
    for hijri in (False, True):
        bars = months(days, first, last, hijri=hijri)
        assert sum(bar.total for bar in bars) == length + 1
        assert all(
            bar.first + timedelta(days=bar.days) == following.first
            for bar, following in pairwise(bars)
        )
