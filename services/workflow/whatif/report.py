"""What a what-if came to: counts per step, under the rules that applied and under the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from services.workflow.deadlines import HEAD
from shared.contracts.workflow import (
    PermitDeemedGranted,
    StageDueSoon,
    StageOverdue,
    StallEscalated,
    StallExplanationRequested,
)


class Place(NamedTuple):
    """A step of a procedure."""

    permit_type: str
    version: int
    stage: str


@dataclass(slots=True)
class Alerts:
    """How often the clock called for what. ``late`` counts budgets that were used up.

    ``deemed`` counts legal limits that passed without a decision, at the step where they did.
    """

    warned: int = 0
    late: int = 0
    asked: int = 0
    supervisor: int = 0
    head: int = 0
    deemed: int = 0

    def count(self, event: object) -> None:
        """Count one event of the clock; what is none of its alarms is not counted."""
        name = alert_of(event)
        if name:
            setattr(self, name, getattr(self, name) + 1)

    def add(self, other: Alerts) -> None:
        """Add another's counts."""
        for name in ALERTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in ALERTS}


ALERTS = tuple(one.name for one in fields(Alerts))


def alert_of(event: object) -> str:
    """Return which count of ``Alerts`` an event belongs to, empty for none."""
    if isinstance(event, StallEscalated):
        return "head" if event.to == HEAD else "supervisor"
    names = {
        StageDueSoon: "warned",
        StageOverdue: "late",
        StallExplanationRequested: "asked",
        PermitDeemedGranted: "deemed",
    }
    return names.get(type(event), "")


@dataclass(slots=True)
class Step:
    """One step of a procedure under both rules.

    ``turns`` are permits that came to it; one that still stands there and is late under neither is
    not counted. ``late_before`` and ``late_after`` are turns that were late at least once;
    ``newly_late`` and ``no_longer_late`` those that only one of the rules makes late.
    """

    turns: int = 0
    late_before: int = 0
    late_after: int = 0
    newly_late: int = 0
    no_longer_late: int = 0
    base: Alerts = field(default_factory=Alerts)
    variant: Alerts = field(default_factory=Alerts)

    def count(self, base: Alerts, variant: Alerts, *, finished: bool) -> None:
        """Count one permit's turn."""
        self.base.add(base)
        self.variant.add(variant)
        before, after = bool(base.late), bool(variant.late)
        self.turns += finished or before or after
        self.late_before += before
        self.late_after += after
        self.newly_late += after and not before
        self.no_longer_late += before and not after

    def add(self, other: Step) -> None:
        """Add another step's counts."""
        for name in ("turns", "late_before", "late_after", "newly_late", "no_longer_late"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.base.add(other.base)
        self.variant.add(other.variant)

    @property
    def on_time(self) -> tuple[float | None, float | None]:
        """The share (0 to 1) of turns in time before and after; None without turns."""
        if not self.turns:
            return None, None
        return 1 - self.late_before / self.turns, 1 - self.late_after / self.turns

    def as_dict(self) -> dict[str, Any]:
        """Return it for a program."""
        before, after = self.on_time
        return {
            "turns": self.turns,
            "on_time": {"base": before, "variant": after},
            "late_turns": {"base": self.late_before, "variant": self.late_after},
            "newly_late": self.newly_late,
            "no_longer_late": self.no_longer_late,
            "base": self.base.as_dict(),
            "variant": self.variant.as_dict(),
        }


@dataclass(slots=True)
class Planned:
    """Our deadline beside the planned end that a foreign log itself names, over ended cases."""

    both: int = 0
    ours: int = 0
    theirs: int = 0
    neither: int = 0

    def count(self, *, ours: bool, theirs: bool) -> None:
        """Count one ended case: late by our deadline, late by the log's own date."""
        name = "both" if ours and theirs else "ours" if ours else "theirs" if theirs else "neither"
        setattr(self, name, getattr(self, name) + 1)

    @property
    def cases(self) -> int:
        """How many were compared."""
        return self.both + self.ours + self.theirs + self.neither

    def as_dict(self) -> dict[str, int]:
        """Return it for a program."""
        return {
            "cases": self.cases,
            "late_by_both": self.both,
            "late_by_ours_only": self.ours,
            "late_by_theirs_only": self.theirs,
            "late_by_neither": self.neither,
        }


@dataclass(slots=True)
class Report:
    """Everything that one replay came to.

    ``events`` were looked at, ``permits`` belong to the office and the period, ``open`` of them are
    not decided, ``skipped`` could not be read or have no procedure here. ``changed`` permits were
    not treated alike by both rules. ``complete`` is False for a run that was stopped.
    ``planned`` compares the rules that applied, and then the others, with a log's own dates;
    ``unended`` cases have such a date but no end.
    """

    events: int = 0
    permits: int = 0
    open: int = 0
    skipped: int = 0
    changed: int = 0
    complete: bool = False
    steps: dict[Place, Step] = field(default_factory=dict)
    planned: tuple[Planned, Planned] = field(default_factory=lambda: (Planned(), Planned()))
    unended: int = 0

    def step(self, place: Place) -> Step:
        """Return the counts of a step, new ones where there were none."""
        return self.steps.setdefault(place, Step())

    @property
    def total(self) -> Step:
        """All steps together."""
        total = Step()
        for step in self.steps.values():
            total.add(step)
        return total

    def ordered(self) -> Iterator[tuple[Place, Step]]:
        """Yield the steps by permit type, version and id."""
        for place in sorted(self.steps):
            yield place, self.steps[place]

    def as_dict(self) -> dict[str, Any]:
        """Return it for a program."""
        plain: dict[str, Any] = {
            "complete": self.complete,
            "events": self.events,
            "permits": self.permits,
            "open": self.open,
            "skipped": self.skipped,
            "changed_permits": self.changed,
            "steps": [place._asdict() | step.as_dict() for place, step in self.ordered()],
            "total": self.total.as_dict(),
        }
        before, after = self.planned
        if before.cases or self.unended:
            plain["planned_ends"] = {
                "base": before.as_dict(),
                "variant": after.as_dict(),
                "not_ended": self.unended,
            }
        return plain
