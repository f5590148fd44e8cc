"""Working time of an office: the only place where time becomes working time.

The office is open at an instant when the local clock time of that instant lies in one of the day's
spans (start included, end not) and the day is neither a national holiday nor a joint-leave day.
Each local day is worked as the version of the office in force on that day says; where a change of
zone makes the first day of a version overlap the day before, the new version counts.
Everything is closed form: open spans are laid out once per year as instants with a running total,
so that a question costs one binary search. Years are laid out when somebody first asks for them.

Amounts are exact working microseconds; ``minutes_between`` rounds down once, at the end.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise, zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from shared.errors import BadConfiguration
from shared.events import from_micros, to_micros
from shared.office_hours import OfficeHours, spans_of, week_of
from shared.offices import Catalogue, Office

MINUTE_US = 60_000_000
_FIRST_YEAR, _LAST_YEAR = 1900, 2300
_DAY = timedelta(days=1)
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class _Layout:
    """Open spans of a range of years: instants in microseconds UTC, oldest first.

    ``after[i]`` is the working time from the layout's beginning to the end of span ``i``. It
    answers for instants from ``begins`` to ``ends``. ``days`` are the ordinals of the local dates
    on which the office opens.
    """

    first_year: int
    last_year: int
    begins: int
    ends: int
    opens: Sequence[int] = ()
    closes: Sequence[int] = ()
    days: Sequence[int] = ()
    after: Sequence[int] = field(init=False)

    def __post_init__(self) -> None:
        """Sum the spans up."""
        lengths = (end - start for start, end in zip(self.opens, self.closes, strict=True))
        object.__setattr__(self, "after", list(accumulate(lengths)))

    def worked(self, at: int) -> int:
        """Return the working time from the layout's beginning to ``at``."""
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return 0
        total, closes = self.after[index], self.closes[index]
        return total - closes + at if at < closes else total

    def add(self, start: int, micros: int) -> int | None:
        """Return when ``micros`` have been worked since ``start``, None beyond the layout."""
        after, closes = self.after, self.closes
        index = bisect_right(self.opens, start) - 1
        if index >= 0:
            left = closes[index] - start
            if left >= micros:
                return start + micros
            micros += after[index] - left if left > 0 else after[index]
        index = bisect_left(after, micros)
        return None if index == len(after) else closes[index] - after[index] + micros


def _made_of(versions: Sequence[OfficeHours], day_minutes: int) -> WorkCalendar:
    return WorkCalendar(versions, day_minutes=day_minutes)


