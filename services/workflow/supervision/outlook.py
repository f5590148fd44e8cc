"""When an application will probably be decided, in one sentence with its range, for its applicant.

From the office's own history where there is enough of it, else from the budgets of the steps; the
sentence says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from services.workflow.status import Report
from services.workflow.supervision.figures import Figures
from services.workflow.supervision.forecast import Range, forecast
from services.workflow.supervision.journey import Journey, elapsed, evolve
from services.workflow.wording import Teller
from shared.events import from_micros, to_micros
from shared.web.i18n import msg

_RANGE = msg(
    "Probably decided between {first} and {last}. For about eight in ten files that stood where "
    "yours does, such a range was right."
)
_ONE_DAY = msg(
    "Probably decided on {first}. For about eight in ten files that stood where yours does, such a "
    "day was right."
)
_PLAN = msg(
    "Planned for {last}, if every step takes the time it is given. Too few files are finished so "
    "far to say it from experience."
)
_WAITS = msg("It counts from the moment it goes on; what is waited for comes on top.")
_WAITING = ("applicant", "payment")


class Said(NamedTuple):
    """What is said: the sentence, and what it leaves open (empty for nothing)."""

    sentence: str
    note: str


@dataclass(frozen=True)
class Outlook:
    """Says forecasts."""

    figures: Figures

    async def range(self, report: Report) -> Range | None:
        """Return what is still to go, from history; None after the end or with too little of it."""
        journey = Journey()
        for fact in report.case.facts:
            journey, _ = evolve(journey, fact)
        if journey.over or not journey.visits:
            return None
        place, entered = journey.visits[-1]
        now = to_micros(report.at)
        spent = elapsed(journey, report.sop, report.calendar, entered, now)
        office, kind, _ = journey.procedure
        samples = await self.figures.samples(office, kind, place, spent)
        return forecast(samples, spent)

    async def said(self, report: Report, teller: Teller) -> Said | None:
        """Return the sentence about an open permit, None where there is nothing to say."""
        reading = report.reading
        if reading is None or reading.expected is None:
            return None
        t = teller.tr.t
        note = t(_WAITS) if reading.waits_for in _WAITING else ""
        found = await self.range(report)
        if found is None:
            last = reading.expected.astimezone(teller.zone).date().isoformat()
            return Said(t(_PLAN, last=teller.day(last)), note)
        first, last = (self._day(report, micros, teller) for micros in (found.low, found.high))
        sentence = _ONE_DAY if first == last else _RANGE
        return Said(t(sentence, first=first, last=last), note)

    def _day(self, report: Report, micros: int, teller: Teller) -> str:
        reached = report.calendar.add_micros(to_micros(report.at), micros)
        return teller.day(from_micros(reached).astimezone(teller.zone).date().isoformat())
