"""Who is away and who stands in: four cases per command, and what a deputy may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as properties
from hypothesis import strategies as st

from services.workflow import roster as r
from services.workflow.refusals import OtherOffice
from services.workflow.staff import Rosters, Staff
from shared.actors import APPLICANT, Actor, Role
from shared.contracts import workflow as e
from shared.errors import JejakError, StaleScreen
from shared.events import Fact
from shared.identity import Account, Accounts
from shared.ids import new_id
from tests.spec import given
from tests.unit.workflow.kit import NOW, TODAY, officer
from tests.unit.workflow.office import small_office

SITI, BUDI = officer(Role.VERIFIER, name="siti"), officer(Role.VERIFIER, name="budi")
LOKET, LEADER = officer(Role.COUNTER, name="loket"), officer(Role.SUPERVISOR, name="penyelia")
AWAY = e.AbsenceRecorded(
    office="contoh",
    absence_id="a1",
    account="siti",
    deputy="budi",
    first="2026-01-06",
    last="2026-01-09",
    reason="Cuti tahunan",
)
CANCELLED = e.AbsenceCancelled(office="contoh", absence_id="a1")


def record(**changes: Any) -> r.RecordAbsence:
    values: dict[str, Any] = {
        "now": NOW,
        "by": LEADER,
        "office": "contoh",
        "absence_id": "a1",
        "officer": SITI,
        "deputy": BUDI,
        "first": date(2026, 1, 6),
        "last": date(2026, 1, 9),
        "today": TODAY,
        "reason": "Cuti tahunan",
    }
    return r.RecordAbsence(**(values | changes))


def cancel(**changes: Any) -> r.CancelAbsence:
    values: dict[str, Any] = {
        "now": NOW,
        "by": LEADER,
        "office": "contoh",
        "absence_id": "a1",
        "today": TODAY,
    }
    return r.CancelAbsence(**(values | changes))


def other(**changes: Any) -> e.AbsenceRecorded:
    return replace(AWAY, absence_id="a2", **changes)


DECIDED = [
    ([], record(), [AWAY]),
    ([], record(by=SITI), [AWAY]),
    # A supervisor may let somebody with other roles stand in.
    ([], record(deputy=LOKET), [replace(AWAY, deputy="loket")]),
    # An absence that goes on already, one on other days, one that was cancelled.
    ([], record(first=TODAY - timedelta(days=3)), [replace(AWAY, first="2026-01-02")]),
    ([other(first="2026-01-10", last="2026-01-12")], record(), [AWAY]),
    ([AWAY, CANCELLED], record(absence_id="a2"), [replace(AWAY, absence_id="a2")]),
    ([AWAY], cancel(), [CANCELLED]),
    ([AWAY], cancel(by=SITI, today=date(2026, 1, 9)), [CANCELLED]),
]


@pytest.mark.parametrize(("events", "command", "decided"), DECIDED)
def test_it_is_decided_and_repeating_it_decides_nothing(
    events: list[Any], command: Any, decided: list[Any]
) -> None:
    given(r.DECIDER, *events).when(command).then(*decided).again().then_nothing()


REFUSED = [
    ([], record(by=replace(LEADER, office="lain")), OtherOffice),
    ([], record(by=APPLICANT), OtherOffice),
    ([], record(by=BUDI), r.NotYourAbsence),
    ([], record(by=SITI, deputy=LOKET), r.DeputyWithoutRoles),
    ([], record(deputy=SITI), r.OwnDeputy),
    ([], record(deputy=Actor("officer", "tidakada")), r.UnknownColleague),
    ([], record(officer=replace(SITI, office="lain")), r.UnknownColleague),
    ([], record(last=date(2026, 1, 5)), r.BadPeriod),
    ([], record(first=date(2026, 1, 1), last=date(2026, 1, 4)), r.BadPeriod),
    ([], record(last=date(2027, 1, 7)), r.BadPeriod),
    ([AWAY], record(reason="Lain"), r.OtherAbsence),
    ([AWAY], record(absence_id="a2", first=date(2026, 1, 9)), r.AbsenceOverlaps),
    ([other(account="budi", deputy="loket")], record(), r.DeputyAway),
    ([other(account="loket", deputy="siti")], record(), r.StandsIn),
    ([], cancel(), r.UnknownAbsence),
    ([AWAY], cancel(by=BUDI), r.NotYourAbsence),
    ([AWAY], cancel(by=replace(LEADER, office="lain")), OtherOffice),
    ([AWAY], cancel(today=date(2026, 1, 10)), r.AbsenceOver),
]


@pytest.mark.parametrize(("events", "command", "refusal"), REFUSED)
def test_it_is_refused(events: list[Any], command: Any, refusal: type[JejakError]) -> None:
    given(r.DECIDER, *events).when(command).then_refused(refusal)


async def test_two_supervisors_at_once_record_one_absence_each_or_are_told(tmp_path: Path) -> None:
    async with small_office(tmp_path) as made:
        stream = r.stream("contoh")

        async def give(command: Any, seen: int | None = None) -> Any:
            return await made.handler.handle(
                r.DECIDER, stream, command, cause=new_id(), application=stream, seen=seen
            )

        await give(record(), seen=0)
        with pytest.raises(StaleScreen):
            await give(record(absence_id="a2", officer=LOKET), seen=0)
        staff = await Rosters(made.handler, accounts()).staff("contoh", date(2026, 1, 7))
        assert staff.roster.deputy("siti", date(2026, 1, 7)) == "budi"


def accounts() -> Accounts:
    people = (("siti", Role.VERIFIER), ("budi", Role.COUNTER), ("bos", Role.SUPERVISOR))
    return Accounts((Account(name, name, frozenset({role}), "contoh"), "") for name, role in people)


def staff(day: date, *events: Any) -> Staff:
    roster = r.DECIDER.fold(Fact(event, NOW) for event in events)
    return Staff(accounts(), "contoh", roster, day)


def test_a_deputy_has_the_absent_officer_s_roles_on_exactly_those_days() -> None:
    budi = accounts().find("budi")
    assert budi is not None
    for day, away in ((5, False), (6, True), (9, True), (10, False)):
        acting = staff(date(2026, 1, day), AWAY).acting(budi)
        assert (Role.VERIFIER in acting.roles, "siti" in acting.stands_in) == (away, away)
        assert str(acting) == "officer:budi"
    assert staff(date(2026, 1, 7), AWAY, CANCELLED).acting(budi) == budi.actor
    deputy = staff(date(2026, 1, 7), AWAY).deputy("siti")
    assert deputy is not None
    assert deputy.name == "budi"


def test_standing_in_for_a_supervisor_gives_no_authority_over_people() -> None:
    budi = accounts().find("budi")
    assert budi is not None
    acting = staff(date(2026, 1, 7), replace(AWAY, account="bos")).acting(budi)
    assert acting.roles == {Role.COUNTER}


NAMES = ("siti", "budi", "loket")


@properties(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 20), st.integers(0, 9)
        ),
        max_size=8,
    )
)
def test_whatever_is_recorded_everybody_away_has_one_deputy_who_is_there(asked: list[Any]) -> None:
    """No chains: a deputy is never away, so that nobody's work falls to nobody."""
    people = {"siti": SITI, "budi": BUDI, "loket": LOKET}
    state = r.DECIDER.initial
    for number, (name, deputy, start, length) in enumerate(asked):
        first = TODAY + timedelta(days=start)
        command = record(
            absence_id=str(number),
            officer=people[name],
            deputy=people[deputy],
            first=first,
            last=first + timedelta(days=length),
        )
        try:
            decided = r.DECIDER.decide(command, state)
        except JejakError:
            continue
        state = r.DECIDER.fold((Fact(event, NOW) for event in decided), state)
    for offset in range(40):
        day = TODAY + timedelta(days=offset)
        away = list(state.on(day))
        assert len({absence.account for absence in away}) == len(away)
        assert not {absence.account for absence in away} & {absence.deputy for absence in away}
