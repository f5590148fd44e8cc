"""One permit's way through its procedure, as supervision needs it: a pure fold.

A *turn* is one visit to a stage that somebody finished. A *place* is where a file stood: the stage
at work, or ``>stage`` after a stage that ended without another one beginning (a foreign log knows
only ends), or empty right after registration. The fold keeps instants only; ``used`` and
``elapsed`` lay an office's calendar over them, as the clock does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from services.workflow import clock
from services.workflow.clock import ClockState
from services.workflow.sop import Sop
from shared.calendar import WorkCalendar
from shared.contracts.workflow import (
    PermitClosed,
    PermitIssued,
    PermitOpened,
    PermitRejected,
    PermitWithdrawn,
    StageCompleted,
    StageStarted,
)
from shared.events import AnyFact, to_micros

AFTER = ">"
"""Begins the name of a place between two stages."""


class Visit(NamedTuple):
    """Where a file stood from ``entered`` (microseconds UTC) until the next visit."""

    place: str
    entered: int


class Turn(NamedTuple):
    """A stage that was finished by ``actor``; ``entered`` is 0 where nobody said when it began."""

    stage: str
    entered: int
    ended: int
    actor: str


@dataclass(frozen=True, slots=True)
class Journey:
    """A permit so far. ``decided`` is when the office decided, ``over`` when nothing more follows.

    Instants in microseconds UTC, 0 for not yet. A withdrawn permit is over without a decision.
    """

    number: str = ""
    office: str = ""
    permit_type: str = ""
    version: int = 0
    clock: ClockState = field(default_factory=ClockState)
    visits: tuple[Visit, ...] = ()
    decided: int = 0
    over: int = 0

    @property
    def procedure(self) -> tuple[str, str, int]:
        """Office, permit type and version, as ``Sops.of`` takes them."""
        return self.office, self.permit_type, self.version


def evolve(journey: Journey, fact: AnyFact) -> tuple[Journey, Turn | None]:
    """Return the journey after ``fact``, and the turn that it finished, if any."""
    before, at = journey, to_micros(fact.at)
    journey = replace(journey, clock=clock.evolve(journey.clock, fact))
    match fact.event:
        case PermitOpened() as opened:
            journey = replace(
                journey,
                number=opened.number,
                office=opened.office,
                permit_type=opened.permit_type,
                version=opened.permit_version,
            )
            return _enter(journey, "", at), None
        case StageStarted(stage=stage):
            return _enter(journey, stage, at), None
        case StageCompleted(stage=stage):
            turn = Turn(stage, _entered(before, stage), at, fact.actor)
            return _enter(journey, AFTER + stage, at), turn
        case PermitIssued() | PermitRejected() | PermitClosed() if not journey.over:
            return replace(journey, decided=journey.decided or at, over=at), None
        case PermitWithdrawn() if not journey.over:
            return replace(journey, over=at), None
        case _:
            return journey, None


def _enter(journey: Journey, place: str, at: int) -> Journey:
    if journey.over:
        return journey
    visits = journey.visits
    if visits:
        # A foreign log's times may run backwards; a place left at once was none.
        at = max(at, visits[-1].entered)
        if visits[-1].entered == at:
            visits = visits[:-1]
    return replace(journey, visits=(*visits, Visit(place, at)))


def _entered(journey: Journey, stage: str) -> int:
    """Return since when the file has stood in ``stage``, 0 when it does not."""
    last = journey.visits[-1] if journey.visits else None
    return last.entered if last is not None and last.place == stage else 0


def used(journey: Journey, turn: Turn, sop: Sop, calendar: WorkCalendar) -> int | None:
    """Return the working microseconds that a turn took of its stage's budget.

    Waits for the applicant or a payment are not counted, nor is a stage that others work on: then,
    and after the clock has stopped, or where nobody knows the beginning, the answer is None.
    """
    stopped = journey.clock.stopped
    if not turn.entered or turn.stage in sop.standing or (stopped and stopped <= turn.entered):
        return None
    return sum(
        calendar.micros_between(max(run.start, turn.entered), min(run.end, turn.ended))
        for run in journey.clock.runs
        if run.stage == turn.stage and run.end > turn.entered
    )


def elapsed(journey: Journey, sop: Sop, calendar: WorkCalendar, start: int, end: int) -> int:
    """Return the office's working microseconds from ``start`` to ``end`` (microseconds UTC).

    Waits for the applicant and for a payment are left out. Unlike the legal clock it counts the
    time with other agencies: an applicant waits through that too.
    """
    runs = [(run.stage, run.start, run.end) for run in journey.clock.runs]
    if journey.clock.since:
        runs.append((journey.clock.stage, journey.clock.since, end))
    return sum(
        calendar.micros_between(max(begin, start), min(finish, end))
        for name, begin, finish in runs
        if finish > start and begin < end and not _awaits_payment(sop, name)
    )


def _awaits_payment(sop: Sop, name: str) -> bool:
    stage = sop.stage(name)
    return stage is not None and stage.waits_for == "payment"


def dump(journey: Journey) -> str:
    """Return a journey as compact JSON, for a row."""
    head = (journey.number, *journey.procedure, journey.visits, journey.decided, journey.over)
    return json.dumps((*head, clock.dump(journey.clock)), separators=(",", ":"))


def load(text: str) -> Journey:
    """Return the journey that ``dump`` wrote."""
    number, office, kind, version, visits, decided, over, held = json.loads(text)
    visited = tuple(Visit(*visit) for visit in visits)
    return Journey(number, office, kind, version, clock.load(held), visited, decided, over)
