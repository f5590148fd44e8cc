"""Measures how honest the forecasts are: the share of files that ended inside the stated range.

Two ways, and neither looks into the future. ``split``: everything is said from the files finished
before a date, about the files begun after it. ``rolling``: each time it is said from the files
finished by then, as the tracking page does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.workflow.sop import Sop
from services.workflow.supervision.forecast import Sample, forecast, samples_of
from services.workflow.supervision.journey import Journey, elapsed
from shared.calendar import WorkCalendar


class History:
    """The samples of many journeys by place, in order of when they finished."""

    def __init__(self, samples: Iterable[tuple[str, Sample]]) -> None:
        """Sort ``samples``."""
        self._by_place: dict[str, list[Sample]] = {}
        for place, sample in samples:
            self._by_place.setdefault(place, []).append(sample)
        for found in self._by_place.values():
            found.sort()

    def before(self, place: str, at: int) -> Sequence[Sample]:
        """Return the samples of a place that were finished before ``at`` (microseconds UTC)."""
        found = self._by_place.get(place, [])
        return found[: bisect_left(found, (at,))]


@dataclass(slots=True)
class Calibration:
    """Counts of what was said and what came.

    ``inside``, ``early`` and ``late`` add up to the forecasts that were put to the test; ``open``
    are those whose file had not ended, and was not beyond its range, when the log ended;
    ``unsaid`` those with too little history, where the budgets are said instead.
    """

    inside: int = 0
    early: int = 0
    late: int = 0
    open: int = 0
    unsaid: int = 0

    @property
    def tested(self) -> int:
        """How many forecasts could be judged."""
        return self.inside + self.early + self.late

    @property
    def share(self) -> float:
        """The share that ended inside the stated range."""
        return self.inside / self.tested if self.tested else 0.0

    def judge(self, low: int, high: int, took: int, *, ended: bool) -> None:
        """Hold one range against what the file took (so far, unless it ``ended``)."""
        if took > high:
            self.late += 1
        elif not ended:
            self.open += 1
        elif took < low:
            self.early += 1
        else:
            self.inside += 1


def measure(
    journeys: Sequence[Journey],
    sop: Sop,
    calendar: WorkCalendar,
    *,
    since: int,
    end: int,
    rolling: bool,
) -> Calibration:
    """Say the finish of every file begun at or after ``since``, at each place it came to.

    ``since`` and ``end`` (of the log) are microseconds UTC.
    """
    history = History(
        sample for journey in journeys for sample in samples_of(journey, sop, calendar)
    )
    counts = Calibration()
    for journey in journeys:
        if journey.clock.opened < since or (journey.over and not journey.decided):
            continue
        for place, entered in journey.visits:
            until = journey.decided or end
            if entered >= until:
                continue
            said = forecast(history.before(place, entered if rolling else since), 0)
            if said is None:
                counts.unsaid += 1
                continue
            took = elapsed(journey, sop, calendar, entered, until)
            counts.judge(said.low, said.high, took, ended=bool(journey.decided))
    return counts


def middle(journeys: Sequence[Journey]) -> int:
    """Return the instant by which half of the decided files were decided, 0 without any."""
    decided = sorted(journey.decided for journey in journeys if journey.decided)
    return decided[len(decided) // 2] if decided else 0
