"""The fold of what-if: what really happened stays, what the clock called for is decided anew.

Every permit is folded twice side by side, under the rules that applied and under the others. Both
ask the functions that the live sweep asks (``deadlines.next_instant``, ``stalls.called_for``), at
the very instant at which something is due. So the first equals what was recorded, but for the
moment by which a sweep is late, and the two differ in nothing but the rules.

An explanation that was given counts where a question about that stage is open at its instant.
Nobody knows what the officers would have done had they been warned earlier: what they did stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from sys import intern
from typing import Final

from services.workflow import alarms as alarm
from services.workflow import clock
from services.workflow.alarms import Alarms
from services.workflow.commands import NudgePermit
from services.workflow.deadlines import next_instant
from services.workflow.stalls import called_for
from services.workflow.whatif.report import Place, Report
from services.workflow.whatif.rules import InForce, Rules
from services.workflow.whatif.turns import Row, Turn, rows_of
from shared.actors import system
from shared.contracts import workflow as e
from shared.errors import JejakError
from shared.events import AnyFact, Fact, from_micros, to_micros

_BY: Final = system("workflow")
REAL: Final = frozenset(
    {
        e.FeeSettled,
        e.FeeUnsettled,
        e.PermitClosed,
        e.PermitHandedOver,
        e.PermitIssued,
        e.PermitOpened,
        e.PermitRejected,
        e.PermitResumed,
        e.PermitReturned,
        e.PermitWithdrawn,
        e.StageCompleted,
        e.StageReassigned,
        e.StageStarted,
        e.StallExplained,
    }
)
"""What is folded: everything that moves a clock, changes hands or answers a question."""
NEEDED: Final = frozenset(kind.__name__ for kind in REAL)


@dataclass(slots=True)
class Held:
    """An open permit. ``last`` is the instant of its last fact.

    ``alarms`` are those under the rules that applied and under the others; they share one clock.
    """

    procedure: tuple[str, int]
    planned_end: str
    last: int
    alarms: tuple[Alarms, Alarms]
    turns: dict[str, Turn] = field(default_factory=dict)


class Replay:
    """Folds facts in their global order. Only permits that are not decided are held."""

    def __init__(
        self,
        office: str,
        base: Rules,
        variant: Rules,
        *,
        first: int | None = None,
        end: int | None = None,
        told: Callable[[Row], object] | None = None,
    ) -> None:
        """Ask about permits of ``office`` opened from ``first`` to before ``end`` (microseconds).

        ``told`` is given every row once its permit is decided, so that nothing piles up.
        """
        self.report = Report()
        self._office = office
        self._rules = (base, variant)
        self._first, self._end = first, end
        self._told = told
        self._held: dict[str, Held] = {}

    @property
    def holding(self) -> int:
        """How many permits are held now."""
        return len(self._held)

    def knows(self, application: str, event_type: str) -> bool:
        """Say whether a fact can matter, before anybody decodes it."""
        return event_type == "PermitOpened" or (event_type in NEEDED and application in self._held)

    def fold(self, application: str, fact: AnyFact) -> None:
        """Take one fact of a permit in. One that can't be replayed is skipped, alone."""
        held = self._held.get(application)
        try:
            if isinstance(fact.event, e.PermitOpened):
                self._open(application, fact)
            elif held is not None and type(fact.event) in REAL:
                self._go_on(held, fact)
                if stopped := held.alarms[0].clock.stopped:
                    self._close(self._held.pop(application), stopped)
        except (JejakError, OverflowError):
            self.skip(application)

    def skip(self, application: str) -> None:
        """Leave a permit out that can't be read."""
        self._held.pop(application, None)
        self.report.skipped += 1

    def finish(self, until: int) -> None:
        """Let the permits that are still open run on to ``until`` (microseconds UTC)."""
        for application in list(self._held):
            held = self._held[application]
            try:
                self._advance(held, until)
                self._close(held, max(until, held.last))
                self.report.open += 1
            except (JejakError, OverflowError):
                self.report.skipped += 1
            del self._held[application]
        self.report.complete = True

    def _open(self, application: str, fact: Fact[e.PermitOpened]) -> None:
        event, at = fact.event, to_micros(fact.at)
        early = self._first is not None and at < self._first
        beyond = self._end is not None and at >= self._end
        if event.office != self._office or early or beyond or application in self._held:
            return
        procedure = (intern(event.permit_type), event.permit_version)
        for rules in self._rules:
            rules.of(*procedure, at)
        alarms = alarm.evolve(Alarms(), fact)
        held = Held(procedure, event.planned_end, at, (alarms, alarms))
        self._held[application] = held
        self.report.permits += 1

    def _go_on(self, held: Held, fact: AnyFact) -> None:
        at, event = to_micros(fact.at), fact.event
        self._advance(held, at)
        base, variant = (_after(alarms, fact) for alarms in held.alarms)
        # What happened to the clock is the same under all rules: it is kept once.
        held.alarms = base, variant._replace(clock=base.clock)
        # A foreign log's instants may run backwards.
        held.last = max(held.last, at)
        if isinstance(event, e.StageStarted):
            if not self._stands_still(held, event.stage):
                turn = held.turns.setdefault(intern(event.stage), Turn())
                turn.officer, turn.finished = event.assignee, False
        elif isinstance(event, e.StageReassigned) and event.stage in held.turns:
            held.turns[event.stage].officer = event.assignee
        elif isinstance(event, e.StageCompleted) and event.stage in held.turns:
            turn = held.turns[event.stage]
            turn.finished = True
            turn.officer = turn.officer or _officer(fact.actor)

    def _stands_still(self, held: Held, stage: str) -> bool:
        return stage in self._rules[0].of(*held.procedure, held.last).sop.standing

    def _advance(self, held: Held, until: int) -> None:
        """Decide what was due before ``until``, under both rules."""
        if until <= held.last:
            return
        stage = held.alarms[0].clock.stage
        after = []
        for side, (alarms, rules) in enumerate(zip(held.alarms, self._rules, strict=True)):
            alarms, called = course(alarms, rules, held.procedure, held.last, until)
            if called:
                turn = held.turns.setdefault(stage, Turn())
                turn.take(side, called)
            after.append(alarms)
        held.alarms = after[0], after[1]

    def _close(self, held: Held, at: int) -> None:
        """Count a permit and tell its rows; ``at`` is its end, or how far it was replayed."""
        decided = bool(held.alarms[0].clock.stopped)
        changed = False
        for stage, turn in held.turns.items():
            turn.finished = turn.finished or decided
            base, variant = turn.sides
            changed = changed or base.alerts != variant.alerts
            place = Place(*held.procedure, stage)
            self.report.step(place).count(base.alerts, variant.alerts, finished=turn.finished)
        self.report.changed += changed
        if held.planned_end:
            self._compare(held, at)
        if self._told is not None and held.turns:
            for row in rows_of(held.alarms[0], held.procedure, held.turns, self._rules, at):
                self._told(row)

    def _compare(self, held: Held, at: int) -> None:
        """Hold our deadline beside the end that the log itself planned."""
        state = held.alarms[0].clock
        planned = planned_instant(held.planned_end)
        if not state.stopped or planned is None:
            self.report.unended += 1
            return
        for rules, counts in zip(self._rules, self.report.planned, strict=True):
            sop = rules.of(*held.procedure, state.opened).sop
            reading = clock.evaluate(state, rules.calendar, sop, from_micros(at))
            deadline = reading.deadline
            ours = deadline is not None and to_micros(deadline) < state.stopped
            counts.count(ours=ours, theirs=planned < state.stopped)


