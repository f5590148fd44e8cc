"""What the clock calls for: warnings, questions, escalations, ends; each once, and in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as sampled
from hypothesis import settings
from hypothesis import strategies as st

from services.workflow import alarms
from services.workflow import commands as c
from services.workflow.deadlines import asked_again, next_instant
from services.workflow.permit import DECIDER
from services.workflow.states import InForce
from shared.contracts import workflow as e
from shared.events import Fact, from_micros
from tests.examples import example
from tests.spec import When, given
from tests.unit.workflow.journey import (
    ANNOUNCED,
    ANSWERED,
    COMPLAINED,
    EXPLAINED,
    LIFTED,
    PLACES,
    REJECTED,
    RENEWED,
    RETURNED,
    STALL,
    about,
    at,
    at_time,
    history,
    nudge,
    opd,
    stalled,
)
from tests.unit.workflow.kit import APP, CALENDAR, LADDER, NUMBER, SOP, give, local

ALERT = about(office="contoh", stage="verify")
DUE_AT = local(5, 16).isoformat()
DAY = timedelta(days=1)
DEEMED = e.PermitDeemedGranted(
    **about(office="contoh", number=NUMBER, due_at=local(9, 16).isoformat())
)


def escalated(to: str, stall: str = STALL) -> e.StallEscalated:
    return e.StallEscalated(**ALERT, stall_id=stall, to=to)


def asked(stall: str, answer_by: Any) -> e.StallExplanationRequested:
    return e.StallExplanationRequested(
        **ALERT, stall_id=stall, asked="verifier", answer_by=answer_by.isoformat()
    )


def names(when: When[Any]) -> list[str]:
    return [type(event).__name__ for event in when.decided()]


def test_the_ladder_from_due_soon_to_the_head_of_office() -> None:
    quiet = history(*at("verify"))
    quiet.when(nudge(local(5, 14, 23))).then_nothing()
    warned = quiet.when(nudge(local(5, 14, 24))).then(e.StageDueSoon(**ALERT, due_at=DUE_AT))
    warned.again().then_nothing()
    late = warned.when(nudge(local(6, 8))).then(
        e.StageOverdue(**ALERT, due_at=DUE_AT), asked(STALL, local(6, 10))
    )
    late.again().then_nothing()
    late.when(nudge(local(6, 9, 59))).then_nothing()
    told = late.when(nudge(local(6, 10))).then(escalated("supervisor"))
    told.again().then_nothing()
    told.when(nudge(local(6, 13, 59))).then_nothing()
    head = told.when(nudge(local(6, 14))).then(escalated("head"))
    head.again().then_nothing()
    head.when(nudge(local(9, 15, 59))).then_nothing()
    deemed = head.when(nudge(local(9, 16))).then(DEEMED)
    deemed.again().then_nothing()
    deemed.when(nudge(local(30, 16))).then_nothing()
    deemed.when(give(c.ExplainStall, stall_id=STALL)).then(EXPLAINED)


def test_whoever_was_assigned_is_asked_and_warned() -> None:
    given_to = e.StageReassigned(**about(stage="verify", assignee="siti"))
    decided = history(*at("verify"), given_to).when(nudge(local(6, 8))).decided()
    assert [getattr(event, "assignee", getattr(event, "asked", "")) for event in decided] == [
        "siti",
        "siti",
    ]


def test_a_late_look_finds_the_steps_in_order_and_leaves_out_what_is_no_longer_so() -> None:
    late = history(*at("verify")).when(nudge(local(7, 9)))
    # No warning of what is overdue, and an answer is due from the asking on.
    assert names(late) == ["StageOverdue", "StallExplanationRequested"]
    weeks = history(*at("verify")).when(nudge(local(30, 9)))
    assert names(weeks) == ["StageOverdue", "StallExplanationRequested", "PermitDeemedGranted"]
    silent = history(*stalled()).when(nudge(local(30, 9)))
    silent.then(escalated("supervisor"), escalated("head"), DEEMED)
    history(*stalled(), EXPLAINED).when(nudge(local(7, 9))).then_nothing()


def test_a_clock_a_day_wrong_fires_nothing_twice() -> None:
    ahead = history(*at("verify")).when(nudge(local(6, 16)))
    assert names(ahead) == ["StageOverdue", "StallExplanationRequested"]
    right_again = ahead.then(*ahead.decided())
    right_again.when(nudge(local(5, 16))).then_nothing()
    right_again.when(nudge(local(6, 16))).then_nothing()
    # Asked at 16:00 by the wrong clock: two working hours later is the seventh, 10:00.
    right_again.when(nudge(local(7, 10))).then(escalated("supervisor"))
    history(*at("verify")).when(nudge(local(4, 16))).then_nothing()


def test_a_permit_that_waits_or_is_decided_is_not_nudged() -> None:
    for place in ("pay", "returned", "unpaid", "hand", "closed", "rejected", "not opened"):
        history(*PLACES[place]).when(nudge(local(30, 9))).then_nothing()


def test_after_a_pause_the_warning_is_for_the_new_due_instant() -> None:
    warned = e.StageDueSoon(**ALERT, due_at=DUE_AT)
    resumed = Fact(e.PermitResumed(**about(stage="verify")), local(7, 8), "system")
    returned = Fact(RETURNED, local(5, 15), "system")
    story = given(DECIDER, *at_time(at("verify")), Fact(warned, local(5, 14, 24), "s"), returned)
    story = given(DECIDER, *story.history, resumed)
    story.when(nudge(local(7, 8))).then(replace(warned, due_at=local(7, 9).isoformat()))


# ---- Promises ----------------------------------------------------------------------------------


def test_a_promise_that_passes_is_asked_about_once_more_when_the_office_opens() -> None:
    # Promised for Wednesday the 7th; the office opens on Thursday at 8.
    promise = replace(EXPLAINED, promised="2026-01-07")
    kept_waiting = history(*stalled(), promise)
    kept_waiting.when(nudge(local(8, 7, 59))).then_nothing()
    again = asked_again(STALL)
    second = kept_waiting.when(nudge(local(8, 8))).then(asked(again, local(8, 10)))
    second.again().then_nothing()
    second.when(nudge(local(8, 10))).then(escalated("supervisor", again))
    # Another promise is not asked about a third time.
    other = replace(EXPLAINED, stall_id=again, promised="2026-01-08")
    second.when(give(c.ExplainStall, stall_id=again, promised="2026-01-08")).then(other).when(
        nudge(local(9, 15))
    ).then_nothing()


def test_a_promise_that_is_kept_or_is_no_date_is_not_asked_about() -> None:
    promise = replace(EXPLAINED, promised="2026-01-07")
    moved_on = [e.StageCompleted(**about(stage="verify")), *at("survey")[-1:]]
    decided = history(*stalled(), promise, *moved_on).when(nudge(local(8, 9))).decided()
    assert e.StallExplanationRequested not in {type(event) for event in decided[1:-1]}
    assert all(getattr(event, "stage", "survey") == "survey" for event in decided)
    vague = replace(EXPLAINED, promised="besok")
    history(*stalled(), vague).when(nudge(local(9, 15))).then_nothing()


# ---- Around and after the decision -------------------------------------------------------------


def test_a_complaint_without_an_answer_is_overdue_once_also_after_the_decision() -> None:
    overdue = e.ComplaintOverdue(**about(office="contoh", complaint_id="keluhan-1"))
    for place in ("closed", "rejected", "pay"):
        held = history(*PLACES[place], COMPLAINED)
        held.when(nudge(local(9, 15, 59))).then_nothing()
        held.when(nudge(local(9, 16))).then(overdue).again().then_nothing()
        history(*PLACES[place], COMPLAINED, ANSWERED).when(nudge(local(12, 9))).then_nothing()


def in_force(until: str) -> list[Any]:
    """A permit issued on 5 January 2026 that holds until a day."""
    return [
        replace(event, valid_until=until) if isinstance(event, e.PermitIssued) else event
        for event in opd("closed")
    ]


def opd_nudge(now: Any) -> Any:
    return give(c.NudgePermit, now=now, sop=replace(SOP, notices=(60, 30, 7)))


def test_a_permit_is_noticed_before_its_end_and_expires_with_the_day_after() -> None:
    held = history(*in_force("2026-01-30"))
    permit = about(office="contoh", number=NUMBER, valid_until="2026-01-30")
    notice = e.PermitExpiryNoticed(**permit, days=7)
    held.when(opd_nudge(local(22, 23, 59))).then_nothing()
    noticed = held.when(opd_nudge(local(23, 0))).then(notice)
    noticed.again().then_nothing()
    noticed.when(opd_nudge(local(30, 23, 59))).then_nothing()
    gone = noticed.when(opd_nudge(local(31, 0))).then(e.PermitExpired(**permit))
    gone.again().then_nothing()
    # 60 and 30 days before lie before its issue: nobody is told of them.
    assert isinstance(held.state, InForce)


def test_of_several_notices_that_are_due_only_the_last_is_given() -> None:
    held = history(*in_force("2026-04-30"))
    (sixty,) = held.when(opd_nudge(local(1, 0) + 59 * DAY)).decided()
    assert sixty.days == 60  # type: ignore[attr-defined]
    # 30 days before went by unnoticed as well, and seven days before is today.
    (seven,) = held.when(opd_nudge(local(1, 0) + 112 * DAY)).decided()
    assert seven.days == 7  # type: ignore[attr-defined]


def test_a_permit_without_an_end_or_that_was_renewed_is_left_alone() -> None:
    history(*in_force("")).when(opd_nudge(local(31, 0))).then_nothing()
    history(*in_force("2026-01-10"), RENEWED).when(opd_nudge(local(31, 0))).then_nothing()


def test_an_announced_revocation_takes_effect_with_its_day_unless_it_is_lifted() -> None:
    midnight = local(31, 0) + 2 * DAY
    revoked = e.PermitRevoked(**about(office="contoh", reason="Data palsu"))
    for place in ("hand", "closed"):
        announced = history(*at(place), ANNOUNCED)
        announced.when(nudge(midnight - DAY / 24)).then_nothing()
        announced.when(nudge(midnight)).then(revoked).again().then_nothing()
        history(*at(place), ANNOUNCED, LIFTED).when(nudge(midnight)).then_nothing()


def test_the_legal_limit_is_noted_only_without_a_decision() -> None:
    history(*at("verify"), REJECTED).when(nudge(local(30, 9))).then_nothing()
    assert DEEMED in history(*at("sign")).when(nudge(local(30, 9))).decided()


# ---- Laws --------------------------------------------------------------------------------------

KINDS = [cls for cls in vars(e).values() if isinstance(cls, type)]


@st.composite
def streams(draw: st.DrawFn) -> list[Fact[Any]]:
    """Any facts of a permit in any order, about few stages and stalls so that they meet."""
    facts, now = [Fact[Any](at("verify")[0], local(5, 8))], local(5, 8)
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=14)):
        fields = {"application_id": APP, "stage": draw(st.sampled_from(("verify", "survey")))}
        fields["stall_id"] = draw(st.sampled_from(("a", "b")))
        known = {name: value for name, value in fields.items() if name in kind.__annotations__}
        now += draw(st.integers(0, 20)) * DAY / 24
        facts.append(Fact(example(kind, **known), now))
    return facts


@settings(max_examples=300, deadline=None)
@sampled(streams())
def test_a_row_s_alarms_are_those_of_the_decider_s_state(facts: list[Fact[Any]]) -> None:
    held = alarms.Alarms()
    for fact in facts:
        held = alarms.evolve(held, fact)
    assert alarms.of(DECIDER.fold(facts)) == held
    assert alarms.load(alarms.dump(held), held.clock) == held


@settings(max_examples=300, deadline=None)
@sampled(streams(), st.integers(0, 40))
def test_nothing_is_called_for_before_its_instant_and_nothing_twice(
    facts: list[Fact[Any]], days: int
) -> None:
    state = DECIDER.fold(facts)
    held = alarms.of(state)
    assert held is not None
    first = next_instant(held, SOP, CALENDAR, LADDER)
    now = facts[-1].at + days * DAY
    decided = DECIDER.decide(nudge(now), state)
    assert bool(decided) == (first is not None and from_micros(first) <= now)
    after = DECIDER.fold([Fact(event, now) for event in decided], state)
    assert list(DECIDER.decide(nudge(now), after)) == []


@pytest.mark.parametrize("place", sorted(PLACES))
def test_walking_from_instant_to_instant_ends_and_misses_nothing(place: str) -> None:
    """What-if walks like this: always to the next instant, until none is left."""
    state, seen = DECIDER.fold(at_time(PLACES[place])), list[int]()
    while (held := alarms.of(state)) is not None:
        instant = next_instant(held, SOP, CALENDAR, LADDER)
        if instant is None:
            break
        decided = DECIDER.decide(nudge(from_micros(instant)), state)
        assert decided
        state = DECIDER.fold([Fact(event, from_micros(instant)) for event in decided], state)
        seen.append(instant)
        assert len(seen) < 10
    assert seen == sorted(seen)
