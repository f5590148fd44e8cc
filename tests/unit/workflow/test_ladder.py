"""What the clock calls for: a warning, a question, an escalation; each once."""

from __future__ import annotations

from dataclasses import replace

from services.workflow import commands as c
from services.workflow.permit import DECIDER
from shared.contracts import workflow as e
from shared.events import Fact
from tests.spec import given
from tests.unit.workflow.journey import (
    EXPLAINED,
    PLACES,
    RETURNED,
    STALL,
    about,
    at,
    at_time,
    history,
    nudge,
    stalled,
)
from tests.unit.workflow.kit import (
    give,
    local,
)


def test_the_ladder_from_due_soon_to_escalation() -> None:
    quiet = history(*at("verify"))
    quiet.when(nudge(local(5, 14, 23))).then_nothing()
    due_at = local(5, 16).isoformat()
    alert = about(office="contoh", stage="verify")
    warned = quiet.when(nudge(local(5, 14, 24))).then(e.StageDueSoon(**alert, due_at=due_at))
    warned.again().then_nothing()
    late = warned.when(nudge(local(6, 8))).then(
        e.StageOverdue(**alert, due_at=due_at),
        e.StallExplanationRequested(
            **alert,
            stall_id=STALL,
            asked="verifier",
            answer_by=local(6, 10).isoformat(),
        ),
    )
    late.again().then_nothing()
    late.when(nudge(local(6, 9, 59))).then_nothing()
    told = late.when(nudge(local(6, 10))).then(e.StallEscalated(**alert, stall_id=STALL))
    told.again().then_nothing()
    told.when(give(c.ExplainStall, stall_id=STALL)).then(EXPLAINED)


def test_an_explanation_in_time_is_not_escalated_and_a_late_tick_skips_the_warning() -> None:
    late = history(*at("verify")).when(nudge(local(7, 9)))
    assert [type(event) for event in late.decided()] == [
        e.StageOverdue,
        e.StallExplanationRequested,
    ]
    history(*stalled(), EXPLAINED).when(nudge(local(7, 9))).then_nothing()


def test_a_permit_that_waits_is_not_nudged() -> None:
    for place in ("pay", "returned", "unpaid", "hand", "closed", "rejected", "not opened"):
        history(*PLACES[place]).when(nudge(local(30, 9))).then_nothing()


def test_after_a_pause_the_warning_is_for_the_new_due_instant() -> None:
    warned = e.StageDueSoon(
        **about(office="contoh", stage="verify", due_at=local(5, 16).isoformat())
    )
    resumed = Fact(e.PermitResumed(**about(stage="verify")), local(7, 8), "system")
    returned = Fact(RETURNED, local(5, 15), "system")
    story = given(DECIDER, *at_time(at("verify")), Fact(warned, local(5, 14, 24), "s"), returned)
    story = given(DECIDER, *story.history, resumed)
    story.when(nudge(local(7, 8))).then(replace(warned, due_at=local(7, 9).isoformat()))
