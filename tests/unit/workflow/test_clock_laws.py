"""The working-day clock against a minute-by-minute oracle, and its laws, in random offices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.workflow import clock
from services.workflow.clock import ClockReading, ClockState, Mode
from services.workflow.sop import Sop
from shared.calendar import WorkCalendar
from shared.contracts import workflow as e
from shared.events import Fact, to_micros
from tests.calendars import MINUTE, Oracle, offices
from tests.unit.workflow.kit import APP, NUMBER, SOP

OPENED = e.PermitOpened(
    application_id=APP, number=NUMBER, office="contoh", permit_type="izin", permit_version=1
)
RETURNED = e.PermitReturned(application_id=APP, stage="verify", reason="-")
RESUMED = e.PermitResumed(application_id=APP, stage="verify")
UNSETTLED = e.FeeUnsettled(application_id=APP, bill_id="b")
SETTLED = e.FeeSettled(application_id=APP, bill_id="b", amount=1, paid_at="")
EVENTS = (
    *(e.StageStarted(application_id=APP, stage=name, role="") for name in ("verify", "survey")),
    *(e.StageStarted(application_id=APP, stage=name, role="") for name in ("pay", "sign")),
    *(e.StageCompleted(application_id=APP, stage=name) for name in ("verify", "pay")),
    RETURNED,
    RESUMED,
    UNSETTLED,
    SETTLED,
    e.PermitIssued(application_id=APP, number=NUMBER, document_number="1"),
)
GAPS = st.integers(0, 2 * 24 * 60)


@dataclass(frozen=True)
class World:
    """A random office, a procedure with random budgets, and what happened to a permit there."""

    calendar: WorkCalendar
    oracle: Oracle
    sop: Sop
    percent: int
    facts: tuple[Fact[Any], ...]

    @property
    def last(self) -> datetime:
        return self.facts[-1].at

    @property
    def state(self) -> ClockState:
        state = ClockState()
        for fact in self.facts:
            state = clock.evolve(state, fact)
        return state

    def read(self, at: datetime) -> ClockReading:
        return clock.evaluate(self.state, self.calendar, self.sop, at, self.percent)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Facts come in order of time, whatever they are."""
    calendar, oracle, start = draw(offices())
    at = start + draw(GAPS) * MINUTE
    facts = [Fact[Any](OPENED, at, "s"), Fact[Any](EVENTS[0], at, "s")]
    for gap in draw(st.lists(GAPS, max_size=6)):
        at += gap * MINUTE
        facts.append(Fact(draw(st.sampled_from(EVENTS)), at, "s"))
    budgets = st.integers(1, 3000)
    stages = tuple(replace(stage, budget=stage.budget and draw(budgets)) for stage in SOP.stages)
    sop = replace(SOP, stages=stages, legal=draw(budgets))
    return World(calendar, oracle, sop, draw(st.integers(1, 99)), tuple(facts))


