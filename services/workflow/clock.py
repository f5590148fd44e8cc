"""The working-day clock of one permit: a pure fold, and a reading of it at any instant.

The fold (``evolve``) keeps only instants: which stage was worked on from when until when, and what
the permit waits for. It knows no calendar and no budget. A reading (``evaluate``) lays those over
an office's calendar and a procedure, so live status, timers, replay and what-if are one function.
Nothing stores a countdown.

The legal clock starts at ``PermitOpened``, stands still while the applicant corrects, while a
payment is awaited and in stages that a third party works on, and stops when the office has decided.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.workflow.sop import Sop, Stage
from shared.calendar import MINUTE_US, WorkCalendar
from shared.contracts.workflow import (
    FeeSettled,
    FeeUnsettled,
    PermitClosed,
    PermitHandedOver,
    PermitIssued,
    PermitOpened,
    PermitRejected,
    PermitResumed,
    PermitReturned,
    PermitWithdrawn,
    StageCompleted,
    StageStarted,
)
from shared.events import AnyFact, from_micros, to_micros


class Run(NamedTuple):
    """A stage (empty: between stages) held the clock running; instants in microseconds UTC."""

    stage: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ClockState:
    """What happened to the clock. Instants in microseconds UTC, 0 where there is none.

    ``since`` is where the interval that still runs began; ``returned`` and ``unpaid`` say what the
    permit itself waits for. A stage that stands still is known only with its procedure.
    """

    opened: int = 0
    stopped: int = 0
    stage: str = ""
    since: int = 0
    runs: tuple[Run, ...] = ()
    returned: bool = False
    unpaid: bool = False


def evolve(state: ClockState, fact: AnyFact) -> ClockState:
    """Return the clock after ``fact``. Events that don't concern it change nothing."""
    at = to_micros(fact.at)
    match fact.event:
        case PermitOpened():
            return replace(state, opened=at, since=at)
        case StageStarted(stage=stage):
            return _go_on(_cut(state, at), at, stage=stage)
        case StageCompleted(stage=stage) if stage == state.stage:
            return _go_on(_cut(state, at), at, stage="")
        case PermitReturned():
            return replace(_cut(state, at), returned=True)
        case PermitResumed():
            return _go_on(replace(state, returned=False), at)
        case FeeUnsettled():
            return replace(_cut(state, at), unpaid=True)
        case FeeSettled() if state.unpaid:
            return _go_on(replace(state, unpaid=False), at)
        case (
            PermitIssued()
            | PermitRejected()
            | PermitWithdrawn()
            | PermitHandedOver()
            | PermitClosed()
        ) if not state.stopped:
            return replace(_cut(state, at), stopped=at)
        case _:
            return state


def _cut(state: ClockState, at: int) -> ClockState:
    """End the interval that runs."""
    if not state.since:
        return state
    runs = state.runs
    # A foreign log's times may run backwards; such an interval has no length.
    if at > state.since:
        runs = (*runs, Run(state.stage, state.since, at))
    return replace(state, runs=runs, since=0)


def _go_on(state: ClockState, at: int, *, stage: str | None = None) -> ClockState:
    """Let the clock run from ``at`` on, unless something still holds it."""
    held = state.returned or state.unpaid or state.stopped or not state.opened
    since = 0 if held else (state.since or at)
    return replace(state, since=since, stage=state.stage if stage is None else stage)


def dump(state: ClockState) -> str:
    """Return the state as compact JSON, for a row of a read model."""
    held = (int(state.returned), int(state.unpaid))
    fields = (state.opened, state.stopped, state.stage, state.since, state.runs, *held)
    return json.dumps(fields, separators=(",", ":"))


def load(text: str) -> ClockState:
    """Return the state that ``dump`` wrote; an empty text is a clock that never started."""
    if not text:
        return ClockState()
    opened, stopped, stage, since, runs, returned, unpaid = json.loads(text)
    made = tuple(Run(*run) for run in runs)
    return ClockState(opened, stopped, stage, since, made, bool(returned), bool(unpaid))


class Mode(StrEnum):
    """Whether time counts now."""

    NOT_STARTED = "not-started"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class Amount(NamedTuple):
    """Working minutes used (rounded down) of a budget."""

    used: int
    budget: int

    @property
    def left(self) -> int:
        """Working minutes left; negative once the budget is exceeded."""
        return self.budget - self.used


