"""Quiet hours: in each of the country's zones, over midnight, and by every office's own clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.rulebook.quiet import Nights, QuietHours
from shared.offices import Catalogue, Office

CONFIG = Path(__file__).parents[4] / "deploy"

WIB, WITA, WIT = (ZoneInfo(f"Asia/{city}") for city in ("Jakarta", "Makassar", "Jayapura"))
NIGHT, SIESTA = QuietHours.of("21:00-06:00"), QuietHours.of("12:00-13:30")
MIDNIGHT = QuietHours.of("21:00-00:00")


class Case(NamedTuple):
    hours: QuietHours
    zone: ZoneInfo
    at: str
    until: str


def instant(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "case",
    [
        # Nine in the evening in Bogor is 14:00 UTC, in Makassar 13:00, in Jayapura 12:00.
        Case(NIGHT, WIB, "11-23T13:59:59", "11-23T13:59:59"),
        Case(NIGHT, WIB, "11-23T14:00:00", "11-23T23:00:00"),
        Case(NIGHT, WIB, "11-23T22:59:59", "11-23T23:00:00"),
        Case(NIGHT, WIB, "11-23T23:00:00", "11-23T23:00:00"),
        Case(NIGHT, WITA, "11-23T13:00:00", "11-23T22:00:00"),
        Case(NIGHT, WITA, "11-23T12:59:59", "11-23T12:59:59"),
        Case(NIGHT, WIT, "11-23T12:00:00", "11-23T21:00:00"),
        Case(NIGHT, WIT, "11-23T11:59:59", "11-23T11:59:59"),
        # Before and after local midnight, and over the end of the year.
        Case(NIGHT, WIB, "11-23T16:59:59", "11-23T23:00:00"),
        Case(NIGHT, WIB, "11-23T17:00:00", "11-23T23:00:00"),
        Case(NIGHT, WIB, "12-31T15:00:00", "12-31T23:00:00"),
        # Hours that do not go over midnight, and hours that end there.
        Case(SIESTA, WIB, "11-23T05:00:00", "11-23T06:30:00"),
        Case(SIESTA, WIB, "11-23T04:59:00", "11-23T04:59:00"),
        Case(MIDNIGHT, WIB, "11-23T16:30:00", "11-23T17:00:00"),
        Case(MIDNIGHT, WIB, "11-23T17:00:00", "11-23T17:00:00"),
    ],
)
def test_what_comes_in_quiet_hours_waits_for_their_end(case: Case) -> None:
    assert case.hours.after(instant(case.at), case.zone) == instant(case.until)


TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
HOURS = st.builds(QuietHours, TIMES, TIMES).filter(lambda hours: hours.begin != hours.end)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@given(HOURS, INSTANTS, st.sampled_from((WIB, WITA, WIT)))
def test_nobody_waits_longer_than_they_last_or_is_told_within_them(
    hours: QuietHours, at: datetime, zone: ZoneInfo
) -> None:
    until = hours.after(at, zone)
    assert at <= until < at + timedelta(days=1)
    assert not hours.hold(until.astimezone(zone).time())
    assert hours.after(until, zone) == until
    # It is the first instant that is not quiet: a second before still is.
    if until > at:
        before = until - timedelta(seconds=1)
        assert before < at or hours.hold(before.astimezone(zone).time())


@given(HOURS, INSTANTS, st.sampled_from(("Europe/Berlin", "America/New_York", "Asia/Gaza")))
def test_clocks_that_are_moved_never_send_a_message_into_the_past(
    hours: QuietHours, at: datetime, name: str
) -> None:
    assert at <= hours.after(at, ZoneInfo(name)) <= at + timedelta(days=1, hours=1)


def office(**changes: object) -> Office:
    found = Catalogue.load(CONFIG).offices["bogor"]
    return Office.model_validate({**found.model_dump(), **changes})


def test_an_offices_own_hours_come_first_and_are_read_by_its_own_clock() -> None:
    eastern = office(id="jayapura", zone="Asia/Jayapura")
    early = office(id="early", quiet_hours="19:00-05:00")
    known = {one.id: one for one in (office(), eastern, early)}
    nights = Nights("21:00-06:00", known)
    at = instant("11-23T12:30:00")
    assert nights.after(at, "bogor") == at
    assert nights.after(at, "jayapura") == instant("11-23T21:00:00")
    assert nights.after(at, "early") == instant("11-23T22:00:00")
    assert nights.after(at, "unknown") == at
    assert Nights(None, known).after(instant("11-23T15:00:00"), "bogor").hour == 15
    assert [Nights(None, known).of(name) for name in ("bogor", "early")] == ["", "19:00-05:00"]
