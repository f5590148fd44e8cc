"""Interleaved rounds, series, and targets as ratios.

Contestants take turns (A B C, A B C, ..), so that a machine that gets slower in the middle of a run
slows all of them. A ratio is formed within each round; what is reported is the rounds' median.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from tests.bench.telling import Teller

RATE, MILLIS = "/s", "ms"
# A limit of a quiet machine differs less than this between rounds.
STEADY_SPREAD = 1.5


class Reading(NamedTuple):
    """One value of one series."""

    series: str
    value: float
    unit: str = RATE


Contestant = Callable[[], Awaitable[Sequence[Reading]]]


@dataclass
class Series:
    """The values of one contestant, a round each."""

    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.values)

    @property
    def spread(self) -> float:
        """The highest round as a multiple of the lowest."""
        return max(self.values) / min(self.values)


class Kept(NamedTuple):
    """What a kill -9 left: how many events were acknowledged before it and how many are there."""

    what: str
    acknowledged: int
    found: int

    @property
    def lost(self) -> int:
        """Acknowledged events that are not there."""
        return self.acknowledged - self.found


@dataclass(frozen=True)
class Target:
    """What is asked of ``ours``: its ratio to the sum of the ``limits`` series of the same round.

    Without ``limits`` the value itself is judged. One of ``at_least`` and ``at_most`` is given;
    ``aim`` is what would be better still.
    """

    what: str
    ours: str
    limits: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    aim: float | None = None
    # Of a value that is judged itself.
    unit: str = MILLIS


class Verdict(NamedTuple):
    """A target and what was measured: the median ratio, the extremes, and how far it falls short.

    ``short_by`` is the factor that is missing, 1.0 or less when the target is met.
    """

    target: Target
    ratio: float
    lowest: float
    highest: float
    short_by: float

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.short_by <= 1.0


@dataclass
class Row:
    """One row of the performance specification, measured."""

    number: int
    title: str
    series: dict[str, Series] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # Parts that could not be measured here, each with the reason.
    not_run: list[str] = field(default_factory=list)
    broken: bool = False

    async def interleave(
        self, contestants: Mapping[str, Contestant], rounds: int, teller: Teller
    ) -> None:
        """Let the contestants take turns for ``rounds`` rounds and keep what they read."""
        for number in range(1, rounds + 1):
            for name, contestant in contestants.items():
                teller.tell(f"row {self.number}, round {number} of {rounds}: {name}")
                for reading in await contestant():
                    series = self.series.setdefault(reading.series, Series(reading.unit))
                    series.values.append(reading.value)

    def keep(self, kept: Kept) -> None:
        """Add what a kill -9 left to the row's counts."""
        for index, before in enumerate(self.kept):
            if before.what == kept.what:
                sums = before.acknowledged + kept.acknowledged, before.found + kept.found
                self.kept[index] = Kept(kept.what, *sums)
                return
        self.kept.append(kept)

    @property
    def verdicts(self) -> list[Verdict]:
        """The targets whose series were all measured, judged."""
        return [
            judge(target, self.series)
            for target in self.targets
            if all(name in self.series for name in (target.ours, *target.limits))
        ]

    @property
    def unsteady(self) -> list[str]:
        """The limits that varied so much between rounds that something else must have been busy."""
        limits = dict.fromkeys(name for target in self.targets for name in target.limits)
        return [
            name
            for name in limits
            if name in self.series and self.series[name].spread > STEADY_SPREAD
        ]

    @property
    def lost(self) -> int:
        """How many acknowledged events are gone."""
        return sum(kept.lost for kept in self.kept)


def judge(target: Target, series: Mapping[str, Series]) -> Verdict:
    """Return the verdict on ``target``: the median of the rounds' ratios."""
    limits = [series[name].values for name in target.limits]
    ratios = [
        value / sum(values[index] for values in limits) if limits else value
        for index, value in enumerate(series[target.ours].values)
    ]
    ratio = median(ratios)
    if target.at_least is not None:
        short_by = target.at_least / ratio
    else:
        assert target.at_most is not None
        short_by = ratio / target.at_most
    return Verdict(target, ratio, min(ratios), max(ratios), short_by)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of ``values`` lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
