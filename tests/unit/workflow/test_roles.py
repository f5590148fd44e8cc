"""Who may give which command at which stage: every combination, by role and office."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from services.workflow import commands as c
from services.workflow import refusals as r
from services.workflow.guards import possible
from services.workflow.permit import DECIDER, decide
from shared.actors import APPLICANT, Role
from shared.errors import JejakError, NotAllowed
from tests.unit.workflow.journey import (
    PLACES,
    STALL,
    at,
    at_time,
    history,
)
from tests.unit.workflow.kit import (
    ALL_ROLES,
    SOP,
    give,
    officer,
)

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
