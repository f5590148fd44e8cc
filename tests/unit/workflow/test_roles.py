"""Who may give which command at which stage: every combination, by role and office."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest

from services.workflow import commands as c
from services.workflow import refusals as r
from services.workflow.guards import possible, unmatched
from services.workflow.permit import DECIDER, decide
from services.workflow.sop import Kind, Sop
from shared.actors import APPLICANT, Actor, Role
from shared.errors import InvalidInput, JejakError, NotAllowed, Refused
from tests.unit.workflow.journey import (
    OPD_PLACES,
    PLACES,
    REVIEWED_PLACES,
    STALL,
    at,
    at_time,
    history,
)
from tests.unit.workflow.kit import (
    ALL_ROLES,
    OPD_SOP,
    REVIEWED_SOP,
    SCANS,
    SITI,
    SOP,
    give,
    officer,
    opening,
)

OFFICER_COMMANDS: tuple[type[Any], ...] = (
    c.CompleteStage,
    c.ScheduleSurvey,
    c.ReportSurvey,
    c.SkipSurvey,
    c.GiveRecommendation,
    c.MatchOriginal,
    c.MismatchOriginal,
    c.AssessFee,
    c.SignPermit,
    c.HandOver,
    c.ReturnPermit,
    c.ReassignStage,
    c.RejectPermit,
    c.ExplainStall,
    c.AnswerComplaint,
    c.AnnounceRevocation,
    c.LiftRevocation,
)
# Contents that no fact of the histories has, so that nothing is a repeat.
NEW: dict[type[Any], dict[str, Any]] = {
    c.CompleteStage: {"note": "Baru"},
    c.ScheduleSurvey: {"on": date(2026, 1, 9)},
    c.SkipSurvey: {"reason": "Baru"},
    c.GiveRecommendation: {"note": "Baru", "letter": "551/9"},
    c.MismatchOriginal: {"reason": "Baru"},
    c.ReassignStage: {"to": None, "reason": "Baru"},
    c.AssessFee: {"measures": {"area_m2": 77}},
    c.SignPermit: {"document_number": "503/9"},
    c.HandOver: {"receiver": "Baru"},
    c.ReturnPermit: {"reason": "Baru"},
    c.RejectPermit: {"reason": "Baru"},
    c.ExplainStall: {"stall_id": STALL},
    c.AnswerComplaint: {"answer": "Baru"},
    c.AnnounceRevocation: {"reason": "Baru"},
    c.LiftRevocation: {"reason": "Baru"},
}
# A stage that is nobody's is given to somebody; everything else is done as ``NEW`` says.
SOMEBODY = {
    Role.VERIFIER: SITI,
    Role.SURVEYOR: officer(Role.SURVEYOR, name="budi"),
    Role.ASSESSOR: officer(Role.ASSESSOR, name="ani"),
    Role.SIGNER: officer(Role.SIGNER, name="kepala"),
    Role.COUNTER: officer(Role.COUNTER, name="loket"),
    Role.AGENCY: replace(officer(Role.AGENCY, name="dinkes"), agency="dinas"),
}
_WORD: set[type[Any]] = {c.CompleteStage, c.ReturnPermit}
# What a procedure's stages are there for, written down a second time.
OWN: dict[Kind, set[type[Any]]] = {
    Kind.VERIFY: _WORD,
    Kind.DATA_ENTRY: _WORD,
    Kind.REVIEW: _WORD,
    Kind.SURVEY: {c.ScheduleSurvey, c.ReportSurvey, c.SkipSurvey, c.ReturnPermit},
    Kind.RECOMMEND: {c.GiveRecommendation, c.ReturnPermit},
    Kind.ASSESS_FEE: {c.AssessFee, c.ReturnPermit},
    Kind.AWAIT_PAYMENT: set(),
    Kind.SIGN: {c.SignPermit, c.ReturnPermit},
    Kind.MATCH_ORIGINALS: {c.MatchOriginal, c.MismatchOriginal, *_WORD},
    Kind.HAND_OVER: {c.HandOver},
}
LEADERS: dict[type[Any], Role] = {
    c.RejectPermit: Role.SIGNER,
    c.AnswerComplaint: Role.SUPERVISOR,
    c.AnnounceRevocation: Role.SIGNER,
    c.LiftRevocation: Role.SIGNER,
}
PROCEDURES: tuple[tuple[Sop, dict[str, list[Any]]], ...] = (
    (SOP, PLACES),
    (OPD_SOP, OPD_PLACES),
    (REVIEWED_SOP, REVIEWED_PLACES),
)
AGENCIES = ("", "dinas", "belum", "lain")


def actors() -> Iterator[Actor]:
    """Every role alone, each agency's officer, and who stands in for one with a stage."""
    for role in Role:
        for agency in AGENCIES if role is Role.AGENCY else AGENCIES[:1]:
            yield replace(officer(role), agency=agency)
    yield replace(officer(Role.VERIFIER, name="wakil"), stands_in=frozenset({"siti"}))
    yield officer()