class SlowClock:
    """The definition, minute by minute: what is the permit doing, is the office open?

    ``spent`` lists per used minute the stage and the instant at which the minute begins.
    """

    def __init__(self, world: World, until: datetime) -> None:
        self.spent: list[tuple[str, datetime]] = []
        self._stage, self._held = "", set[str]()
        at, facts = world.facts[0].at, list(world.facts)
        while at < until:
            while facts and facts[0].at <= at:
                self._take(facts.pop(0).event)
            working = not self._held and self._stage != "pay"
            if working and world.oracle.open(at):
                self.spent.append((self._stage, at))
            at += MINUTE

    def _take(self, event: Any) -> None:
        match event:
            case e.StageStarted(stage=name):
                self._stage = name
            case e.StageCompleted(stage=name) if name == self._stage:
                self._stage = ""
            case e.PermitReturned():
                self._held.add("applicant")
            case e.PermitResumed():
                self._held.discard("applicant")
            case e.FeeUnsettled():
                self._held.add("payment")
            case e.FeeSettled():
                self._held.discard("payment")
            case e.PermitIssued():
                self._held.add("decided")

    def used(self) -> dict[str, int]:
        return {name: self.of(name) for name in {stage for stage, _ in self.spent}}

    def of(self, name: str) -> int:
        return sum(stage == name for stage, _ in self.spent)

    def reached(self, amount: float, stage: str | None = None) -> datetime | None:
        """Return when so many minutes were used (by one stage), None if they were not yet."""
        begins = [at for name, at in self.spent if stage in (None, name)]
        whole = -int(-amount // 1)
        if not 0 < whole <= len(begins):
            return None
        return begins[whole - 1] + (amount - (whole - 1)) * MINUTE


@settings(max_examples=120, deadline=None)
@given(worlds(), GAPS)
def test_it_counts_what_the_oracle_counts(world: World, more: int) -> None:
    at = world.last + more * MINUTE
    reading, slow = world.read(at), SlowClock(world, at)
    assert {name: used for name, used in reading.by_stage.items() if used} == slow.used()
    assert reading.total.used == len(slow.spent)
    passed = slow.reached(world.sop.legal)
    if passed is not None:
        assert reading.deadline == passed
        assert clock.pending(world.state, world.calendar, world.sop).limit in (
            None,
            to_micros(passed),
        )


@settings(max_examples=120, deadline=None)
@given(worlds(), GAPS)
def test_it_is_due_when_the_oracle_says_so(world: World, more: int) -> None:
    at = world.last + more * MINUTE
    reading, slow, stage = world.read(at), SlowClock(world, at), world.state.stage
    if reading.mode is not Mode.RUNNING:
        assert (reading.due, reading.warn) == (None, None)
        return
    known = world.sop.stage(stage)
    budget = known.budget if known is not None and known.budget else world.sop.legal
    passed = [slow.reached(budget, stage), slow.reached(world.sop.legal)]
    assert reading.due is not None
    assert reading.due == min(filter(None, passed), default=max(reading.due, at))
    assert reading.warn is not None
    assert reading.warn <= reading.due
    allowance = min(budget, max(0, world.sop.legal - len(slow.spent) + slow.of(stage)))
    warned = slow.reached(allowance * world.percent / 100, stage)
    if warned is not None:
        assert abs(reading.warn - min(warned, reading.due)) < timedelta(milliseconds=1)


@settings(max_examples=200, deadline=None)
@given(worlds(), GAPS, GAPS)
def test_time_used_only_grows_and_used_and_left_are_the_budget(
    world: World, first: int, second: int
) -> None:
    early, late = (world.read(world.last + minutes * MINUTE) for minutes in sorted((first, second)))
    assert early.total.used <= late.total.used
    for reading in (early, late):
        for amount in (reading.total, reading.stage):
            assert amount is None or amount.used + amount.left == amount.budget
        assert sum(reading.by_stage.values()) <= reading.total.used
    assert early.deadline is not None
    assert late.deadline is not None
    assert early.deadline <= late.deadline
    if early.mode is Mode.RUNNING:
        assert (early.due, early.warn, early.deadline) == (late.due, late.warn, late.deadline)
        assert early.stage_deadline == late.stage_deadline
    if early.expected is not None and late.expected is not None:
        assert early.expected <= late.expected


@settings(max_examples=200, deadline=None)
@given(worlds(), st.integers(0, 6 * 24 * 60), GAPS, st.sampled_from([RETURNED, UNSETTLED]))
def test_a_pause_never_brings_a_deadline_nearer(
    world: World, offset: int, length: int, pause: Any
) -> None:
    begin = world.facts[0].at + offset * MINUTE
    resume = RESUMED if pause is RETURNED else SETTLED
    # Other pauses of that kind would end or begin inside this one.
    kinds = (type(pause), type(resume))
    others = [fact for fact in world.facts if type(fact.event) not in kinds]
    added = [Fact[Any](pause, begin, "s"), Fact[Any](resume, begin + length * MINUTE, "s")]
    longer = sorted([*others, *added], key=lambda fact: fact.at)
    plain, paused = (replace(world, facts=tuple(facts)) for facts in (others, longer))
    at = max(plain.last, paused.last)
    before, after = plain.read(at), paused.read(at)
    assert after.total.used <= before.total.used
    assert before.deadline is not None
    assert after.deadline is not None
    assert after.deadline >= before.deadline


@settings(max_examples=200, deadline=None)
@given(worlds(), st.integers(0, 10**12))
def test_splitting_an_interval_changes_nothing(world: World, offset: int) -> None:
    """A stage that is started again where it stands is the same stage going on."""
    state = world.state
    if not state.since:
        return
    between = world.last + timedelta(microseconds=offset)
    again = e.StageStarted(application_id=APP, stage=state.stage, role="")
    split = replace(world, facts=(*world.facts, Fact(again, between, "s")))
    at = between + timedelta(hours=30)
    assert split.read(at) == world.read(at)


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_a_stored_clock_is_the_same_clock(world: World) -> None:
    assert clock.load(clock.dump(world.state)) == world.state
    assert clock.load("") == ClockState()
