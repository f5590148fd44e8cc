"""When an office is open, as one version of its data says: which spans of which local days.

``WorkCalendar`` lays versions side by side; this is one of them, without any arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays

from shared.events import from_micros, to_micros
from shared.text import bad_value

_DAY_MINUTES = 24 * 60
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Span = tuple[int, int]
"""Minutes since local midnight, start included, end not."""


@dataclass(frozen=True)
class OfficeHours:
    """One version of an office's hours, in force from the local date ``begins`` on.

    ``week`` maps weekdays (0 is Monday) to spans, in order and without overlap; ``special`` does so
    for single dates, which are worked on as it says even if they are holidays. ``country`` (ISO
    3166, empty for none) brings its national holidays, ``days_off`` adds days of joint leave.
    Raises ValueError for a week without an open minute.
    """

    zone: ZoneInfo
    week: Mapping[int, tuple[Span, ...]]
    country: str = ""
    days_off: frozenset[date] = frozenset()
    special: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    begins: date = date.min

    def __post_init__(self) -> None:
        """Check that the office ever opens, or no budget would ever end."""
        if not any(self.week.values()):
            raise bad_value("The office is never open.")

    def days(self, first: date, last: date) -> Iterator[tuple[date, tuple[Span, ...]]]:
        """Yield every day from ``first`` to ``last``, both included, with its spans."""
        if last < first:
            return
        years = range(first.year, last.year + 1)
        national = holidays.country_holidays(self.country, years=years) if self.country else {}
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            if day in self.special:
                yield day, self.special[day]
            elif day in self.days_off or day in national:
                yield day, ()
            else:
                yield day, self.week.get(day.weekday(), ())

    def instants(self, day: date, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
        """Yield a day's open spans in microseconds UTC, also on a day whose clocks are changed."""
        if not spans:
            return
        begins, ends = self.midnight(day), self.midnight(day + timedelta(days=1))
        local = to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC)) // 1_000_000
        for piece_start, piece_end, offset in self._pieces(begins, ends):
            for span_start, span_end in spans:
                start = (local + span_start * 60 - offset) * 1_000_000
                end = (local + span_end * 60 - offset) * 1_000_000
                start, end = max(start, piece_start), min(end, piece_end)
                if start < end:
                    yield start, end

    def midnight(self, day: date) -> int:
        """Return when a local day begins, in microseconds UTC."""
        return to_micros(datetime(day.year, day.month, day.day, tzinfo=self.zone))

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


def week_of(hours: Mapping[str, Sequence[str]]) -> dict[int, tuple[Span, ...]]:
    """Return spans such as ``07:30-12:00`` per mon..sun as minutes per weekday number.

    Raises ValueError naming what is wrong.
    """
    unknown = sorted(set(hours) - set(_WEEKDAYS))
    if unknown:
        known = ", ".join(_WEEKDAYS)
        raise bad_value("{day} is not a weekday; use {known}.", day=str(unknown[0]), known=known)
    return {_WEEKDAYS.index(day): spans_of(day, texts) for day, texts in hours.items()}


def spans_of(day: str, texts: Sequence[str]) -> tuple[Span, ...]:
    """Return the spans of one day, in order. Raises ValueError naming the day."""
    spans = sorted(_span(day, text) for text in texts)
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise bad_value("The hours of {day} overlap.", day=day)
    return tuple(spans)


def _span(day: str, text: str) -> Span:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    if not start < end <= _DAY_MINUTES:
        raise bad_value(
            "The hours of {day}: {text} does not end after it starts, by 24:00.", day=day, text=text
        )
    return start, end
