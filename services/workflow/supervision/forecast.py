"""How long a file will still take, from the office's own history: a range, and how sure it is.

The sample are the latest finished files of the same office and permit type that stood at the same
place at least as long as this one has. The range runs from the 10th to the 90th percentile of what
they still took, ranked for a finite sample (split conformal prediction, Vovk et al. 2005).

Offices change: a range that was right last year may be too narrow now. So each of the newest files
of the sample is asked what would have been said when it came there, from those finished by then,
and the range is widened by what was missing, each side for itself (conformalised quantile
regression, Romano et al. 2019, with ratios instead of differences). It never gets narrower by it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.workflow.sop import Sop
from services.workflow.supervision.journey import Journey, elapsed
from shared.calendar import MINUTE_US, WorkCalendar

TENTHS = 8
"""The range is meant to hold so many in ten files; half of the others lie on each side."""
ENOUGH = 20
"""With fewer finished files the budgets are said instead."""
SAMPLE = 500
"""So many of the latest finished files are looked at."""
_CHECKED = 150
# Ratios of short times say little: an hour is added on both sides.
_SOFT = 60 * MINUTE_US


class Sample(NamedTuple):
    """A finished file at one place. ``spent`` is what it stayed there, ``left`` what it then took.

    ``entered`` and ``finished`` are microseconds UTC; ``left`` counts from ``entered``. Both
    amounts are working microseconds as ``journey.elapsed`` counts them.
    """

    finished: int
    entered: int
    left: int
    spent: int


class Range(NamedTuple):
    """Working microseconds still to go: the middle, and the range for ``TENTHS`` in ten files."""

    low: int
    middle: int
    high: int
    files: int


def forecast(samples: Sequence[Sample], spent: int) -> Range | None:
    """Return how long a file takes that stood at the place for ``spent`` working microseconds.

    ``samples`` are finished files of that place; the latest ``SAMPLE`` that stayed at least as
    long are used. None when they are fewer than ``ENOUGH``.
    """
    alike = sorted(sample for sample in samples if sample.spent >= spent)[-SAMPLE:]
    if len(alike) < ENOUGH:
        return None
    left = sorted(sample.left - spent for sample in alike)
    low, high = _range(left)
    lower, upper = _corrections(alike, spent)
    return Range(
        max(0, int((low + _SOFT) * lower) - _SOFT),
        left[len(left) // 2],
        int((high + _SOFT) * upper) - _SOFT,
        len(alike),
    )


def _range(ordered: Sequence[int]) -> tuple[int, int]:
    """Return the values between which eight in ten lie, of a sample and one more file."""
    low, high = _ranks(len(ordered))
    return ordered[low], ordered[high]


def _ranks(count: int) -> tuple[int, int]:
    # Whole numbers, because a tenth is none in floating point.
    below = (count + 1) * (10 - TENTHS) // 20
    return max(0, below - 1), min(count - 1, count - below)


def _corrections(alike: Sequence[Sample], spent: int) -> tuple[float, float]:
    """Return the factors (at most 1, at least 1) that would have made past ranges right.

    ``alike`` is in order of ``finished``. What was said at a file's ``entered`` knows only files
    finished before, so nothing peeks into its future.
    """
    finished = [sample.finished for sample in alike]
    known: list[int] = []
    below: list[float] = []
    above: list[float] = []
    for sample in sorted(alike[-_CHECKED:], key=lambda one: one.entered):
        until = bisect_left(finished, sample.entered)
        for earlier in alike[len(known) : until]:
            insort(known, earlier.left - spent)
        if len(known) >= ENOUGH:
            low, high = _range(known)
            left = sample.left - spent
            below.append((left + _SOFT) / (low + _SOFT))
            above.append((left + _SOFT) / (high + _SOFT))
    if len(below) < ENOUGH:
        return 1.0, 1.0
    low_rank, high_rank = _ranks(len(below))
    return min(1.0, sorted(below)[low_rank]), max(1.0, sorted(above)[high_rank])


def samples_of(journey: Journey, sop: Sop, calendar: WorkCalendar) -> Iterator[tuple[str, Sample]]:
    """Yield what a decided journey adds to the history: each place with its sample."""
    if not journey.decided:
        return
    ends = [visit.entered for visit in journey.visits[1:]] + [journey.decided]
    for (place, entered), end in zip(journey.visits, ends, strict=True):
        if entered < journey.decided:
            left = elapsed(journey, sop, calendar, entered, journey.decided)
            spent = elapsed(journey, sop, calendar, entered, min(end, journey.decided))
            yield place, Sample(journey.decided, entered, left, spent)
