"""The working-day clock of one permit: a pure fold, and a reading of it at any instant.

The fold (``evolve``) keeps only instants: which stage was worked on from when until when, and what
the permit waits for. It knows no calendar and no budget. A reading (``evaluate``) lays those over
an office's calendar and a procedure, so live status, timers, replay and what-if are one function.
Nothing stores a countdown.

The legal clock starts at ``PermitOpened``, stands still while the applicant corrects, while a
payment is awaited and in stages that a third party works on, and stops when the office has decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

from services.workflow.clock_fold import ClockState, Run, dump, evolve, load
from services.workflow.sop import Sop, Stage
from shared.calendar import MINUTE_US, WorkCalendar
from shared.events import from_micros, to_micros


class Mode(StrEnum):
    """Whether time counts now."""

    NOT_STARTED = "not-started"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


_RUNNING = Mode.RUNNING
_span = itemgetter(1, 2)
# A named tuple's own constructor takes three times as long.
_new = tuple.__new__


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


class ClockReading(NamedTuple):
    """The clock at one instant: the legal total and the stage's own budget side by side.

    ``waits_for`` is ``applicant``, ``payment`` or ``outside`` when paused. ``deadline`` is when the
    legal total is used up, ``expected`` when the office will have decided if everything takes its
    budget from now on. ``stage``, ``stage_deadline`` and ``stage_expected`` say the same of the
    present stage; they are None without a budget of its own. While paused, all four say what holds
    if the clock went on at this instant. ``due`` and ``warn`` are set while it runs: the instant
    the stage (or the legal total, if that ends earlier) is used up, and the share of the way there
    at which the officer is warned. ``by_stage`` maps stages to used minutes.
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
    stage_deadline: datetime | None
    stage_expected: datetime | None


# Of a stage's budget, when the office's own ladder is not asked.
WARN_PERCENT = 80


class _Worked(NamedTuple):
    """What counted until ``until``: the runs, the working microseconds of each, and their sum."""

    runs: Sequence[Run]
    micros: Sequence[int]
    total: int
    until: int

    def reached(self, amount: int, calendar: WorkCalendar) -> int:
        """Return when ``amount`` was used up, or will be if the clock goes on at ``until``."""
        if amount > self.total:
            return calendar.add_micros(self.until, amount - self.total)
        for run, micros in zip(self.runs, self.micros, strict=True):
            if amount <= micros:
                return calendar.add_micros(run.start, amount)
            amount -= micros
        return self.until


