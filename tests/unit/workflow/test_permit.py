"""The permit's decider: each command decided, refused, repeated; and who may do what, when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.workflow import commands as c
from services.workflow import refusals as r
from services.workflow.guards import possible
from services.workflow.permit import DECIDER, decide
from services.workflow.stalls import stall_id
from services.workflow.states import Closed, InProgress, Issued
from shared.actors import APPLICANT, Role
from shared.contracts import workflow as e
from shared.errors import JejakError, NotAllowed
from shared.events import Fact
from tests.spec import Given, given
from tests.unit.workflow.kit import (
    ALL_ROLES,
    APP,
    FOREIGN_SOP,
    FREE_SOP,
    NOW,
    NUMBER,
    SOP,
    give,
    local,
    officer,
    opening,
)


def about(**more: Any) -> dict[str, Any]:
    return {"application_id": APP, **more}


def started(stage: str, role: str = "") -> e.StageStarted:
    return e.StageStarted(**about(stage=stage, role=role))


def done(stage: str, outcome: str = "done", note: str = "") -> e.StageCompleted:
    return e.StageCompleted(**about(stage=stage, outcome=outcome, note=note))


OPENED = e.PermitOpened(
    **about(number=NUMBER, office="contoh", permit_type="izin", permit_version=1)
)
ASSESSED = e.FeeAssessed(
    **about(
        number=NUMBER,
        office="contoh",
        permit_type="izin",
        permit_version=1,
        measures={"area_m2": 40},
    )
)
SETTLED = e.FeeSettled(
    **about(bill_id="bill-1", amount=80_000, paid_at="2026-01-06T10:00:00+07:00")
)
SKIPPED = e.SurveySkipped(**about(stage="survey", reason="Lokasi sudah dikenal"))
SCHEDULED = e.SurveyScheduled(**about(stage="survey", on="2026-01-07"))
RETURNED = e.PermitReturned(**about(stage="verify", reason="KTP buram"))
ISSUED = e.PermitIssued(**about(number=NUMBER, document_number="503/1"))
HANDED = e.PermitHandedOver(**about(receiver="Pemohon Contoh", proof="KTP"))
REJECTED = e.PermitRejected(**about(reason="Tidak sesuai tata ruang"))

# The whole journey of the paid procedure, one list per command.
OPENING = [OPENED, started("verify", "verifier")]
VERIFIED = [done("verify", note="Lengkap"), started("survey", "surveyor")]
SURVEYED = [SKIPPED, done("survey", "skipped"), started("assess", "assessor")]
FEE = [ASSESSED, done("assess", "assessed"), started("pay")]
PAYMENT = [SETTLED, done("pay", "paid"), started("sign", "signer")]
SIGNING = [done("sign", "signed"), ISSUED, started("hand", "counter")]
HAND_OVER = [done("hand", "handed-over"), HANDED]
STEPS = (OPENING, VERIFIED, SURVEYED, FEE, PAYMENT, SIGNING, HAND_OVER)
AT = ("verify", "survey", "assess", "pay", "sign", "hand", "closed")


def at(place: str) -> list[Any]:
    """Return the history that leads to a stage (or ``closed``) of the paid procedure."""
    return [event for step in STEPS[: AT.index(place) + 1] for event in step]


def stalled(place: str = "verify") -> list[Any]:
    due = local(5, 16)
    number = stall_id(APP, "verify", due.isoformat())
    alert = about(office="contoh", stage="verify")
    return [
        *at(place),
        e.StageOverdue(**alert, due_at=due.isoformat()),
        e.StallExplanationRequested(
            **alert,
            stall_id=number,
            asked="verifier",
            answer_by=local(6, 10).isoformat(),
        ),
    ]


def at_time(events: list[Any]) -> list[Any]:
    """Let everything happen when the office opens on the first day."""
    return [Fact(event, NOW, "system") for event in events]


def history(*events: Any) -> Given[Any]:
    return given(DECIDER, *at_time(list(events)))


STALL = stall_id(APP, "verify", local(5, 16).isoformat())
EXPLAINED = e.StallExplained(
    **about(stage="verify", stall_id=STALL, explanation="Petugas sakit", promised="")
)


# ---- Decided, repeated -------------------------------------------------------------------------


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
    assert isinstance(story.after.state, Closed)


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
    ).then(done("sign", "signed"), ISSUED)


def test_a_payment_that_comes_early_spares_the_waiting() -> None:
    paid_early = [*at("assess"), ASSESSED, SETTLED]
    history(*paid_early).when(give(c.AssessFee)).then(
        ASSESSED, done("assess", "assessed"), started("sign", "signer")
    )


# ---- Refused -----------------------------------------------------------------------------------

UNSETTLED = e.FeeUnsettled(**about(bill_id="bill-1"))
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
    (at("closed"), give(c.RejectPermit), r.PermitAlreadyClosed),
    (at("closed"), give(c.WithdrawPermit), r.PermitAlreadyClosed),
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


def test_withdrawing_before_registration_or_twice_and_resuming_unasked_decide_nothing() -> None:
    history().when(give(c.WithdrawPermit)).then_nothing()
    history().when(give(c.ResumePermit)).then_nothing()
    history(*at("verify"), e.PermitWithdrawn(**about())).when(give(c.WithdrawPermit)).then_nothing()
    history(*at("verify")).when(give(c.ResumePermit)).then_nothing()
    history(*at("verify")).when(give(c.RejectOpening)).then_nothing()


def test_a_refusal_says_what_is_possible_instead() -> None:
    refusal = history(*at("survey")).when(give(c.SignPermit)).then_refused(r.OtherStage)
    assert refusal.allowed == ("ScheduleSurvey", "SkipSurvey", "ReturnPermit", "RejectPermit")


# ---- Who may, at which stage -------------------------------------------------------------------

PLACES: dict[str, list[Any]] = {
    **{place: at(place) for place in AT},
    "scheduled": [*at("survey"), SCHEDULED],
    "returned": [*at("verify"), RETURNED],
    "unpaid": [*at("sign"), UNSETTLED],
    "rejected": [*at("verify"), REJECTED],
    "stalled": stalled(),
    "not opened": [],
}
OFFICER_COMMANDS = (
    c.CompleteStage,
    c.ScheduleSurvey,
    c.ReportSurvey,
    c.SkipSurvey,
    c.AssessFee,
    c.SignPermit,
    c.HandOver,
    c.ReturnPermit,
    c.RejectPermit,
    c.ExplainStall,
)
# Contents that no fact of the histories above has, so that nothing is a repeat.
NEW: dict[type[Any], dict[str, Any]] = {
    c.CompleteStage: {"note": "Baru"},
    c.ScheduleSurvey: {"on": date(2026, 1, 9)},
    c.SkipSurvey: {"reason": "Baru"},
    c.AssessFee: {"measures": {"area_m2": 77}},
    c.SignPermit: {"document_number": "503/9"},
    c.HandOver: {"receiver": "Baru"},
    c.ReturnPermit: {"reason": "Baru"},
    c.RejectPermit: {"reason": "Baru"},
    c.ExplainStall: {"stall_id": STALL},
}


def matrix() -> Iterator[tuple[str, Role, type[Any], str]]:
    stages = [stage.id for stage in SOP.stages]
    for place in PLACES:
        for role in Role:
            for command in OFFICER_COMMANDS:
                staged = "stage" in command.__dataclass_fields__
                for stage in stages if staged else [""]:
                    yield place, role, command, stage


def test_exactly_the_possible_commands_are_decided_for_every_role_stage_and_command() -> None:
    """For each combination: either it is possible and decided, or it isn't and is refused."""
    states = {place: DECIDER.fold(at_time(events)) for place, events in PLACES.items()}
    wrong = []
    for place, role, command, stage in matrix():
        state, by = states[place], officer(role)
        given_stage = {"stage": stage} if stage else {}
        asked = give(command, by=by, **(NEW.get(command, {}) | given_stage))
        try:
            decided = bool(decide(asked, state))
        except JejakError:
            decided = False
        current = getattr(getattr(state, "file", None), "stage", "")
        expected = command.__name__ in possible(state, SOP, by) and stage in ("", current)
        if decided != expected:
            wrong.append((place, role, command.__name__, stage, decided))
    assert not wrong


