"""When people come: by weekday, hour and season. Every figure here is assumed."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hijridate import Gregorian

_RAMADAN, _SHAWWAL = 9, 10
# A quarter fewer in Ramadan is what Mataram's office reported; more come right after the feast.
_IN_RAMADAN, _AFTER_RAMADAN = 0.75, 1.15
# Monday to Sunday, 1.0 on the average working day. On days off only the internet is open.
_WEEKDAYS = (1.2, 1.08, 1.0, 0.94, 0.78, 0.12, 0.1)
_DAY_OFF = 0.1
_ONLINE_HOURS = (6, 23)


def expected(day: date, rate: float, *, working: bool) -> float:
    """Return how many applications are expected on a day, at ``rate`` per working day."""
    weekday = _WEEKDAYS[day.weekday()] if working else min(_DAY_OFF, _WEEKDAYS[day.weekday()])
    return rate * weekday * _season(day)


def _season(day: date) -> float:
    hijri = Gregorian(day.year, day.month, day.day).to_hijri()
    if hijri.month == _RAMADAN:
        return _IN_RAMADAN
    if hijri.month == _SHAWWAL and hijri.day <= 20:
        return _AFTER_RAMADAN
    if day.month == 12 and day.day >= 15:
        return 0.7
    # Permits for the new year's business are applied for in its first weeks.
    return 1.15 if day.month == 1 else 1.0


def drawn(dice: Random, mean: float) -> int:
    """Return a number from the Poisson distribution of ``mean`` (Knuth's way, for small means)."""
    limit, product, count = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


def online_instant(dice: Random, day: date, zone: ZoneInfo) -> datetime:
    """Return when somebody applies through the internet: most in the morning and the evening."""
    peak = 10.0 if dice.random() < 0.6 else 20.0
    first, last = _ONLINE_HOURS
    hour = min(max(dice.gauss(peak, 2.0), first), last)
    seconds = int(hour * 3600) + dice.randrange(60)
    return datetime.combine(day, time(), zone) + timedelta(seconds=seconds)


def lasting(dice: Random, median: float, spread: float) -> float:
    """Return a log-normal duration; ``spread`` is the standard deviation of its logarithm."""
    return dice.lognormvariate(math.log(median), spread)