class WorkCalendar:
    """The calendar of one office. Safe to use from several threads.

    ``day_minutes`` is what one working day of a budget counts; ``zone`` the office's own. Both are
    those of the latest version.
    """

    def __init__(self, versions: Sequence[OfficeHours], *, day_minutes: int) -> None:
        """Lay ``versions`` one after the other; the earliest holds for all time before it too.

        Raises ValueError without a version, or for two that begin on one day.
        """
        if not versions:
            raise ValueError("a calendar needs the hours of an office")
        self._versions = sorted(versions, key=lambda version: version.begins)
        for earlier, later in pairwise(self._versions):
            if earlier.begins == later.begins:
                raise ValueError(f"two versions of the hours begin on {later.begins}")
        self._begins = [version.begins for version in self._versions[1:]]
        self.zone = self._versions[-1].zone
        self.day_minutes = day_minutes
        self._lock = threading.Lock()
        self._layout = _Layout(0, 0, 0, 0)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as what it is made of; years are laid out there anew."""
        return _made_of, (self._versions, self.day_minutes)

    @classmethod
    def of(cls, *versions: Office, joint_leave: Iterable[date] = ()) -> WorkCalendar:
        """Return the calendar of an office from its versions, with everybody's ``joint_leave``.

        Raises BadConfiguration for hours that can't be.
        """
        leave = frozenset(joint_leave)
        latest = max(versions, key=lambda version: version.effective)
        try:
            hours = [_hours(version, leave) for version in versions]
            return cls(hours, day_minutes=latest.day_minutes)
        except ValueError as error:
            raise BadConfiguration(file=f"office {latest.id}", reason=str(error)) from error

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole working minutes from ``start`` to ``end``; 0 when ``end`` is earlier."""
        return self.micros_between(to_micros(start), to_micros(end)) // MINUTE_US

    def micros_between(self, start: int, end: int) -> int:
        """Return the working microseconds between two instants (microseconds UTC), exactly."""
        if end <= start:
            return 0
        layout = self._covering(start, end)
        return layout.worked(end) - layout.worked(start)

    def add(self, start: datetime, minutes: int) -> datetime:
        """Return the first instant at which ``minutes`` of work have passed since ``start``.

        ``add(t, 0)`` is ``t``. A budget that ends with the day ends when the office closes, not
        when it opens again.
        """
        return from_micros(self.add_micros(to_micros(start), minutes * MINUTE_US))

    def add_micros(self, start: int, micros: int) -> int:
        """Like ``add``, in microseconds UTC and working microseconds."""
        if micros <= 0:
            return start
        layout = self._layout
        if not layout.begins <= start < start + micros < layout.ends:
            layout = self._covering(start, start + micros)
        while (found := layout.add(start, micros)) is None:
            layout = self._extended(layout.first_year, layout.last_year + 1)
        return found

    def next_open(self, at: datetime) -> datetime:
        """Return ``at`` when the office is open then, else the instant it opens next."""
        instant = to_micros(at)
        layout = self._covering(instant, instant)
        while True:
            index = bisect_right(layout.opens, instant) - 1
            if index >= 0 and instant < layout.closes[index]:
                return at
            if index + 1 < len(layout.opens):
                return from_micros(layout.opens[index + 1])
            layout = self._extended(layout.first_year, layout.last_year + 1)

    def is_open(self, at: datetime) -> bool:
        """Say whether the office works at this instant."""
        return self.next_open(at) == at

    def is_working_day(self, day: date) -> bool:
        """Say whether the office opens at all on a (local) date."""
        return self.working_days(day, day) == 1

    def working_days(self, first: date, last: date) -> int:
        """Count the days on which the office opens, from ``first`` to ``last``, both included."""
        layout = self._layout
        if not layout.first_year <= first.year <= last.year <= layout.last_year:
            layout = self._extended(first.year, last.year)
        days = layout.days
        found = bisect_right(days, last.toordinal()) - bisect_left(days, first.toordinal())
        return max(0, found)

    def local_date(self, at: datetime) -> date:
        """Return the office's own date of an instant."""
        return at.astimezone(self._versions[self._of_instant(at)].zone).date()

    def midnight(self, day: date) -> datetime:
        """Return the instant at which a day of the office begins."""
        return from_micros(self._of_day(day).midnight(day))

    def works(self, spans: Iterable[Sequence[int]]) -> list[int]:
        """Return the working microseconds of many (start, end); 0 where one ends before it starts.

        One that begins where the one before it ended costs a single search.
        """
        found: list[int] = []
        layout, last, until = self._layout, -1, 0
        opens, closes, after = layout.opens, layout.closes, layout.after
        for start, end in spans:
            if end <= start:
                found.append(0)
                continue
            if not (layout.begins <= start and end < layout.ends):
                # The running totals of another layout begin elsewhere.
                layout, last = self._covering(start, end), -1
                opens, closes, after = layout.opens, layout.closes, layout.after
            before = until if start == last else layout.worked(start)
            # As ``worked``, written out: a permit that went to and fro has many spans.
            index = bisect_right(opens, end) - 1
            last, until = end, after[index] if index >= 0 else 0
            if index >= 0 and end < closes[index]:
                until -= closes[index] - end
            found.append(until - before)
        return found

    def _of_day(self, day: date) -> OfficeHours:
        return self._versions[bisect_right(self._begins, day)]

    def _of_instant(self, at: datetime) -> int:
        """Return the index of the version whose first day has begun."""
        instant = to_micros(at)
        later = (version.midnight(version.begins) for version in self._versions[1:])
        return sum(begins <= instant for begins in later)

    def _covering(self, start: int, end: int) -> _Layout:
        layout = self._layout
        if layout.begins <= start and end < layout.ends:
            return layout
        # A year more on both sides: the local year may differ from the one in UTC.
        return self._extended(from_micros(start).year - 1, from_micros(end).year + 1)

    def _extended(self, first: int, last: int) -> _Layout:
        """Return a layout that covers these years and what was laid out before."""
        with self._lock:
            held = self._layout
            if held.opens:
                first, last = min(first, held.first_year), max(last, held.last_year)
            if first < _FIRST_YEAR or last > _LAST_YEAR:
                raise OverflowError("an instant beyond every calendar")
            if first < held.first_year or last > held.last_year:
                self._layout = self._laid_out(first, last, held)
            return self._layout

    def _laid_out(self, first: int, last: int, held: _Layout) -> _Layout:
        """Lay out the years that ``held`` lacks, around it."""
        if held.opens:
            before = self._lay(date(first, 1, 1), date(held.first_year - 1, 12, 31))
            beyond = self._lay(date(held.last_year + 1, 1, 1), date(last, 12, 31))
        else:
            before, beyond = self._lay(date(first, 1, 1), date(last, 12, 31)), ([], [], [])
        opens, closes, days = (
            [*early, *known, *late]
            for early, known, late in zip(
                before, (held.opens, held.closes, held.days), beyond, strict=True
            )
        )
        # Zones differ between versions: at its edges a layout knows only what holds in all of them.
        begins = max(version.midnight(date(first, 1, 1)) for version in self._versions)
        ends = min(version.midnight(date(last + 1, 1, 1)) for version in self._versions)
        return _Layout(first, last, begins, ends, opens, closes, days)

    def _lay(self, first: date, last: date) -> tuple[list[int], list[int], list[int]]:
        """Return the instants of opening and closing and the working days of some dates."""
        opens: list[int] = []
        closes: list[int] = []
        days: list[int] = []
        for version, following in zip_longest(self._versions, self._versions[1:]):
            begins = first if version is self._versions[0] else max(first, version.begins)
            ends = last if following is None else min(last, following.begins - _DAY)
            limit = _NEVER if following is None else following.midnight(following.begins)
            for day, spans in version.days(begins, ends):
                if spans:
                    days.append(day.toordinal())
                for start, end in version.instants(day, spans):
                    if start < limit:
                        opens.append(start)
                        closes.append(min(end, limit))
        return opens, closes, days


class Calendars:
    """The calendars of all offices, each prepared when it is first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Prepare nothing yet."""
        self._catalogue = catalogue
        self._calendars: dict[str, WorkCalendar] = {}

    def of(self, office: str) -> WorkCalendar:
        """Return an office's calendar. Raises BadConfiguration for that office alone."""
        if (found := self._calendars.get(office)) is None:
            versions = self._catalogue.versions(office)
            if not versions:
                raise BadConfiguration(file="offices", reason=f"there is no office {office!r}")
            leave = self._catalogue.joint_leave(versions[-1].holidays)
            made = WorkCalendar.of(*versions, joint_leave=leave)
            found = self._calendars.setdefault(office, made)
        return found


def _hours(office: Office, joint_leave: frozenset[date]) -> OfficeHours:
    """Return the hours of one version of an office. Raises ValueError naming what is wrong."""
    return OfficeHours(
        ZoneInfo(office.zone),
        week_of(office.hours),
        country=office.holidays,
        days_off=joint_leave.union(office.joint_leave),
        special={
            day: spans_of(day.isoformat(), texts) for day, texts in office.special_hours.items()
        },
        begins=office.effective,
    )