@pytest.mark.parametrize("command", OFFICER_COMMANDS)
def test_another_office_and_other_people_may_nothing(command: type[Any]) -> None:
    others = (officer(*Role, office="lain"), APPLICANT, give(c.ResumePermit).by)
    for by in others:
        for place in ("verify", "hand", "closed"):
            refusal = history(*PLACES[place]).when(give(command, by=by)).then_refused(r.OtherOffice)
            assert isinstance(refusal, NotAllowed)
            assert refusal.allowed == ()


@pytest.mark.parametrize("command", OFFICER_COMMANDS[:-1])
def test_a_role_that_works_nowhere_may_nothing(command: type[Any]) -> None:
    for role in (Role.AUDITOR, Role.ADMIN, Role.TREASURER):
        history(*at("verify")).when(give(command, by=officer(role))).then_refused(r.OtherRole)


SYSTEM_COMMANDS = (
    c.ResumePermit,
    c.WithdrawPermit,
    c.SettleFee,
    c.UnsettleFee,
    c.NudgePermit,
    c.RejectOpening,
    c.RejectSettlement,
    c.RejectWithdrawal,
)


@pytest.mark.parametrize("command", SYSTEM_COMMANDS)
def test_nobody_but_the_system_gives_the_system_s_commands(command: type[Any]) -> None:
    for by in (ALL_ROLES, APPLICANT):
        history(*at("pay")).when(give(command, by=by)).then_refused(r.NotForPeople)


# ---- Timers ------------------------------------------------------------------------------------


def nudge(now: Any) -> Any:
    return give(c.NudgePermit, now=now)


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
