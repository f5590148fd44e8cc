"""``/papan/jumlah``: what comes in per month and channel, with Ramadan marked; also as CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from babel.dates import format_date
from fastapi import APIRouter, Query, Request, Response

from services.workflow.supervision import charts
from services.workflow.supervision.download import csv_response
from services.workflow.supervision.list_page import Word
from services.workflow.supervision.seasons import Bar, Dip, dips, month_start, months
from services.workflow.supervision.watch import Leader, Tell, Watch
from shared.calendar import Calendars
from shared.errors import BadConfiguration
from shared.web.forms import Form
from shared.web.i18n import msg
from shared.web.pages import language

_YEAR = timedelta(days=365)
_SHOWN = 4
"""So many channels have a pattern of their own; all further ones are added up."""
_OTHER = "other"
_CHANNELS = {
    "online": msg("Internet"),
    "counter": msg("Counter"),
    "email": msg("E-mail"),
    "phone": msg("Telephone"),
    "post": msg("Post"),
    _OTHER: msg("Other ways"),
}
# The months of the Hijri year as Indonesia writes them, short and in full; never translated.
_HIJRI = (
    ("Mhr", "Muharam"),
    ("Sfr", "Safar"),
    ("Ra1", "Rabiulawal"),
    ("Ra2", "Rabiulakhir"),
    ("Ja1", "Jumadilawal"),
    ("Ja2", "Jumadilakhir"),
    ("Rjb", "Rajab"),
    ("Syb", "Syakban"),
    ("Ram", "Ramadan"),
    ("Syw", "Syawal"),
    ("Zka", "Zulkaidah"),
    ("Zhj", "Zulhijah"),
)
_FEWER = msg("Ramadan ({first} to {last}): {percent} % fewer a working day than around it.")
_MORE = msg("Ramadan ({first} to {last}): {percent} % more a working day than around it.")
Calendar = Annotated[Literal["masehi", "hijriah"], Query()]


def volume_pages(watch: Watch) -> APIRouter:
    """Return the page about volume and its CSV."""
    router = APIRouter(include_in_schema=False)

    @router.get("/papan/jumlah")
    async def show(
        request: Request,
        account: Leader,
        kantor: Word = "",
        kalender: Calendar = "masehi",
        sampai: Annotated[date | None, Query()] = None,
    ) -> Response:
        offices = watch.scope(account, kantor)
        tell = watch.tell(account.office, language(request))
        first, last = _period(sampai or await _last(watch, offices))
        hijri = kalender == "hijriah"
        first = month_start(first, hijri=hijri)
        days = await watch.figures.days(offices, first, last)
        bars = months(days, first, last, hijri=hijri)
        return watch.page(
            request,
            account,
            "volume",
            form=Form({"kantor": kantor, "kalender": kalender}),
            places=[(office, tell.office(office)) for office in watch.scope(account)],
            dips=[_dip(dip, tell) for dip in dips(days, first, last, _works(watch, offices[0]))],
            earlier=(first - timedelta(days=1)).isoformat(),
            **drawn(bars, tell, hijri=hijri),
        )

    @router.get("/papan/jumlah.csv")
    async def download(
        account: Leader, kantor: Word = "", sampai: Annotated[date | None, Query()] = None
    ) -> Response:
        offices = watch.scope(account, kantor)
        first, last = _period(sampai or await _last(watch, offices))
        bars = months(await watch.figures.days(offices, first, last), first, last, hijri=False)
        rows = (
            (f"{bar.first:%Y-%m}", channel, count, bar.ramadan)
            for bar in bars
            for channel, count in sorted(bar.channels.items())
        )
        return csv_response("jumlah.csv", ("month", "channel", "received", "ramadan_days"), rows)

    return router


def drawn(bars: Sequence[Bar], tell: Tell, *, hijri: bool) -> dict[str, Any]:
    """Return chart, legend and table of the same bars."""
    tr = tell.teller.tr
    channels = _channels(bars)
    counts = [[_count(bar, channel, channels) for channel in channels] for bar in bars]
    names = [tr.t(_CHANNELS.get(channel, channel)) for channel in channels]
    labels, long = zip(*(_names(bar, tell, hijri=hijri) for bar in bars), strict=True)
    marked = [bar.ramadan > 0 for bar in bars]
    return {
        "total": sum(bar.total for bar in bars),
        "names": names,
        "chart": charts.stack(
            [(label, row, mark) for label, row, mark in zip(labels, counts, marked, strict=True)]
        ),
        "rows": [
            {
                "month": name,
                "ramadan": bar.ramadan,
                "total": bar.total,
                "counts": row,
            }
            for name, bar, row in zip(long, bars, counts, strict=True)
        ],
        "shares": [
            (name, count, tell.percent(count, sum(bar.total for bar in bars)))
            for name, count in zip(names, map(sum, zip(*counts, strict=True)), strict=False)
        ],
    }


def month_name(month: str, tell: Tell) -> str:
    """Return a month (``2026-03``) in words."""
    return _words(date.fromisoformat(f"{month}-01"), "MMMM y", tell)


def _channels(bars: Sequence[Bar]) -> list[str]:
    """Return the channels to show, the most used first; ``other`` stands for the rest."""
    totals: Counter[str] = Counter()
    for bar in bars:
        totals.update(bar.channels)
    ranked = [channel for channel, _ in sorted(totals.items(), key=lambda one: (-one[1], one[0]))]
    return ranked if len(ranked) <= _SHOWN + 1 else [*ranked[:_SHOWN], _OTHER]


def _count(bar: Bar, channel: str, shown: Sequence[str]) -> int:
    if channel == _OTHER and channel not in bar.channels:
        return sum(count for name, count in bar.channels.items() if name not in shown)
    return bar.channels.get(channel, 0)


def _dip(dip: Dip, tell: Tell) -> dict[str, str]:
    tr = tell.teller.tr
    sentence = _FEWER if dip.change < 0 else _MORE
    return {
        "sentence": tr.t(
            sentence,
            first=_words(dip.first, "d MMMM y", tell),
            last=_words(dip.last, "d MMMM y", tell),
            percent=tr.number(abs(round(100 * dip.change))),
        ),
        "detail": tr.t(
            "{during} a working day, against {around} in the eight weeks before and after.",
            during=tr.number(round(dip.during, 1)),
            around=tr.number(round(dip.around, 1)),
        ),
    }


async def _last(watch: Watch, offices: Sequence[str]) -> date:
    """Return the last day that anything came in, today for an office without any."""
    return await watch.figures.last_day(offices) or watch.counter.desk.now().date()


def _period(last: date) -> tuple[date, date]:
    """Return the thirteen months that end with ``last``: every season once, this month twice."""
    return (last - _YEAR).replace(day=1), last


def _works(watch: Watch, office: str) -> Callable[[date], bool]:
    """Return whether an office is open on a day; without a valid calendar Monday to Friday."""
    calendars: Calendars = watch.calendars
    try:
        return calendars.of(office).is_working_day
    except BadConfiguration:
        return lambda day: day.weekday() < 5


def _names(bar: Bar, tell: Tell, *, hijri: bool) -> tuple[str, str]:
    """Return a month's name, short and with its year."""
    if hijri:
        year, month = bar.hijri
        short, name = _HIJRI[month - 1]
        return short, f"{name} {year}"
    return _words(bar.first, "MMM", tell)[:3], _words(bar.first, "MMMM y", tell)


def _words(day: date, pattern: str, tell: Tell) -> str:
    return format_date(day, pattern, locale=tell.lang)