def course(
    alarms: Alarms, rules: Rules, procedure: tuple[str, int], since: int, until: int
) -> tuple[Alarms, Sequence[tuple[int, object]]]:
    """Return the alarms after ``until``, and what the clock called for on the way, in order.

    Between the two instants (microseconds UTC) nothing real happened. What is due at ``until``
    itself is left to what happens then: a stage that ends with its last minute is in time.
    """
    called: list[tuple[int, object]] = []
    now, rule = since, rules.of(*procedure, since)
    coming = _coming(alarms, rules, rule)
    while True:
        due = next_instant(alarms, rule.sop, rules.calendar, rule.ladder, now, coming=coming)
        if due is None or max(due, now) >= until:
            return alarms, called
        now = max(due, now)
        # What is due is decided by the rules of its own instant, as a sweep would.
        if (then := rules.of(*procedure, now)) is not rule:
            rule, coming = then, _coming(alarms, rules, then)
        at = from_micros(now)
        nudge = NudgePermit(
            now=at, by=_BY, sop=rule.sop, calendar=rules.calendar, ladder=rule.ladder
        )
        decided = called_for(nudge, alarms, coming=coming)
        if not decided:
            return alarms, called
        for event in decided:
            called.append((now, event))
            alarms = alarm.evolve(alarms, Fact(event, at))


def _coming(alarms: Alarms, rules: Rules, rule: InForce) -> clock.Pending:
    """Read the clock once: nothing that is called for moves it."""
    return clock.pending(alarms.clock, rules.calendar, rule.sop, rule.ladder.warn_percent)


def _after(alarms: Alarms, fact: AnyFact) -> Alarms:
    """Return the alarms after a real fact, whose explanation answers the question that is open."""
    if isinstance(fact.event, e.StallExplained):
        answered = _question(alarms, fact.event)
        if not answered:
            return alarms
        fact = Fact(replace(fact.event, stall_id=answered), fact.at, fact.actor)
    return alarm.evolve(alarms, fact)


def _question(alarms: Alarms, event: e.StallExplained) -> str:
    """Return the id of the question that an explanation answers here, empty for none."""
    if any(question.stall_id == event.stall_id for question in alarms.questions):
        return event.stall_id
    same = [q for q in alarms.questions if q.stage == event.stage and not q.explained]
    return same[-1].stall_id if same else ""


def _officer(actor: str) -> str:
    kind, _, name = actor.partition(":")
    return name if kind == "officer" else ""


def planned_instant(text: str) -> int | None:
    """Return the instant (microseconds UTC) of a planned end; None for none that can be read."""
    try:
        return to_micros(datetime.fromisoformat(text))
    except ValueError:
        return None
