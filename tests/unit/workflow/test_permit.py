"""The permit's decider: each command decided, repeated, refused, and in conflict."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.workflow import commands as c
from services.workflow import refusals as r
from services.workflow.permit import DECIDER, decide, stream
from services.workflow.states import Closed, InForce, InProgress, Issued
from shared.contracts import workflow as e
from shared.errors import JejakError, StaleScreen
from shared.ids import new_id
from tests.spec import given
from tests.unit.workflow.journey import (
    ASSESSED,
    EXPLAINED,
    FEE,
    HAND_OVER,
    ISSUED,
    OPENED,
    OPENING,
    PAYMENT,
    REJECTED,
    RETURNED,
    SCHEDULED,
    SETTLED,
    SIGNING,
    STALL,
    SURVEYED,
    UNSETTLED,
    VERIFIED,
    about,
    at,
    at_time,
    done,
    history,
    nudge,
    stalled,
    started,
)
from tests.unit.workflow.kit import (
    FOREIGN_SOP,
    FREE_SOP,
    SOP,
    give,
    local,
    opening,
)
from tests.unit.workflow.office import small_office


def test_the_whole_journey() -> None:
    story = given(DECIDER).when(opening()).then(*OPENING)
    for command, events in (
        (give(c.CompleteStage), VERIFIED),
        (give(c.SkipSurvey), SURVEYED),
        (give(c.AssessFee), FEE),
        (give(c.SettleFee), PAYMENT),
        (give(c.SignPermit), SIGNING),
        (give(c.HandOver), HAND_OVER),
    ):
        story.again().then_nothing()
        story = story.when(command).then(*events)
    story.again().then_nothing()
    assert isinstance(story.after.state, InForce)


DECIDED = [
    (at("survey"), give(c.ScheduleSurvey), [SCHEDULED]),
    (
        [*at("survey"), SCHEDULED],
        give(c.ScheduleSurvey, on=date(2026, 1, 8)),
        [replace(SCHEDULED, on="2026-01-08")],
    ),
    (
        [*at("survey"), SCHEDULED],
        give(c.ReportSurvey),
        [
            e.SurveyReported(**about(stage="survey", report="Sesuai", recommended=True)),
            done("survey", "recommended"),
            started("assess", "assessor"),
        ],
    ),
    (
        [*at("survey"), SCHEDULED],
        give(c.ReportSurvey, recommended=False),
        [
            e.SurveyReported(**about(stage="survey", report="Sesuai", recommended=False)),
            done("survey", "not-recommended"),
            started("assess", "assessor"),
        ],
    ),
    (at("verify"), give(c.ReturnPermit), [RETURNED]),
    ([*at("verify"), RETURNED], give(c.ResumePermit), [e.PermitResumed(**about(stage="verify"))]),
    (at("pay"), give(c.RejectPermit), [REJECTED]),
    ([*at("verify"), RETURNED], give(c.RejectPermit), [REJECTED]),
    (at("sign"), give(c.WithdrawPermit), [e.PermitWithdrawn(**about())]),
    ([*at("verify"), RETURNED], give(c.WithdrawPermit), [e.PermitWithdrawn(**about())]),
    (at("sign"), give(c.UnsettleFee), [e.FeeUnsettled(**about(bill_id="bill-1"))]),
    ([*at("sign"), e.FeeUnsettled(**about(bill_id="bill-1"))], give(c.SettleFee), [SETTLED]),
    ([*at("hand"), e.FeeUnsettled(**about(bill_id="bill-1"))], give(c.SettleFee), [SETTLED]),
    (stalled(), give(c.ExplainStall, stall_id=STALL), [EXPLAINED]),
    (stalled("hand"), give(c.ExplainStall, stall_id=STALL), [EXPLAINED]),
    (
        [],
        give(c.RejectOpening),
        [e.PermitOpeningRejected(**about(reason="bad-configuration"))],
    ),
    (
        at("verify"),
        give(c.RejectSettlement),
        [e.FeeSettlementRejected(**about(bill_id="bill-1", reason="why"))],
    ),
    (
        at("hand"),
        give(c.RejectWithdrawal),
        [e.PermitWithdrawalRejected(**about(reason="permit-already-issued"))],
    ),
]


@pytest.mark.parametrize(("events", "command", "decided"), DECIDED)
def test_it_is_decided_and_repeating_it_decides_nothing(
    events: list[Any], command: Any, decided: list[Any]
) -> None:
    history(*events).when(command).then(*decided).again().then_nothing()


def test_a_survey_that_is_never_held_and_a_bill_already_paid_are_skipped() -> None:
    story = given(DECIDER).when(opening(FREE_SOP))
    story.then(replace(OPENED, permit_type="gratis"), started("verify", "verifier")).when(
        give(c.CompleteStage, sop=FREE_SOP)
    ).then(done("verify", note="Lengkap"), started("sign", "signer")).when(
        give(c.SignPermit, sop=FREE_SOP)
    ).then(done("sign", "signed"), replace(ISSUED, collected=False))


def test_a_payment_that_comes_early_spares_the_waiting() -> None:
    paid_early = [*at("assess"), ASSESSED, SETTLED]
    history(*paid_early).when(give(c.AssessFee)).then(
        ASSESSED, done("assess", "assessed"), started("sign", "signer")
    )


async def test_who_looked_at_an_older_version_decides_nothing(tmp_path: Path) -> None:
    async with small_office(tmp_path) as office:
        for index, (events, command, _) in enumerate(DECIDED):
            app = str(index)
            for event in events:
                await office.happened(stream(app), event, app)
            with pytest.raises(StaleScreen):
                await office.handler.handle(
                    DECIDER, stream(app), command, cause=new_id(), application=app, seen=99
                )
            assert len(await office.events(app)) == len(events)


REFUSED = [
    # A skipped step, a step that is over, a step that isn't of that kind.
    (at("verify"), give(c.SignPermit), r.OtherStage),
    (at("verify"), give(c.SkipSurvey), r.OtherStage),
    (at("verify"), give(c.CompleteStage, stage="survey"), r.OtherStage),
    (at("verify"), give(c.CompleteStage, stage="lain"), r.OtherStage),
    (at("survey"), give(c.CompleteStage, note="Lain"), r.StageAlreadyCompleted),
    (at("pay"), give(c.AssessFee, measures={"area_m2": 41}), r.FeeAlreadyAssessed),
    (at("pay"), give(c.SignPermit), r.WaitingForPayment),
    ([*at("sign"), UNSETTLED], give(c.SignPermit), r.WaitingForPayment),
    ([*at("hand"), UNSETTLED], give(c.HandOver), r.WaitingForPayment),
    ([*at("verify"), RETURNED], give(c.CompleteStage), r.WaitingForApplicant),
    ([*at("verify"), RETURNED], give(c.ReturnPermit, reason="Lain"), r.WaitingForApplicant),
    (at("hand"), give(c.SignPermit, document_number="503/2"), r.StageAlreadyCompleted),
    (at("hand"), give(c.RejectPermit), r.PermitAlreadyIssued),
    (at("hand"), give(c.WithdrawPermit), r.PermitAlreadyIssued),
    (at("closed"), give(c.HandOver, receiver="Orang Lain"), r.StageAlreadyCompleted),
    (at("closed"), give(c.RejectPermit), r.PermitAlreadyIssued),
    (at("closed"), give(c.WithdrawPermit), r.PermitAlreadyIssued),
    ([*at("verify"), REJECTED], give(c.CompleteStage), r.PermitAlreadyClosed),
    # What the command itself says.
    (at("survey"), give(c.ScheduleSurvey, on=date(2026, 1, 4)), r.SurveyInThePast),
    (at("survey"), give(c.ReportSurvey), r.SurveyNotScheduled),
    (at("assess"), give(c.AssessFee, measures={}), r.BadMeasure),
    (at("assess"), give(c.AssessFee, measures={"area_m2": 0}), r.BadMeasure),
    (at("assess"), give(c.AssessFee, measures={"area_m2": 1001}), r.BadMeasure),
    (at("assess"), give(c.AssessFee, measures={"area_m2": 4, "lain": 1}), r.BadMeasure),
    # Money.
    (at("verify"), give(c.SettleFee), r.NotWaitingForPayment),
    (at("sign"), give(c.SettleFee, bill_id="bill-2"), r.NotWaitingForPayment),
    ([*at("pay"), REJECTED], give(c.SettleFee), r.NotWaitingForPayment),
    (at("pay"), give(c.UnsettleFee), r.NotWaitingForPayment),
    # Stalls.
    (at("verify"), give(c.ExplainStall), r.UnknownStall),
    (
        [*stalled(), EXPLAINED],
        give(c.ExplainStall, stall_id=STALL, explanation="Lain"),
        r.StallAlreadyExplained,
    ),
    ([*stalled(), REJECTED], give(c.ExplainStall, stall_id=STALL), r.PermitAlreadyClosed),
    # Nothing there yet.
    ([], give(c.CompleteStage), r.PermitNotOpened),
    ([], give(c.SettleFee), r.PermitNotOpened),
]


@pytest.mark.parametrize(("events", "command", "refusal"), REFUSED)
def test_it_is_refused(events: list[Any], command: Any, refusal: type[JejakError]) -> None:
    history(*events).when(command).then_refused(refusal)


def test_a_required_survey_is_not_skipped() -> None:
    strict = tuple(
        replace(stage, survey="required") if stage.id == "survey" else stage for stage in SOP.stages
    )
    command = give(c.SkipSurvey, sop=replace(SOP, stages=strict))
    history(*at("survey")).when(command).then_refused(r.SurveyRequired)


@pytest.mark.parametrize("place", ["verify", "survey", "assess", "pay", "sign"])
def test_a_permit_can_be_withdrawn_at_any_stage_until_it_is_signed(place: str) -> None:
    withdrawn = e.PermitWithdrawn(**about())
    story = history(*at(place)).when(give(c.WithdrawPermit)).then(withdrawn)
    story.again().then_nothing()
    assert isinstance(story.after.state, Closed)


def test_a_permit_is_returned_and_goes_on_any_number_of_times() -> None:
    events: list[Any] = at("verify")
    for time in range(20):
        why = f"Halaman {time} buram"
        returned, resumed = replace(RETURNED, reason=why), e.PermitResumed(**about(stage="verify"))
        story = history(*events).when(give(c.ReturnPermit, reason=why)).then(returned)
        story.after.when(give(c.ResumePermit)).then(resumed)
        events = [*events, returned, resumed]
    history(*events).when(give(c.CompleteStage)).then(*VERIFIED)


def test_withdrawing_before_registration_or_twice_and_resuming_unasked_decide_nothing() -> None:
    history().when(give(c.WithdrawPermit)).then_nothing()
    history().when(give(c.ResumePermit)).then_nothing()
    history(*at("verify"), e.PermitWithdrawn(**about())).when(give(c.WithdrawPermit)).then_nothing()
    history(*at("verify")).when(give(c.ResumePermit)).then_nothing()
    history(*at("verify")).when(give(c.RejectOpening)).then_nothing()


def test_a_refusal_says_what_is_possible_instead() -> None:
    refusal = history(*at("survey")).when(give(c.SignPermit)).then_refused(r.OtherStage)
    assert refusal.allowed == (
        "ScheduleSurvey",
        "SkipSurvey",
        "ReturnPermit",
        "RejectPermit",
        "ReassignStage",
    )


def test_foreign_facts_are_taken_in_any_order_and_never_nudged() -> None:
    foreign = [done("t02"), OPENED, started("t03"), done("t02"), e.PermitClosed(**about()), ISSUED]
    state = DECIDER.fold(at_time(foreign))
    assert isinstance(state, Closed)
    assert state.file.done == (done("t02"),)
    running = DECIDER.fold(at_time([OPENED, done("t02")]))
    assert isinstance(running, InProgress)
    assert not decide(replace(nudge(local(30, 9)), sop=FOREIGN_SOP), running)
    given(DECIDER).when(opening(FOREIGN_SOP, permit_type="izin")).then(OPENED)


def test_states_follow_from_facts_alone() -> None:
    assert isinstance(DECIDER.fold(at_time(at("hand"))), Issued)
