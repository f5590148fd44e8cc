"""The working-day clock in examples that can be reckoned by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.workflow import clock
from services.workflow.clock import Amount, ClockReading, ClockState, Mode
from services.workflow.sop import prepare
from shared.contracts import workflow as e
from shared.events import Fact, from_micros, to_micros
from tests.unit.workflow.kit import (
    APP,
    CALENDAR,
    FREE_SOP,
    NUMBER,
    SOP,
    local,
    office,
    permit_type,
    stage,
)

OPENED = e.PermitOpened(
    application_id=APP, number=NUMBER, office="contoh", permit_type="izin", permit_version=1
)
RETURNED = e.PermitReturned(application_id=APP, stage="verify", reason="-")
RESUMED = e.PermitResumed(application_id=APP, stage="verify")
ISSUED = e.PermitIssued(application_id=APP, number=NUMBER, document_number="1")
UNSETTLED = e.FeeUnsettled(application_id=APP, bill_id="b")
SETTLED = e.FeeSettled(application_id=APP, bill_id="b", amount=1, paid_at="")


def started(name: str) -> e.StageStarted:
    return e.StageStarted(application_id=APP, stage=name, role="")


def completed(name: str) -> e.StageCompleted:
    return e.StageCompleted(application_id=APP, stage=name)


def fold(*facts: tuple[Any, Any]) -> ClockState:
    state = ClockState()
    for at, event in facts:
        state = clock.evolve(state, Fact(event, at, "system"))
    return state


def read(state: ClockState, at: Any, sop: Any = SOP) -> ClockReading:
    return clock.evaluate(state, CALENDAR, sop, at)


START = local(5, 8)
BEGUN = ((START, OPENED), (START, started("verify")))


def test_used_left_due_and_expected_while_it_runs() -> None:
    reading = read(fold(*BEGUN), local(5, 10))
    assert (reading.mode, reading.waits_for) == (Mode.RUNNING, "")
    assert reading.stage == Amount(120, 480)
    assert reading.stage.left == 360
    assert reading.total == Amount(120, 2400)
    assert reading.warn == local(5, 14, 24)
    assert reading.due == local(5, 16)
    # Five working days from Monday morning.
    assert reading.deadline == local(9, 16)
    # 6 h here, then 2 days, 4 h and 1 day.
    assert reading.expected == local(9, 12)
    assert (reading.stage_deadline, reading.stage_expected) == (local(5, 16), local(5, 16))
    assert clock.evaluate(fold(*BEGUN), CALENDAR, SOP, local(5, 10), 50).warn == local(5, 12)


def test_it_stands_still_for_the_applicant_the_payment_and_outside_stages() -> None:
    state = fold(*BEGUN, (local(5, 10), RETURNED))
    paused = read(state, local(8, 9))
    assert (paused.mode, paused.waits_for) == (Mode.PAUSED, "applicant")
    assert paused.total.used == 120
    assert paused.due is None
    assert paused.deadline == local(14, 15)
    resumed = read(fold(*BEGUN, (local(5, 10), RETURNED), (local(8, 9), RESUMED)), local(8, 9))
    assert resumed.deadline == paused.deadline
    assert resumed.due == local(8, 15)
    waiting = fold(*BEGUN, (local(5, 10), completed("verify")), (local(5, 10), started("pay")))
    assert read(waiting, local(9, 9)).waits_for == "payment"
    assert read(waiting, local(9, 9)).total.used == 120
    opd = stage("opd", "recommend", agency="dinas", outside=True)
    outside = prepare(permit_type(opd, stage("sign", "sign", "signer")), office())
    reading = read(fold((START, OPENED), (START, started("opd"))), local(9, 9), outside)
    assert (reading.mode, reading.waits_for, reading.total.used) == (Mode.PAUSED, "outside", 0)


def test_it_waits_until_both_the_correction_and_the_payment_are_there() -> None:
    both = (*BEGUN, (local(5, 9), UNSETTLED), (local(5, 10), RETURNED))
    assert read(fold(*both), local(6, 8)).waits_for == "applicant"
    still = (*both, (local(6, 9), RESUMED))
    assert read(fold(*still), local(6, 12)).waits_for == "payment"
    going = fold(*still, (local(7, 9), SETTLED))
    assert read(going, local(7, 10)).mode is Mode.RUNNING
    assert read(going, local(7, 10)).total.used == 120


def test_it_stops_when_the_office_has_decided_and_starts_with_the_opening() -> None:
    assert read(ClockState(), local(5, 9)).mode is Mode.NOT_STARTED
    assert read(ClockState(), local(5, 9)).deadline is None
    for event in (
        ISSUED,
        e.PermitRejected(application_id=APP, reason="-"),
        e.PermitWithdrawn(application_id=APP),
        e.PermitClosed(application_id=APP),
    ):
        reading = read(fold(*BEGUN, (local(5, 9), event)), local(9, 9))
        assert (reading.mode, reading.total.used) == (Mode.STOPPED, 60)
        assert reading.expected is None
    handed = fold(*BEGUN, (local(5, 9), ISSUED), (local(5, 9), started("hand")))
    assert read(handed, local(9, 9)).total.used == 60


def test_overdue_is_negative_time_left_and_a_due_instant_in_the_past() -> None:
    reading = read(fold(*BEGUN), local(6, 9))
    assert reading.stage is not None
    assert reading.stage.left == -60
    assert reading.due == local(5, 16)
    assert reading.by_stage == {"verify": 540}
    assert (reading.stage_deadline, reading.stage_expected) == (local(5, 16), local(6, 9))


def test_the_legal_limit_passes_only_while_the_clock_runs_and_before_the_decision() -> None:
    def limit(*more: tuple[Any, Any]) -> Any:
        found = clock.pending(fold(*BEGUN, *more), CALENDAR, SOP).limit
        return None if found is None else from_micros(found)

    assert limit() == local(9, 16)
    assert limit((local(5, 10), RETURNED)) is None
    assert limit((local(5, 10), RETURNED), (local(6, 10), RESUMED)) == local(12, 16)
    # It had passed before the permit went back to its applicant.
    assert limit((local(13, 10), RETURNED)) == local(9, 16)
    assert limit((local(13, 10), ISSUED)) is None
    assert clock.pending(ClockState(), CALENDAR, SOP) == clock.Pending()


def test_without_a_budget_of_its_own_a_stage_has_the_legal_total() -> None:
    reading = read(fold((START, OPENED), (START, started("sign"))), local(5, 9), FREE_SOP)
    assert reading.stage is None
    assert reading.due == reading.deadline == local(7, 16)
    assert reading.expected == reading.deadline


def test_a_stage_may_not_use_more_than_what_is_left_of_the_legal_total() -> None:
    # Verification took four days and a half of the five; the survey's two days are cut short.
    state = fold(*BEGUN, (local(9, 12), completed("verify")), (local(9, 12), started("survey")))
    reading = read(state, local(9, 13))
    assert reading.due == reading.deadline == local(9, 16)
    over = fold(*BEGUN, (local(14, 12), completed("verify")), (local(14, 12), started("survey")))
    # It had none left when the survey began, which is overdue from then on.
    assert read(over, local(14, 13)).due == local(9, 16)


def test_a_foreign_log_s_contradictions_cost_nothing() -> None:
    state = fold(
        (local(5, 10), completed("verify")),
        (local(5, 9), OPENED),
        (local(5, 8), started("verify")),
        (local(5, 8), completed("verify")),
        (local(5, 7), e.PermitClosed(application_id=APP)),
    )
    assert read(state, local(9, 9)).total.used == 0
    assert read(state, local(9, 9)).mode is Mode.STOPPED


@pytest.mark.parametrize("seconds", [0.000001, 29, 59.999999])
def test_parts_of_minutes_are_kept_and_rounded_down_once(seconds: float) -> None:
    pause = local(5, 9) + timedelta(seconds=seconds)
    state = fold(*BEGUN, (pause, RETURNED), (local(6, 9), RESUMED))
    reading = read(state, local(6, 9) + timedelta(seconds=60 - seconds))
    assert reading.total.used == 61
    assert reading.due is not None
    assert to_micros(reading.due) == to_micros(local(6, 16)) - round(seconds * 1e6)
