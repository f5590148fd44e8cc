"""A date that somebody promises in a reply, where it is said clearly. Never guessed.

A date is a promise after a word such as "selesai", or when it is the last thing said on its own
("menunggu tanda tangan, besok"). Two different ones, one in the past, or 03/12, which Indonesians
and Americans read differently, are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

# A day and month without year is the next one to come, but not one that lies most of a year ahead.
NEAR: Final = timedelta(days=180)

_MONTHS: Final = (
    ("jan", "januari", "january"),
    ("feb", "februari", "february", "pebruari"),
    ("mar", "maret", "march"),
    ("apr", "april"),
    ("mei", "may"),
    ("jun", "juni", "june"),
    ("jul", "juli", "july"),
    ("agu", "agt", "ags", "agustus", "aug", "august"),
    ("sep", "sept", "september"),
    ("okt", "oct", "oktober", "october"),
    ("nov", "nopember", "november"),
    ("des", "dec", "desember", "december"),
)
_MONTH_OF: Final = {name: n for n, names in enumerate(_MONTHS, 1) for name in names}
_NAMES: Final = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_ISO: Final = r"(?P<iso>\d{4}-\d{2}-\d{2})"
_DAY: Final = rf"(?P<day>\d{{1,2}})\s+(?P<month>{_NAMES})\.?(?:\s+(?P<year>\d{{4}}))?"
_WORD: Final = r"(?P<word>hari ini|today|besok|tomorrow|lusa)"
_DATE: Final = rf"(?:{_ISO}|{_DAY}|{_WORD})(?!\w)"
_CUE: Final = (
    r"(?:selesai|beres|rampung|kelar|siap|janji|target|paling lambat|sebelum|"
    r"done|ready|finished|complete|completed|promise|by)"
)
_FILLER: Final = r"(?:\W+(?:pada|di|hari|tanggal|tgl|jadi|akan|insya\s?allah|on|by|is|will be))*\W+"
_NO: Final = r"(?P<no>\b(?:belum|tidak|tdk|blm|bukan|tak|not|never|cannot|won't|can't)\W+)?"
_PROMISED: Final = re.compile(rf"{_NO}\b{_CUE}{_FILLER}{_DATE}")
_ALONE: Final = re.compile(rf"(?:^|[.,;:\n])\s*{_DATE}\s*[.!]*\s*$")
_DAYS_AHEAD: Final = {"hari ini": 0, "today": 0, "besok": 1, "tomorrow": 1, "lusa": 2}


def promised(text: str, today: date) -> str:
    """Return the promised day as an ISO 8601 date, or nothing. ``today`` is the office's."""
    found = set(_days(text.casefold(), today))
    day = found.pop() if len(found) == 1 else None
    return day.isoformat() if day is not None and day >= today else ""


def _days(text: str, today: date) -> Iterator[date | None]:
    """Yield every day that is promised; None for one that does not exist or is denied."""
    for match in (*_PROMISED.finditer(text), *_ALONE.finditer(text)):
        denied = match.re is _PROMISED and match["no"]
        yield None if denied else _day(match, today)


def _day(match: re.Match[str], today: date) -> date | None:
    if match["word"]:
        return today + timedelta(days=_DAYS_AHEAD[match["word"]])
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        day, month = int(match["day"]), _MONTH_OF[match["month"]]
        if match["year"]:
            return date(int(match["year"]), month, day)
        coming = date(today.year, month, day)
        if coming < today:
            coming = date(today.year + 1, month, day)
    except ValueError:
        return None
    return coming if coming - today <= NEAR else None
