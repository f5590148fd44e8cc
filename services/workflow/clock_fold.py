"""The fold of the working-day clock: it keeps instants, and knows no calendar and no budget."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic_core import from_json

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
from shared.events import AnyFact, to_micros


class Run(NamedTuple):
    """A stage (empty: between stages) held the clock running; instants in microseconds UTC."""

    stage: str
    start: int
    end: int


class ClockState(NamedTuple):
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


# A named tuple's own constructor takes three times as long, and a permit has many events.
_new = tuple.__new__


def evolve(state: ClockState, fact: AnyFact) -> ClockState:
    """Return the clock after ``fact``. Events that don't concern it change nothing."""
    event, at, _ = fact
    change = _CHANGES.get(type(event))
    return state if change is None else change(state, event, to_micros(at))


def _opened(state: ClockState, event: PermitOpened, at: int) -> ClockState:
    _, stopped, stage, _, runs, returned, unpaid = state
    return _new(ClockState, (at, stopped, stage, at, runs, returned, unpaid))


def _started(state: ClockState, event: StageStarted, at: int) -> ClockState:
    return _turn(state, event.stage, at)


def _completed(state: ClockState, event: StageCompleted, at: int) -> ClockState:
    return _turn(state, "", at) if event.stage == state.stage else state


def _returned(state: ClockState, event: PermitReturned, at: int) -> ClockState:
    opened, stopped, stage, since, runs, _, unpaid = state
    return _new(ClockState, (opened, stopped, stage, 0, _cut(stage, since, at, runs), True, unpaid))


def _resumed(state: ClockState, event: PermitResumed, at: int) -> ClockState:
    opened, stopped, stage, since, runs, _, unpaid = state
    since = 0 if unpaid or stopped or not opened else since or at
    return _new(ClockState, (opened, stopped, stage, since, runs, False, unpaid))


def _unsettled(state: ClockState, event: FeeUnsettled, at: int) -> ClockState:
    opened, stopped, stage, since, runs, returned, _ = state
    return _new(
        ClockState, (opened, stopped, stage, 0, _cut(stage, since, at, runs), returned, True)
    )


def _settled(state: ClockState, event: FeeSettled, at: int) -> ClockState:
    return _turn(state._replace(unpaid=False), state.stage, at) if state.unpaid else state


def _stopped(state: ClockState, event: object, at: int) -> ClockState:
    opened, stopped, stage, since, runs, returned, unpaid = state
    if stopped:
        return state
    return _new(ClockState, (opened, at, stage, 0, _cut(stage, since, at, runs), returned, unpaid))


def _turn(state: ClockState, following: str, at: int) -> ClockState:
    """Go on with another stage, running unless something still holds the clock."""
    opened, stopped, stage, since, runs, returned, unpaid = state
    if 0 < since < at:
        runs = (*runs, _new(Run, (stage, since, at)))
    since = 0 if returned or unpaid or stopped or not opened else at
    return _new(ClockState, (opened, stopped, following, since, runs, returned, unpaid))


def _cut(stage: str, since: int, at: int, runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """Return the runs once the one that began at ``since`` (0 for none) ends."""
    # A foreign log's times may run backwards; such an interval has no length.
    return (*runs, _new(Run, (stage, since, at))) if 0 < since < at else runs


# Looked up and not matched one after the other: a permit is folded at every reading of its stream.
_CHANGES: dict[type[Any], Callable[[ClockState, Any, int], ClockState]] = {
    PermitOpened: _opened,
    StageStarted: _started,
    StageCompleted: _completed,
    PermitReturned: _returned,
    PermitResumed: _resumed,
    FeeUnsettled: _unsettled,
    FeeSettled: _settled,
    PermitIssued: _stopped,
    PermitRejected: _stopped,
    PermitWithdrawn: _stopped,
    PermitHandedOver: _stopped,
    PermitClosed: _stopped,
}


def dump(state: ClockState) -> str:
    """Return the state as compact JSON, for a row of a read model."""
    return json.dumps(state, separators=(",", ":"))


def load(text: str) -> ClockState:
    """Return the state that ``dump`` wrote; an empty text is a clock that never started."""
    if not text:
        return ClockState()
    opened, stopped, stage, since, runs, returned, unpaid = from_json(text)
    made = tuple(Run(*run) for run in runs)
    return ClockState(opened, stopped, stage, since, made, returned, unpaid)