def matrix() -> Iterator[tuple[str, Sop, Any, Any]]:
    """Yield every place with every command that every actor can give about every stage."""
    for sop, places in PROCEDURES:
        for place, events in places.items():
            state = DECIDER.fold(at_time(events))
            for by in actors():
                for command in OFFICER_COMMANDS:
                    staged = "stage" in command.__dataclass_fields__
                    for stage in sop.stages if staged else sop.stages[:1]:
                        about = {"stage": stage.id} if staged else {}
                        asked = {**NEW.get(command, {}), **about, "sop": sop, "scans": SCANS}
                        file = getattr(state, "file", None)
                        if command is c.ReassignStage and not getattr(file, "assignee", ""):
                            asked["to"] = SOMEBODY.get(stage.role or Role.ADMIN)
                        if command is c.MatchOriginal and file is not None:
                            asked["requirement"] = (*unmatched(file, stage.id, SCANS), "ktp")[0]
                        yield place, sop, state, give(command, by=by, **asked)


def _expected(command: Any, sop: Sop, state: Any) -> bool:
    """Say whether the procedure lets this actor give this command now, about this stage."""
    current = getattr(getattr(state, "file", None), "stage", "")
    offered = type(command).__name__ in possible(state, sop, command.by, SCANS)
    return offered and getattr(command, "stage", current) == current


def _sop_s_own(command: Any, sop: Sop, state: Any) -> bool:
    """Say, by the tables above alone, whether the procedure gives this command to this actor."""
    by, stage = command.by, sop.stage(getattr(command, "stage", ""))
    if type(command) in LEADERS:
        return LEADERS[type(command)] in by.roles
    if type(command) is c.ExplainStall:
        return not by.roles.isdisjoint((Role.VERIFIER, Role.SUPERVISOR))
    if type(command) is c.ReassignStage:
        given = state.file.assignee
        return Role.SUPERVISOR in by.roles or (command.to is None and given in (by.name, "siti"))
    if stage is None or type(command) not in OWN[stage.kind]:
        return False
    if stage.agency is not None:
        return by.agency == stage.agency.id or (
            by.roles == {Role.COUNTER} and bool(getattr(command, "letter", "-"))
        )
    return stage.role in by.roles


def test_exactly_the_possible_commands_are_decided_and_every_refusal_says_what_is_possible() -> (
    None
):
    """For each combination: either it is possible and decided, or it isn't and is refused."""
    wrong: list[tuple[Any, ...]] = []
    seen, decided_kinds = 0, set()
    for place, sop, state, command in matrix():
        seen += 1
        refusal: JejakError | None = None
        try:
            decided = bool(decide(command, state))
        except JejakError as error:
            decided, refusal = False, error
        about = (place, sorted(command.by.roles), type(command).__name__, refusal)
        if decided != _expected(command, sop, state):
            wrong.append(about)
        if decided:
            decided_kinds.add(type(command))
            if not _sop_s_own(command, sop, state):
                wrong.append(about)
        elif refusal is not None:
            typed = isinstance(refusal, NotAllowed | Refused | InvalidInput)
            own = type(refusal) not in (NotAllowed, Refused, InvalidInput)
            allowed = possible(state, sop, command.by, SCANS)
            if not (typed and own and refusal.allowed == allowed):
                wrong.append((*about, refusal.allowed, allowed))
    assert not wrong[:10]
    # The table is not empty where it matters: every command is decided somewhere.
    assert decided_kinds == set(OFFICER_COMMANDS)
    assert seen > 40_000


def test_every_kind_of_stage_and_every_command_is_in_the_table() -> None:
    kinds = {stage.kind for sop, _ in PROCEDURES for stage in sop.stages}
    # A foreign log's stages are nobody's.
    assert set(Kind) - kinds == {Kind.FOREIGN}
    others = {c.OpenPermit, c.FileComplaint, *SYSTEM_COMMANDS}
    assert set(get_args(c.Command)) - others == set(OFFICER_COMMANDS)


@pytest.mark.parametrize("command", OFFICER_COMMANDS)
def test_another_office_and_other_people_may_nothing(command: type[Any]) -> None:
    others = (officer(*Role, office="lain"), APPLICANT, give(c.ResumePermit).by)
    for by in others:
        for place in ("verify", "hand", "closed"):
            refusal = history(*PLACES[place]).when(give(command, by=by)).then_refused(r.OtherOffice)
            assert isinstance(refusal, NotAllowed)
            assert refusal.allowed == ()


SYSTEM_COMMANDS = (
    c.ResumePermit,
    c.WithdrawPermit,
    c.SettleFee,
    c.UnsettleFee,
    c.NudgePermit,
    c.RenewPermit,
    c.RejectOpening,
    c.RejectSettlement,
    c.RejectWithdrawal,
    c.RejectRenewal,
    c.RejectStallReply,
)


@pytest.mark.parametrize("command", SYSTEM_COMMANDS)
def test_nobody_but_the_system_gives_the_system_s_commands(command: type[Any]) -> None:
    for by in (ALL_ROLES, APPLICANT):
        history(*at("pay")).when(give(command, by=by)).then_refused(r.NotForPeople)
        history().when(opening(by=by)).then_refused(r.NotForPeople)


def test_nobody_but_the_applicant_complains() -> None:
    for by in (ALL_ROLES, give(c.ResumePermit).by):
        history(*at("pay")).when(give(c.FileComplaint, by=by)).then_refused(r.OnlyTheApplicant)
