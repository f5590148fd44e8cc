"""Agencies, originals, changes of hands, complaints, revocation, renewal: four cases each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as properties
from hypothesis import strategies as st

from services.workflow import afterwards as a
from services.workflow import commands as c
from services.workflow import refusals as r
from services.workflow.permit import DECIDER, stream
from services.workflow.sop import prepare
from services.workflow.states import Closed, InForce, Issued
from shared.actors import Role
from shared.contracts import workflow as e
from shared.errors import JejakError, StaleScreen
from shared.ids import new_id
from tests.unit.workflow.journey import (
    ANNOUNCED,
    ANSWERED,
    ASSIGNED,
    COMPLAINED,
    ENTRY,
    EXPIRED,
    HEALTH,
    LIFTED,
    MATCHED,
    MISMATCHED,
    ON_BEHALF,
    OPD_OPENING,
    OPD_SIGNING,
    RECOMMENDED,
    REJECTED,
    RENEWED,
    RETURNED,
    REVOKED,
    TRAFFIC,
    about,
    at,
    at_time,
    done,
    history,
    opd,
    started,
)
from tests.unit.workflow.kit import (
    CALENDAR,
    DINAS,
    NOT_READY,
    OPD,
    OPD_SOP,
    SCANS,
    SITI,
    SOP,
    TODAY,
    give,
    local,
    office,
    officer,
    opening,
    permit_type,
)
from tests.unit.workflow.office import small_office

LOKET = officer(Role.COUNTER, name="loket")
BUDI = officer(Role.VERIFIER, name="budi")
LEADER = officer(Role.SUPERVISOR, name="penyelia")
BEHALF = give(
    c.GiveRecommendation,
    stage="traffic",
    by=LOKET,
    recommended=False,
    note="Jalan sempit",
    letter="551/7",
)
FINISH = give(c.CompleteStage, stage="match", sop=OPD_SOP, scans=SCANS)
SECOND = e.StageReassigned(
    **about(stage="verify", assignee="budi", previous="siti", reason="Beban kerja")
)
GIVEN_BACK = e.StageReassigned(
    **about(stage="verify", assignee="", previous="siti", reason="Beban kerja")
)
REPLY_REJECTED = e.StallReplyRejected(
    **about(stall_id="?", reply_id="balasan-1", reason="unknown-stall")
)
RENEWAL_REJECTED = e.PermitRenewalRejected(**about(renews="CTH-2021-000001", reason="why"))

DECIDED = [
    (opd("health"), give(c.GiveRecommendation), HEALTH),
    (opd("traffic"), BEHALF, TRAFFIC),
    (opd("match"), give(c.MatchOriginal), MATCHED[:1]),
    (opd("match"), give(c.MismatchOriginal), [MISMATCHED]),
    ([*opd("match"), MISMATCHED], give(c.MatchOriginal), MATCHED[:1]),
    ([*opd("match"), MATCHED[0]], give(c.MismatchOriginal), [MISMATCHED]),
    (
        [*opd("match"), *MATCHED],
        FINISH,
        [done("match", note="Lengkap"), started("hand", "counter")],
    ),
    (at("verify"), give(c.ReassignStage), [ASSIGNED]),
    ([*at("verify"), ASSIGNED], give(c.ReassignStage, to=BUDI), [SECOND]),
    ([*at("verify"), ASSIGNED], give(c.ReassignStage, to=None), [GIVEN_BACK]),
    ([*at("verify"), ASSIGNED], give(c.ReassignStage, to=None, by=SITI), [GIVEN_BACK]),
    ([*at("verify"), ASSIGNED, RETURNED], give(c.ReassignStage, to=BUDI), [SECOND]),
    (at("verify"), give(c.FileComplaint), [COMPLAINED]),
    ([*at("verify"), REJECTED], give(c.FileComplaint), [COMPLAINED]),
    (at("closed"), give(c.FileComplaint), [COMPLAINED]),
    ([*at("verify"), COMPLAINED], give(c.AnswerComplaint), [ANSWERED]),
    ([*at("verify"), COMPLAINED, REJECTED], give(c.AnswerComplaint), [ANSWERED]),
    (at("hand"), give(c.AnnounceRevocation), [ANNOUNCED]),
    (at("closed"), give(c.AnnounceRevocation), [ANNOUNCED]),
    ([*at("closed"), ANNOUNCED, LIFTED], give(c.AnnounceRevocation), [ANNOUNCED]),
    ([*at("closed"), ANNOUNCED], give(c.LiftRevocation), [LIFTED]),
    (at("closed"), give(c.RenewPermit), [RENEWED]),
    (at("hand"), give(c.RenewPermit), [RENEWED]),
    (at("closed"), give(c.RejectRenewal), [RENEWAL_REJECTED]),
    (at("verify"), give(c.RejectStallReply), [REPLY_REJECTED]),
]


@pytest.mark.parametrize(("events", "command", "decided"), DECIDED)
def test_it_is_decided_and_repeating_it_decides_nothing(
    events: list[Any], command: Any, decided: list[Any]
) -> None:
    history(*events).when(command).then(*decided).again().then_nothing()


def test_the_whole_journey_with_agencies_and_originals() -> None:
    story = history().when(opening(OPD_SOP, permit_type="izin")).then(*OPD_OPENING)
    for command, events in (
        (give(c.GiveRecommendation), HEALTH),
        (BEHALF, TRAFFIC),
        (give(c.CompleteStage, stage="entry", sop=OPD_SOP), ENTRY),
        (give(c.SignPermit, sop=OPD_SOP), OPD_SIGNING),
        (give(c.MatchOriginal), MATCHED[:1]),
        (give(c.MatchOriginal, requirement="denah"), MATCHED[1:]),
        (FINISH, [done("match", note="Lengkap"), started("hand", "counter")]),
    ):
        story = story.when(command).then(*events)
        story.again().then_nothing()
    assert isinstance(story.after.state, Issued)


async def test_who_looked_at_an_older_version_decides_nothing(tmp_path: Path) -> None:
    async with small_office(tmp_path) as made:
        for index, (events, command, _) in enumerate(DECIDED):
            app = str(index)
            for event in events:
                await made.happened(stream(app), event, app)
            with pytest.raises(StaleScreen):
                await made.handler.handle(
                    DECIDER, stream(app), command, cause=new_id(), application=app, seen=99
                )
            assert len(await made.events(app)) == len(events)


MANY = [replace(COMPLAINED, complaint_id=str(n)) for n in range(a.MAX_OPEN_COMPLAINTS)]
REFUSED = [
    # Agencies: another one's, on behalf of one that is ready, without the letter's number.
    (opd("health"), give(c.GiveRecommendation, by=replace(DINAS, agency="belum")), r.OtherAgency),
    (opd("health"), give(c.GiveRecommendation, by=LOKET, letter="1"), r.AgencyReady),
    (opd("health"), give(c.GiveRecommendation, by=SITI), r.OtherRole),
    (opd("traffic"), replace(BEHALF, letter=""), r.LetterNeeded),
    (opd("traffic"), give(c.GiveRecommendation, note="Lain"), r.StageAlreadyCompleted),
    # Originals: nothing uploaded for it, some still open, another scan since.
    (opd("match"), give(c.MatchOriginal, requirement="lain"), r.NoSuchScan),
    (opd("match"), give(c.MismatchOriginal, requirement="lain"), r.NoSuchScan),
    ([*opd("match"), MATCHED[0]], FINISH, r.OriginalsNotMatched),
    ([*opd("match"), *MATCHED, MISMATCHED], FINISH, r.OriginalsNotMatched),
    (
        [*opd("match"), *MATCHED],
        replace(FINISH, scans=(c.Scan(requirement="ktp", sha256="baru"),)),
        r.OriginalsNotMatched,
    ),
    (opd("entry"), give(c.MatchOriginal), r.OtherStage),
    # Hands: not a leader, a stranger, somebody without the role, a stage that is over or nobody's.
    (at("verify"), give(c.ReassignStage, by=BUDI), r.OtherRole),
    ([*at("verify"), ASSIGNED], give(c.ReassignStage, by=SITI, to=BUDI), r.OtherRole),
    ([*at("verify"), ASSIGNED], give(c.ReassignStage, by=BUDI, to=None), r.OtherRole),
    (at("verify"), give(c.ReassignStage, to=LOKET), r.UnsuitableOfficer),
    (at("verify"), give(c.ReassignStage, to=replace(BUDI, office="lain")), r.UnsuitableOfficer),
    (at("survey"), give(c.ReassignStage), r.StageAlreadyCompleted),
    (at("verify"), give(c.ReassignStage, stage="survey"), r.OtherStage),
    (at("pay"), give(c.ReassignStage, stage="pay"), r.OtherStage),
    ([*at("verify"), REJECTED], give(c.ReassignStage), r.PermitAlreadyClosed),
    ([*at("verify"), ASSIGNED], give(c.CompleteStage, by=BUDI), r.OtherOfficer),
    # Complaints.
    ([], give(c.FileComplaint), r.PermitNotOpened),
    ([*at("verify"), COMPLAINED], give(c.FileComplaint, text="Lain"), a.ComplaintAlreadyFiled),
    ([*at("verify"), *MANY], give(c.FileComplaint), a.TooManyComplaints),
    (at("verify"), give(c.AnswerComplaint), a.UnknownComplaint),
    (
        [*at("verify"), COMPLAINED, ANSWERED],
        give(c.AnswerComplaint, answer="Lain"),
        a.ComplaintAlreadyAnswered,
    ),
    ([*at("verify"), COMPLAINED], give(c.AnswerComplaint, by=SITI), r.OtherRole),
    # Revocation.
    (at("sign"), give(c.AnnounceRevocation), a.NotInForce),
    (at("closed"), give(c.AnnounceRevocation, effective_on=TODAY), a.RevocationNotAhead),
    (at("closed"), give(c.AnnounceRevocation, by=LEADER), r.OtherRole),
    (
        [*at("closed"), ANNOUNCED],
        give(c.AnnounceRevocation, reason="Lain"),
        a.RevocationAlreadyAnnounced,
    ),
    (at("closed"), give(c.LiftRevocation), a.NoRevocationAnnounced),
    (
        [*at("closed"), ANNOUNCED, LIFTED],
        give(c.LiftRevocation, reason="Lain"),
        a.NoRevocationAnnounced,
    ),
    ([*at("closed"), ANNOUNCED, REVOKED], give(c.LiftRevocation), r.PermitAlreadyClosed),
    ([*at("closed"), EXPIRED], give(c.AnnounceRevocation), r.PermitAlreadyClosed),
    # Renewal.
    (at("sign"), give(c.RenewPermit), a.NotInForce),
    ([*at("closed"), EXPIRED], give(c.RenewPermit), r.PermitAlreadyClosed),
    (
        [*at("closed"), RENEWED],
        give(c.RenewPermit, renewed_by="CTH-2030-000002"),
        r.PermitAlreadyClosed,
    ),
    ([], give(c.RenewPermit), r.PermitNotOpened),
    ([*at("closed"), REVOKED], give(c.WithdrawPermit), r.PermitAlreadyClosed),
]


@pytest.mark.parametrize(("events", "command", "refusal"), REFUSED)
def test_it_is_refused(events: list[Any], command: Any, refusal: type[JejakError]) -> None:
    history(*events).when(command).then_refused(refusal)


def test_an_agency_may_speak_for_itself_before_the_office_marks_it_as_ready() -> None:
    own = give(c.GiveRecommendation, stage="traffic", by=replace(DINAS, agency="belum"))
    history(*opd("traffic")).when(own).then(
        replace(RECOMMENDED, stage="traffic", agency="belum"),
        done("traffic", "recommended"),
        started("entry", "verifier"),
    )


def test_what_was_given_to_the_counter_is_ended_there_though_the_agency_became_ready() -> None:
    ready = tuple(agency | {"ready": True} for agency in NOT_READY)
    sop = prepare(permit_type(*OPD), office(agencies=ready))
    history(*opd("traffic")).when(replace(BEHALF, sop=sop)).then(*TRAFFIC)
    # The next permit goes to the agency at once.
    history(*opd("health")).when(give(c.GiveRecommendation, sop=sop)).then(
        *HEALTH[:-1], started("traffic", "agency")
    )


def test_who_stands_in_works_on_what_was_given_to_the_absent_and_may_give_it_back() -> None:
    deputy = replace(BUDI, stands_in=frozenset({"siti"}))
    assigned = history(*at("verify"), ASSIGNED)
    assigned.when(give(c.CompleteStage, by=deputy)).then(
        done("verify", note="Lengkap"), started("survey", "surveyor")
    )
    assigned.when(give(c.ReassignStage, by=deputy, to=None)).then(GIVEN_BACK)


def test_what_is_given_to_somebody_who_is_away_goes_to_the_deputy() -> None:
    command = give(c.ReassignStage, deputy=BUDI)
    history(*at("verify")).when(command).then(replace(ASSIGNED, assignee="budi"))


def test_a_mismatch_before_the_signature_can_return_the_permit_to_the_applicant() -> None:
    early = prepare(permit_type(*(entry for entry in (OPD[4], OPD[3], OPD[5]))), office())
    assert [stage.id for stage in early.stages] == ["match", "sign", "hand"]
    opened = history().when(opening(early, permit_type="izin"))
    story = opened.then(OPD_OPENING[0], started("match", "counter"))
    differs = story.when(give(c.MismatchOriginal, sop=early)).then(MISMATCHED)
    differs.when(give(c.ReturnPermit, sop=early, stage="match", reason="KTP")).then(
        e.PermitReturned(**about(stage="match", reason="KTP"))
    )


def test_signing_again_on_another_day_changes_nothing() -> None:
    signed = history(*opd("sign")).when(give(c.SignPermit, sop=OPD_SOP)).then(*OPD_SIGNING)
    tomorrow = give(c.SignPermit, sop=OPD_SOP, today=date(2026, 1, 6))
    signed.when(tomorrow).then_nothing()


def test_a_permit_without_hand_over_is_in_force_when_it_is_signed() -> None:
    sop = prepare(permit_type(OPD[2], OPD[3]), office())
    story = history().when(opening(sop, permit_type="izin"))
    signed = story.then(OPD_OPENING[0], started("entry", "verifier")).after
    done_with = DECIDER.fold([*signed.history, *at_time([done("entry"), OPD_SIGNING[1]])])
    assert isinstance(done_with, InForce)


@properties(st.integers(1, 30), st.integers(0, 60 * 24 * 20))
def test_a_complaint_is_answered_within_so_many_working_days(days: int, minute: int) -> None:
    now = local(5, 8).replace(tzinfo=local(5, 8).tzinfo)
    command = give(c.FileComplaint, days=days, now=CALENDAR.add(now, minute % 4800))
    filed = history(*at("verify")).when(command).decided()[0]
    assert isinstance(filed, e.ComplaintFiled)
    until = type(now).fromisoformat(filed.answer_by)
    assert CALENDAR.minutes_between(command.now, until) == days * 480


ENDS: list[tuple[Any, type[Any]]] = [(REVOKED, Closed), (EXPIRED, Closed), (RENEWED, Closed)]


@pytest.mark.parametrize(("event", "state"), ENDS)
def test_a_permit_in_force_ends_by_a_fact_whether_or_not_it_was_collected(
    event: Any, state: type[Any]
) -> None:
    for place in ("hand", "closed"):
        assert isinstance(DECIDER.fold(at_time([*at(place), event])), state)


def test_what_happens_around_the_decision_is_remembered() -> None:
    notice = e.PermitExpiryNoticed(
        **about(office="contoh", number="-", valid_until="2031-01-05", days=60)
    )
    deemed = e.PermitDeemedGranted(**about(office="contoh", number="-", due_at="-"))
    late = e.ComplaintOverdue(**about(office="contoh", complaint_id="keluhan-1"))
    story = [*at("closed"), COMPLAINED, late, ANSWERED, deemed, notice, ANNOUNCED, EXPIRED]
    state = DECIDER.fold(at_time(story))
    assert isinstance(state, Closed)
    file = state.file
    assert (file.deemed, file.noticed, file.expired) == (True, frozenset({60}), True)
    assert file.revocation == ANNOUNCED
    assert [(c.overdue, c.answered) for c in file.complaints] == [(True, ANSWERED)]
    assert file.recommendations == ()
    assert SOP.validity is None
    assert DECIDER.fold(at_time([*opd("entry")])).file.recommendations == (RECOMMENDED, ON_BEHALF)  # type: ignore[union-attr]