def evaluate(
    state: ClockState,
    calendar: WorkCalendar,
    sop: Sop,
    at: datetime,
    warn_percent: int = WARN_PERCENT,
) -> ClockReading:
    """Read the clock at ``at``, which must not be before the last folded event."""
    now = to_micros(at)
    worked = _counted(state, calendar, sop, state.stopped or now)
    by_stage: dict[str, int] = {}
    for (name, _, _), micros in zip(worked.runs, worked.micros, strict=True):
        by_stage[name] = by_stage.get(name, 0) + micros
    stage = sop.stage(state.stage)
    own = _of(worked, state.stage)
    mode, waits_for = _mode(state, stage)
    deadline = worked.reached(sop.legal * MINUTE_US, calendar) if state.opened else None
    stage_deadline = _own_deadline(own, calendar, stage, mode)
    coming: Due | None = None
    if mode is _RUNNING and deadline is not None:
        coming = _due(worked, own, stage_deadline, calendar, sop, stage, warn_percent, deadline)
    return ClockReading(
        mode=mode,
        waits_for=waits_for,
        total=_new(Amount, (worked.total // MINUTE_US, sop.legal)),
        stage=_amount(stage, by_stage),
        by_stage={name: micros // MINUTE_US for name, micros in by_stage.items()},
        deadline=_instant(deadline),
        due=_instant(coming and coming.due),
        warn=_instant(coming and coming.warn),
        expected=_expected(mode, stage, by_stage, sop, calendar, now, deadline),
        stage_deadline=_instant(stage_deadline),
        stage_expected=_instant(stage_deadline and max(now, stage_deadline)),
    )


class Pending(NamedTuple):
    """What the clock comes to if nothing happens; ``limit`` is when the legal total is used up.

    ``due`` is None unless the clock runs; ``limit`` also while it stands still before that instant
    (microseconds UTC), and both once the office has decided.
    """

    due: Due | None = None
    limit: int | None = None


def pending(
    state: ClockState, calendar: WorkCalendar, sop: Sop, warn_percent: int = WARN_PERCENT
) -> Pending:
    """Return when the present stage is due and the legal limit passes. Needs no present instant.

    The stage is due when its own budget or the legal total is used up, whichever comes first: once
    the legal total is used up, every further stage is overdue from its beginning. The warning comes
    at ``warn_percent`` of what the stage may use.
    """
    stage = sop.stage(state.stage)
    mode = _mode(state, stage)[0]
    if mode not in (_RUNNING, Mode.PAUSED):
        return Pending()
    worked = _counted(state, calendar, sop, state.since)
    if mode is Mode.PAUSED and worked.total < sop.legal * MINUTE_US:
        return Pending()
    limit = worked.reached(sop.legal * MINUTE_US, calendar)
    if mode is Mode.PAUSED:
        return Pending(None, limit)
    own = _of(worked, state.stage)
    own_deadline = _own_deadline(own, calendar, stage, mode)
    due = _due(worked, own, own_deadline, calendar, sop, stage, warn_percent, limit)
    return Pending(due, limit)


def _due(
    worked: _Worked,
    own: _Worked,
    own_deadline: int | None,
    calendar: WorkCalendar,
    sop: Sop,
    stage: Stage | None,
    warn_percent: int,
    limit: int,
) -> Due:
    legal = sop.legal * MINUTE_US
    due_at = limit
    # What the other stages left of the legal total.
    allowance = max(0, legal - worked.total + own.total)
    if stage is not None and stage.budget is not None and own_deadline is not None:
        allowance = min(allowance, stage.budget * MINUTE_US)
        due_at = min(due_at, own_deadline)
    warn = own.reached(allowance * warn_percent // 100, calendar)
    return _new(Due, (min(warn, due_at), due_at))


def _own_deadline(
    own: _Worked, calendar: WorkCalendar, stage: Stage | None, mode: Mode
) -> int | None:
    if stage is None or stage.budget is None or mode not in (_RUNNING, Mode.PAUSED):
        return None
    return own.reached(stage.budget * MINUTE_US, calendar)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


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
    return _RUNNING, ""


def _counted(state: ClockState, calendar: WorkCalendar, sop: Sop, until: int) -> _Worked:
    """Return what used time up to ``until``, the interval that still runs last."""
    runs = [run for run in state.runs if run.stage not in sop.standing]
    if 0 < state.since < until and state.stage not in sop.standing:
        runs.append(_new(Run, (state.stage, state.since, until)))
    micros = calendar.works(map(_span, runs))
    return _new(_Worked, (runs, micros, sum(micros), until))


def _of(worked: _Worked, stage: str) -> _Worked:
    """Return what counted in one stage."""
    if len(worked.runs) == 1 and worked.runs[0].stage == stage:
        return worked
    runs: list[Run] = []
    micros: list[int] = []
    for index, run in enumerate(worked.runs):
        if run.stage == stage:
            runs.append(run)
            micros.append(worked.micros[index])
    return _new(_Worked, (runs, micros, sum(micros), worked.until))


def _amount(stage: Stage | None, by_stage: dict[str, int]) -> Amount | None:
    if stage is None or stage.budget is None:
        return None
    return _new(Amount, (by_stage.get(stage.id, 0) // MINUTE_US, stage.budget))


def _expected(
    mode: Mode,
    stage: Stage | None,
    by_stage: dict[str, int],
    sop: Sop,
    calendar: WorkCalendar,
    now: int,
    deadline: int | None,
) -> datetime | None:
    """Return when the office will have decided if everything takes its budget from now on."""
    if mode not in (_RUNNING, Mode.PAUSED):
        return None
    later = sop.budget_after(stage.id) if stage else 0
    if stage is None or not (stage.budget or later):
        return None if deadline is None else from_micros(max(now, deadline))
    own = (stage.budget or 0) * MINUTE_US - by_stage.get(stage.id, 0)
    micros = max(0, own) + later * MINUTE_US
    return from_micros(calendar.add_micros(now, micros))


__all__ = [
    "WARN_PERCENT",
    "Amount",
    "ClockReading",
    "ClockState",
    "Due",
    "Mode",
    "Pending",
    "Run",
    "dump",
    "evaluate",
    "evolve",
    "load",
    "pending",
]
