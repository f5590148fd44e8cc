"""The working calendar against a slow oracle that walks minute by minute, and its laws."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calendar import MINUTE_US, Calendars, WorkCalendar
from shared.errors import BadConfiguration
from shared.events import from_micros, to_micros
from shared.office_hours import OfficeHours
from shared.offices import Catalogue, LocalText, Office
from tests.calendars import MINUTE, Oracle, offices

JAKARTA = ZoneInfo("Asia/Jakarta")


def office(**changes: object) -> Office:
    """Return an office with a half day on Friday and no work on weekends."""
    span = ("07:30-12:00", "13:00-16:00")
    values: dict[str, object] = {
        "id": "contoh",
        "version": 1,
        "effective": date(2026, 1, 1),
        "code": "CTH",
        "name": LocalText(id="Kantor contoh", en="Sample office"),
        "address": "Jl. Contoh",
        "zone": "Asia/Jakarta",
        "hours": {"mon": span, "tue": span, "wed": span, "thu": span, "fri": ("07:30-11:30",)},
        "day_minutes": 450,
        "holidays": "ID",
        "joint_leave": (date(2026, 3, 20),),
        "permit_types": (),
        "source": "assumed",
    }
    return Office.model_validate(values | changes)


minutes = st.integers(0, 6 * 24 * 60)


@settings(max_examples=150, deadline=None)
@given(offices(), minutes, minutes)
def test_it_counts_what_the_oracle_counts(
    made: tuple[WorkCalendar, Oracle, datetime], first: int, length: int
) -> None:
    calendar, oracle, begins = made
    start = begins + first * MINUTE
    end = start + length * MINUTE
    assert calendar.minutes_between(start, end) == oracle.between(start, end)
    assert calendar.is_open(start) == oracle.open(start)


@settings(max_examples=150, deadline=None)
@given(offices(), minutes, st.integers(0, 600))
def test_it_adds_what_the_oracle_adds(
    made: tuple[WorkCalendar, Oracle, datetime], first: int, amount: int
) -> None:
    calendar, oracle, begins = made
    start = begins + first * MINUTE
    assert calendar.add(start, amount) == oracle.add(start, amount)


@settings(max_examples=300, deadline=None)
@given(offices(), st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12))
def test_splitting_an_interval_changes_nothing_and_time_only_grows(
    made: tuple[WorkCalendar, Oracle, datetime], first: int, second: int, third: int
) -> None:
    calendar, _, begins = made
    a, b, c = (to_micros(begins) + offset for offset in sorted((first, second, third)))
    whole = calendar.micros_between(a, c)
    assert whole == calendar.micros_between(a, b) + calendar.micros_between(b, c)
    assert 0 <= calendar.micros_between(a, b) <= min(whole, b - a)


@settings(max_examples=200, deadline=None)
@given(offices(), st.lists(st.integers(-(10**14), 10**14), max_size=8))
def test_many_intervals_at_once_are_each_what_they_are_alone(
    made: tuple[WorkCalendar, Oracle, datetime], offsets: list[int]
) -> None:
    calendar, _, begins = made
    marks = [to_micros(begins) + offset for offset in offsets]
    spans = [*pairwise(marks), *pairwise(sorted(marks))]
    assert calendar.works(spans) == [calendar.micros_between(*span) for span in spans]


@settings(max_examples=100, deadline=None)
@given(offices(), st.integers(-3, 12), st.integers(-1, 9))
def test_a_working_day_is_one_on_which_the_office_opens(
    made: tuple[WorkCalendar, Oracle, datetime], first: int, length: int
) -> None:
    calendar, _, begins = made
    start = begins.date() + timedelta(days=first)
    days = [start + timedelta(days=offset) for offset in range(length)]
    opens = sum(map(calendar.is_working_day, days))
    assert calendar.working_days(start, start + timedelta(days=length - 1)) == opens


@settings(max_examples=300, deadline=None)
@given(offices(), st.integers(0, 10**12), st.integers(0, 10**11), st.integers(0, 10**11))
def test_add_and_between_are_inverse_and_adding_is_monotone(
    made: tuple[WorkCalendar, Oracle, datetime], offset: int, amount: int, more: int
) -> None:
    calendar, _, begins = made
    start = to_micros(begins) + offset
    due = calendar.add_micros(start, amount)
    assert calendar.micros_between(start, due) == amount
    if amount:
        assert calendar.micros_between(start, due - 1) == amount - 1
    assert calendar.add_micros(due, more) == calendar.add_micros(start, amount + more) or not amount
    assert calendar.add_micros(start, amount + more) >= due
    assert calendar.add_micros(start + more, amount) >= due


@settings(max_examples=100, deadline=None)
@given(offices(), minutes)
def test_the_next_open_instant_is_open_and_nothing_is_worked_until_then(
    made: tuple[WorkCalendar, Oracle, datetime], first: int
) -> None:
    calendar, oracle, begins = made
    at = begins + first * MINUTE
    found = calendar.next_open(at)
    assert oracle.open(found)
    assert calendar.minutes_between(at, found) == 0
    assert calendar.next_open(found) == found


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=JAKARTA)


def test_nights_weekends_holidays_and_joint_leave_are_no_working_time() -> None:
    calendar = WorkCalendar.of(office())
    # Nyepi on Thursday 19, joint leave on Friday 20, Lebaran on the weekend.
    assert calendar.minutes_between(at(18, 15), at(23, 8, 30)) == 60 + 60
    assert calendar.add(at(18, 15), 61) == at(23, 7, 31)
    assert calendar.next_open(at(18, 16)) == at(23, 7, 30)
    assert not calendar.is_working_day(date(2026, 3, 19))
    assert calendar.working_days(date(2026, 3, 16), date(2026, 3, 22)) == 3
    assert list(_days_open(calendar)) == [16, 17, 18]


def _days_open(calendar: WorkCalendar) -> Iterator[int]:
    return (day for day in range(16, 23) if calendar.is_working_day(date(2026, 3, day)))


def test_a_budget_that_ends_with_the_day_ends_when_the_office_closes() -> None:
    calendar = WorkCalendar.of(office())
    assert calendar.add(at(2, 7, 30), 450) == at(2, 16)
    assert calendar.add(at(2, 7, 30), 451) == at(3, 7, 31)
    assert calendar.add(at(2, 3), 0) == at(2, 3)
    assert calendar.add(at(2, 12, 15), 1) == at(2, 13, 1)


def test_each_day_is_worked_as_the_version_in_force_on_it_says() -> None:
    week = ("mon", "tue", "wed", "thu", "fri")
    short = {
        "version": 2,
        "effective": date(2026, 3, 3),
        "hours": dict.fromkeys(week, ("08:00-12:00",)),
    }
    moved = {**short, "version": 3, "effective": date(2026, 3, 5), "zone": "Asia/Makassar"}
    calendar = WorkCalendar.of(office(), office(**short), office(**moved))
    # Monday 7.5 hours, then four, then four that begin an hour earlier in Jakarta.
    assert calendar.minutes_between(at(2, 0), at(3, 0)) == 450
    assert calendar.minutes_between(at(3, 0), at(5, 0)) == 480
    assert calendar.add(at(5, 0), 1) == at(5, 7, 1)
    assert calendar.add(at(2, 15), 60 + 240 + 240 + 240) == at(5, 11)
    assert calendar.local_date(at(4, 23, 30)) == date(2026, 3, 5)
    assert calendar.local_date(at(3, 23, 30)) == date(2026, 3, 3)
    assert calendar.midnight(date(2026, 3, 5)) == at(4, 23)
    # Before its first version there is no other.
    assert calendar.minutes_between(at(2, 0) - timedelta(days=70), at(2, 0)) > 0


def test_a_half_day_is_worked_as_it_says_even_on_a_day_off() -> None:
    half = {date(2026, 3, 2): ("07:30-10:00",), date(2026, 3, 20): ("08:00-09:00",)}
    calendar = WorkCalendar.of(office(special_hours=half))
    assert calendar.minutes_between(at(2, 0), at(3, 0)) == 150
    assert calendar.minutes_between(at(19, 0), at(21, 0)) == 60


def test_two_versions_that_begin_on_one_day_are_no_calendar() -> None:
    with pytest.raises(BadConfiguration, match="two versions"):
        WorkCalendar.of(office(), office(version=2))
    with pytest.raises(ValueError, match="needs the hours"):
        WorkCalendar([], day_minutes=1)


def test_seconds_are_kept_and_rounded_down_once() -> None:
    calendar = WorkCalendar.of(office())
    start = at(2, 8) + timedelta(seconds=30)
    assert calendar.minutes_between(start, at(2, 9)) == 59
    assert (
        calendar.micros_between(to_micros(start), to_micros(at(2, 9)))
        == 59 * MINUTE_US + 30 * 10**6
    )
    assert calendar.minutes_between(at(2, 9), start) == 0


def test_the_hour_that_is_skipped_or_repeated_is_counted_as_it_passes() -> None:
    night = {6: ((0, 240),)}
    calendar = WorkCalendar([OfficeHours(ZoneInfo("Europe/Amsterdam"), night)], day_minutes=240)
    spring, autumn = datetime(2024, 3, 31, tzinfo=UTC), datetime(2024, 10, 27, tzinfo=UTC)
    day = timedelta(hours=12)
    assert calendar.minutes_between(spring - day, spring + day) == 180
    assert calendar.minutes_between(autumn - day, autumn + day) == 300


def test_a_later_and_an_earlier_question_give_the_same_answers_as_one_layout() -> None:
    narrow, wide = WorkCalendar.of(office()), WorkCalendar.of(office())
    wide.micros_between(to_micros(at(1, 0)) - 20 * 365 * 86_400 * 10**6, to_micros(at(1, 0)))
    before = narrow.add(at(2, 8), 10_000)
    assert narrow.add(at(2, 8), 1_000_000) == wide.add(at(2, 8), 1_000_000)
    assert narrow.minutes_between(from_micros(0), at(2, 8)) == wide.minutes_between(
        from_micros(0), at(2, 8)
    )
    assert narrow.add(at(2, 8), 10_000) == before


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"hours": {}}, "never open"),
        ({"hours": {"mon": ()}}, "never open"),
        ({"hours": {"senin": ("07:30-12:00",)}}, "not a weekday"),
        ({"hours": {"mon": ("12:00-07:30",)}}, "does not end after"),
        ({"hours": {"mon": ("12:00-24:30",)}}, "by 24:00"),
        ({"hours": {"mon": ("07:00-12:00", "11:00-13:00")}}, "overlap"),
    ],
)
def test_hours_that_cannot_be_are_named(changes: dict[str, object], why: str) -> None:
    with pytest.raises(BadConfiguration, match=why):
        WorkCalendar.of(office(**changes))


def test_one_office_s_bad_hours_do_not_touch_another() -> None:
    bad, good = office(id="salah", hours={}), office()
    calendars = Calendars(Catalogue([bad, good], []))
    with pytest.raises(BadConfiguration, match="salah"):
        calendars.of("salah")
    with pytest.raises(BadConfiguration, match="no office"):
        calendars.of("lain")
    assert calendars.of("contoh") is calendars.of("contoh")


def test_an_instant_beyond_every_calendar_is_an_error_and_not_an_endless_search() -> None:
    with pytest.raises(OverflowError):
        WorkCalendar.of(office()).add(at(2, 8), 10**9)