class Due(NamedTuple):
    """When the running stage is to be warned of and when it is due, microseconds UTC."""

    warn: int
    due: int


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The clock at one instant.

    ``waits_for`` is ``applicant``, ``payment`` or ``outside`` when paused. ``stage`` is None for a
    stage without a budget of its own. ``due`` and ``warn`` are set while it runs: the instant the
    stage (or the legal total, if that ends earlier) is used up, and 80 % of the way there. While
    paused, ``deadline`` and ``expected`` say what holds if the clock went on at this instant.
    ``by_stage`` maps stages to used minutes.
    """

    mode: Mode
    waits_for: str
    total: Amount
    stage: Amount | None
    by_stage: dict[str, int]
    deadline: datetime | None
    due: datetime | None
    warn: datetime | None
    expected: datetime | None


WARN_TENTHS = 8


def evaluate(state: ClockState, calendar: WorkCalendar, sop: Sop, at: datetime) -> ClockReading:
    """Read the clock at ``at``, which must not be before the last folded event."""
    now = to_micros(at)
    runs = _counted(state, sop, now)
    worked = [calendar.micros_between(run.start, run.end) for run in runs]
    by_stage: dict[str, int] = {}
    for run, micros in zip(runs, worked, strict=True):
        by_stage[run.stage] = by_stage.get(run.stage, 0) + micros
    stage = sop.stage(state.stage)
    mode, waits_for = _mode(state, stage)
    pending = due(state, calendar, sop) if mode is Mode.RUNNING else None
    deadline = None
    if state.opened:
        until = state.stopped or now
        deadline = _reached(runs, worked, sop.legal * MINUTE_US, calendar, until)
    return ClockReading(
        mode=mode,
        waits_for=waits_for,
        total=Amount(sum(worked) // MINUTE_US, sop.legal),
        stage=_amount(stage, by_stage),
        by_stage={name: micros // MINUTE_US for name, micros in by_stage.items()},
        deadline=None if deadline is None else from_micros(deadline),
        due=pending and from_micros(pending.due),
        warn=pending and from_micros(pending.warn),
        expected=_expected(mode, stage, by_stage, sop, calendar, at, deadline),
    )


def due(state: ClockState, calendar: WorkCalendar, sop: Sop) -> Due | None:
    """Return when the current stage is due, None unless the clock runs. Needs no present instant.

    The stage's allowance is its budget, or what was left of the legal total when it began, if that
    is less or no budget is given.
    """
    if _mode(state, sop.stage(state.stage))[0] is not Mode.RUNNING:
        return None
    runs = _counted(state, sop, state.since)
    own = [run for run in runs if run.stage == state.stage]
    before = sum(calendar.micros_between(r.start, r.end) for r in runs if r.stage != state.stage)
    worked = [calendar.micros_between(run.start, run.end) for run in own]
    allowance = _allowance(sop, sop.stage(state.stage), before)
    warn = allowance * WARN_TENTHS // 10
    return Due(
        _reached(own, worked, warn, calendar, state.since),
        _reached(own, worked, allowance, calendar, state.since),
    )


def _allowance(sop: Sop, stage: Stage | None, before: int) -> int:
    legal = max(0, sop.legal * MINUTE_US - before)
    if stage is None or stage.budget is None:
        return legal
    return min(legal, stage.budget * MINUTE_US)


def _mode(state: ClockState, stage: Stage | None) -> tuple[Mode, str]:
    if not state.opened:
        return Mode.NOT_STARTED, ""
    if state.stopped:
        return Mode.STOPPED, ""
    if state.returned:
        return Mode.PAUSED, "applicant"
    if state.unpaid:
        return Mode.PAUSED, "payment"
    if stage is not None and stage.waits_for:
        return Mode.PAUSED, stage.waits_for
    return Mode.RUNNING, ""


def _counted(state: ClockState, sop: Sop, now: int) -> list[Run]:
    """Return the intervals that use time up to ``now``, the one that still runs last."""
    runs = list(state.runs)
    if state.since and now > state.since:
        runs.append(Run(state.stage, state.since, now))
    return [run for run in runs if run.stage not in sop.standing]


def _reached(
    runs: Sequence[Run], worked: Sequence[int], amount: int, calendar: WorkCalendar, resume: int
) -> int:
    """Return when ``amount`` was used up, or will be if the clock goes on at ``resume``."""
    for run, micros in zip(runs, worked, strict=True):
        if amount <= micros:
            return calendar.add_micros(run.start, amount)
        amount -= micros
    return calendar.add_micros(resume, amount)


def _amount(stage: Stage | None, by_stage: dict[str, int]) -> Amount | None:
    if stage is None or stage.budget is None:
        return None
    return Amount(by_stage.get(stage.id, 0) // MINUTE_US, stage.budget)


def _expected(
    mode: Mode,
    stage: Stage | None,
    by_stage: dict[str, int],
    sop: Sop,
    calendar: WorkCalendar,
    at: datetime,
    deadline: int | None,
) -> datetime | None:
    """Return when the office will have decided if everything takes its budget from now on."""
    if mode not in (Mode.RUNNING, Mode.PAUSED):
        return None
    later = sop.budget_after(stage.id) if stage else 0
    if stage is None or not (stage.budget or later):
        return None if deadline is None else max(at, from_micros(deadline))
    own = (stage.budget or 0) * MINUTE_US - by_stage.get(stage.id, 0)
    micros = max(0, own) + later * MINUTE_US
    return from_micros(calendar.add_micros(to_micros(at), micros))
