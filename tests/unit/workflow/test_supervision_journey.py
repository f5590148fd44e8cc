"""The way of one permit as supervision sees it: turns, places, and time that counts."""

from __future__ import annotations

from typing import Any

from services.workflow.supervision import journey as way
from services.workflow.supervision.forecast import samples_of
from services.workflow.supervision.journey import Journey, Turn
from shared.calendar import MINUTE_US
from shared.contracts import workflow as e
from shared.events import Fact, to_micros
from tests.unit.workflow.journey import (
    ISSUED,
    OPENED,
    RETURNED,
    about,
    done,
    started,
)
from tests.unit.workflow.kit import CALENDAR, DAY, SOP, local

RESUMED = e.PermitResumed(**about(stage="verify"))
WITHDRAWN = e.PermitWithdrawn(**about())
WHO = "officer:verifikator"


def walked(*facts: tuple[Any, Any]) -> tuple[Journey, list[Turn]]:
    """Fold (event, instant) pairs; return the journey and the turns it finished."""
    found, turns = Journey(), []
    for event, at in facts:
        found, turn = way.evolve(found, Fact(event, at, WHO))
        turns += [turn] if turn is not None else []
    return found, turns


def minutes_used(journey: Journey, turn: Turn) -> float | None:
    used = way.used(journey, turn, SOP, CALENDAR)
    return None if used is None else used / MINUTE_US


def test_a_turn_counts_working_time_and_names_who_finished_it() -> None:
    # Monday 15:00 to Tuesday 9:30, and the office closes at 16: one hour and a half hours more.
    journey, (turn,) = walked(
        (OPENED, local(5, 15)), (started("verify"), local(5, 15)), (done("verify"), local(6, 9, 30))
    )
    assert (turn.stage, turn.actor) == ("verify", WHO)
    assert minutes_used(journey, turn) == 60 + 90


def test_waiting_for_the_applicant_is_never_counted_against_an_officer() -> None:
    # An hour of work, two days with the applicant, half an hour of work.
    journey, (turn,) = walked(
        (OPENED, local(5, 8)),
        (started("verify"), local(5, 8)),
        (RETURNED, local(5, 9)),
        (RESUMED, local(7, 9)),
        (done("verify"), local(7, 9, 30)),
    )
    assert minutes_used(journey, turn) == 60 + 30


def test_a_stage_that_waits_for_payment_has_no_working_time() -> None:
    journey, turns = walked(
        (OPENED, local(5, 8)),
        (started("pay"), local(5, 8)),
        (done("pay", "paid"), local(7, 8)),
    )
    assert minutes_used(journey, turns[0]) is None


def test_a_second_visit_is_a_turn_of_its_own() -> None:
    journey, turns = walked(
        (OPENED, local(5, 8)),
        (started("verify"), local(5, 8)),
        (done("verify"), local(5, 9)),
        (started("verify"), local(5, 10)),
        (done("verify"), local(5, 12)),
    )
    assert [minutes_used(journey, turn) for turn in turns] == [60, 120]


def test_a_foreign_end_without_a_beginning_has_no_working_time() -> None:
    journey, (turn,) = walked((OPENED, local(5, 8)), (done("t02"), local(5, 9)))
    assert minutes_used(journey, turn) is None
    assert journey.visits[-1] == (">t02", to_micros(local(5, 9)))


def test_after_the_decision_nothing_is_measured_any_more() -> None:
    journey, turns = walked(
        (OPENED, local(5, 8)),
        (started("sign"), local(5, 8)),
        (done("sign", "signed"), local(5, 9)),
        (ISSUED, local(5, 9)),
        (started("hand"), local(5, 9)),
        (done("hand"), local(8, 9)),
    )
    assert [minutes_used(journey, turn) for turn in turns] == [60, None]
    assert journey.decided == journey.over == to_micros(local(5, 9))


def test_a_decided_journey_is_a_sample_at_every_place_it_stood() -> None:
    journey, _ = walked(
        (OPENED, local(5, 8)),
        (started("verify"), local(5, 8)),
        (done("verify"), local(5, 12)),
        (started("sign"), local(5, 12)),
        (done("sign", "signed"), local(6, 12)),
        (ISSUED, local(6, 12)),
    )
    found = dict(samples_of(journey, SOP, CALENDAR))
    assert set(found) == {"verify", "sign"}
    assert found["verify"].spent == 240 * MINUTE_US
    assert found["verify"].left == (240 + DAY) * MINUTE_US
    assert found["sign"].left == found["sign"].spent == DAY * MINUTE_US


def test_a_withdrawn_or_open_journey_teaches_nothing_about_the_finish() -> None:
    begun = ((OPENED, local(5, 8)), (started("verify"), local(5, 8)))
    for facts in (begun, (*begun, (WITHDRAWN, local(6, 8)))):
        journey, _ = walked(*facts)
        assert list(samples_of(journey, SOP, CALENDAR)) == []


def test_elapsed_leaves_out_waits_for_applicant_and_payment() -> None:
    journey, _ = walked(
        (OPENED, local(5, 8)),
        (started("verify"), local(5, 8)),
        (RETURNED, local(5, 9)),
        (RESUMED, local(6, 9)),
        (done("verify"), local(6, 10)),
        (started("pay"), local(6, 10)),
        (done("pay", "paid"), local(7, 10)),
        (started("sign"), local(7, 10)),
    )
    worked = way.elapsed(journey, SOP, CALENDAR, to_micros(local(5, 8)), to_micros(local(7, 11)))
    assert worked == (60 + 60 + 60) * MINUTE_US


def test_a_journey_survives_its_row() -> None:
    journey, _ = walked(
        (OPENED, local(5, 8)), (started("verify"), local(5, 8)), (RETURNED, local(5, 9))
    )
    assert way.load(way.dump(journey)) == journey
