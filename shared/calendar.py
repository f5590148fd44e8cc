"""Working time of an office: the only place where time becomes working time.

The office is open at an instant when the local clock time of that instant lies in one of the day's
spans (start included, end not) and the day is neither a national holiday nor a joint-leave day.
Everything is closed form: open spans are laid out once per year as instants with a running total,
so that a question costs one binary search. Years are laid out when somebody first asks for them.

Amounts are exact working microseconds inside; ``minutes_between`` rounds down to whole minutes,
once, at the end. Hence splitting an interval changes nothing in microseconds.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays

from shared.errors import BadConfiguration
from shared.events import from_micros, to_micros
from shared.offices import Catalogue, Office

MINUTE_US = 60_000_000
_DAY_MINUTES = 24 * 60
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_YEAR, _LAST_YEAR = 1900, 2300

Span = tuple[int, int]
"""Minutes since local midnight, start included, end not."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Open spans of a range of years: instants in microseconds UTC, oldest first.

    ``after[i]`` is the working time from the layout's beginning to the end of span ``i``.
    """

    first_year: int
    last_year: int
    begins: int
    ends: int
    opens: Sequence[int]
    closes: Sequence[int]
    after: Sequence[int]

    def worked(self, at: int) -> int:
        """Return the working time from the layout's beginning to ``at``."""
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return 0
        return self.after[index] - max(0, self.closes[index] - at)

    def reached(self, worked: int) -> int | None:
        """Return the first instant at which ``worked`` is reached, None beyond the layout."""
        index = bisect_left(self.after, worked)
        if index == len(self.after):
            return None
        return self.closes[index] - (self.after[index] - worked)


class WorkCalendar:
    """The calendar of one office. Safe to use from several threads.

    ``day_minutes`` is what one working day of a budget counts; ``zone`` the office's own.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        week: Mapping[int, tuple[Span, ...]],
        *,
        day_minutes: int,
        country: str = "",
        days_off: Iterable[date] = (),
    ) -> None:
        """``week`` maps weekdays (0 is Monday) to spans, in order and without overlap.

        ``country`` (ISO 3166, empty for none) brings its national holidays. Raises ValueError for a
        week without an open minute.
        """
        if not any(week.values()):
            raise ValueError("the office is never open")
        self.zone = zone
        self.day_minutes = day_minutes
        self._week = {weekday: tuple(spans) for weekday, spans in week.items()}
        self._country = country
        self._days_off = frozenset(days_off)
        self._lock = threading.Lock()
        self._layout = _Layout(0, 0, 0, 0, (), (), ())

    @classmethod
    def of(cls, office: Office) -> WorkCalendar:
        """Return the calendar of an office. Raises BadConfiguration for hours that can't be."""
        try:
            if office.holidays not in holidays.list_supported_countries():
                raise ValueError(f"no holidays are known for the country {office.holidays}")
            return cls(
                ZoneInfo(office.zone),
                _week(office.hours),
                day_minutes=office.day_minutes,
                country=office.holidays,
                days_off=office.joint_leave,
            )
        except ValueError as error:
            raise BadConfiguration(file=f"office {office.id}", reason=str(error)) from error

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
        layout = self._covering(start, start + micros)
        while True:
            found = layout.reached(layout.worked(start) + micros)
            if found is not None:
                return found
            layout = self._extended(layout.first_year, layout.last_year + 1)

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
        return bool(next(self._days(day, day))[1])

    def working_days(self, first: date, last: date) -> int:
        """Count the days on which the office opens, from ``first`` to ``last``, both included."""
        return sum(1 for _, spans in self._days(first, last) if spans)

    def local_date(self, at: datetime) -> date:
        """Return the office's own date of an instant."""
        return at.astimezone(self.zone).date()

    def _days(self, first: date, last: date) -> Iterator[tuple[date, tuple[Span, ...]]]:
        years, country = range(first.year, last.year + 1), self._country
        national = holidays.country_holidays(country, years=years) if country else {}
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            off = day in self._days_off or day in national
            yield day, () if off else self._week.get(day.weekday(), ())

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
        opens: list[int] = []
        closes: list[int] = []
        years = range(first, last + 1)
        if held.opens:
            self._lay(opens, closes, range(first, held.first_year))
            opens += held.opens
            closes += held.closes
            years = range(held.last_year + 1, last + 1)
        self._lay(opens, closes, years)
        after: list[int] = []
        for start, end in zip(opens, closes, strict=True):
            after.append(end - start + (after[-1] if after else 0))
        begins, ends = self._midnight(date(first, 1, 1)), self._midnight(date(last + 1, 1, 1))
        return _Layout(first, last, begins, ends, opens, closes, after)

    def _lay(self, opens: list[int], closes: list[int], years: range) -> None:
        if not years:
            return
        for day, spans in self._days(date(years[0], 1, 1), date(years[-1], 12, 31)):
            for start, end in self._instants(day, spans):
                opens.append(start)
                closes.append(end)

    def _instants(self, day: date, spans: tuple[Span, ...]) -> Iterator[tuple[int, int]]:
        """Yield the day's open spans as instants, also on a day whose clocks are changed."""
        if not spans:
            return
        begins, ends = self._midnight(day), self._midnight(day + timedelta(days=1))
        local = to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC)) // 1_000_000
        for piece_start, piece_end, offset in self._pieces(begins, ends):
            for span_start, span_end in spans:
                start = (local + span_start * 60 - offset) * 1_000_000
                end = (local + span_end * 60 - offset) * 1_000_000
                start, end = max(start, piece_start), min(end, piece_end)
                if start < end:
                    yield start, end

    def _pieces(self, begins: int, ends: int) -> Iterator[tuple[int, int, int]]:
        """Cut a day where the clocks are changed; each piece has one offset (seconds)."""
        first, last = self._offset(begins), self._offset(ends - 1)
        if first == last:
            yield begins, ends, first
            return
        low, high = begins // 1_000_000, ends // 1_000_000
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(middle * 1_000_000) == first:
                low = middle
            else:
                high = middle
        yield begins, high * 1_000_000, first
        yield high * 1_000_000, ends, last

    def _offset(self, at: int) -> int:
        offset = from_micros(at).astimezone(self.zone).utcoffset() or timedelta()
        return int(offset.total_seconds())

    def _midnight(self, day: date) -> int:
        return to_micros(datetime(day.year, day.month, day.day, tzinfo=self.zone))


class Calendars:
    """The calendars of all offices, each prepared when it is first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Prepare nothing yet."""
        self._catalogue = catalogue
        self._calendars: dict[str, WorkCalendar] = {}

    def of(self, office: str) -> WorkCalendar:
        """Return an office's calendar. Raises BadConfiguration for that office alone."""
        found = self._calendars.get(office)
        if found is None:
            known = self._catalogue.offices.get(office)
            if known is None:
                raise BadConfiguration(file="offices", reason=f"there is no office {office!r}")
            found = self._calendars.setdefault(office, WorkCalendar.of(known))
        return found


def _week(hours: Mapping[str, Sequence[str]]) -> dict[int, tuple[Span, ...]]:
    """Return the spans per weekday number. Raises ValueError naming what is wrong."""
    unknown = sorted(set(hours) - set(_WEEKDAYS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a weekday; use {', '.join(_WEEKDAYS)}")
    return {_WEEKDAYS.index(day): _spans(day, texts) for day, texts in hours.items()}


def _spans(day: str, texts: Sequence[str]) -> tuple[Span, ...]:
    spans = sorted(_span(day, text) for text in texts)
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise ValueError(f"hours of {day}: spans overlap")
    return tuple(spans)


def _span(day: str, text: str) -> Span:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    if not start < end <= _DAY_MINUTES:
        raise ValueError(f"hours of {day}: {text} does not end after it starts, by 24:00")
    return start, end
