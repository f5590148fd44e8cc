"""Pilot, channels, renewal, and the hand-over to the office with authority."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.intake.application import DECIDER
from services.intake.commands import Authority
from services.intake.refusals import (
    BeyondAuthority,
    ChannelClosed,
    CounterOnly,
    NotOnlineYet,
    OtherOffice,
)
from services.intake.states import Submitted
from shared.contracts.intake import ApplicationForwarded
from shared.errors import KeyReused
from tests.spec import given
from tests.unit.intake.house import House, open_house
from tests.unit.intake.samples import (
    CORRECT,
    CORRECTED,
    COUNTER,
    ELSEWHERE,
    REGISTER,
    REGISTERED,
    REOPENED,
    RETURNED,
    SUBMIT,
    SUBMITTED,
    but,
)

MATARAM = Authority("kota", "mataram")
TO_MATARAM = but(SUBMIT, authority=MATARAM)
FORWARDED = ApplicationForwarded(
    application_id="app-1",
    number="BGR-2026-000001",
    from_office="bogor",
    office="mataram",
    level="kota",
    reason="authority",
)
CAPITALS = {
    "business-name": "Warung Contoh",
    "business-address": "Jl. Contoh 2",
}


def test_it_is_submitted_and_handed_over_in_one_decision() -> None:
    given(DECIDER).when(TO_MATARAM).then(SUBMITTED, FORWARDED)


def test_an_office_that_decides_itself_keeps_it() -> None:
    given(DECIDER).when(but(SUBMIT, authority=Authority("kota", "bogor"))).then(SUBMITTED)


def test_a_level_without_an_office_here_is_named() -> None:
    refused = (
        given(DECIDER)
        .when(but(SUBMIT, authority=Authority("provinsi")))
        .then_refused(BeyondAuthority)
    )
    assert refused.params == {"level": "provinsi"}


def test_submitting_again_hands_nothing_over_again() -> None:
    given(DECIDER, SUBMITTED, FORWARDED).when(TO_MATARAM).then_nothing()


def test_another_application_with_the_same_key_is_no_hand_over() -> None:
    other = but(TO_MATARAM, answers={"business-name": "Lain"})
    given(DECIDER, SUBMITTED, FORWARDED).when(other).then_refused(KeyReused)


def test_only_the_new_office_registers_it_and_as_its_own() -> None:
    history = given(DECIDER, SUBMITTED, FORWARDED)
    history.when(REGISTER).then_refused(OtherOffice)
    there = but(REGISTER, by=ELSEWHERE)
    history.when(there).then(but(REGISTERED, office="mataram"))


def test_a_correction_may_belong_to_another_level() -> None:
    history = given(DECIDER, SUBMITTED, RETURNED)
    history.when(but(CORRECT, authority=MATARAM)).then(CORRECTED, FORWARDED)
    state = given(DECIDER, SUBMITTED, RETURNED, CORRECTED, FORWARDED).state
    assert isinstance(state, Submitted)
    assert (state.file.office, state.file.submission.office) == ("mataram", "bogor")


def test_a_registered_one_stays_where_its_permit_is() -> None:
    history = given(DECIDER, SUBMITTED, REGISTERED, REOPENED)
    history.when(but(CORRECT, authority=MATARAM)).then(CORRECTED)


def test_a_type_not_in_the_pilot_goes_to_the_counter() -> None:
    refused = given(DECIDER).when(but(SUBMIT, online=False)).then_refused(NotOnlineYet)
    assert refused.allowed == ("counter",)
    by_hand = but(SUBMIT, online=False, channel="counter", by=COUNTER)
    given(DECIDER).when(by_hand).then(but(SUBMITTED, channel="counter"))


@pytest.mark.parametrize("channel", ["counter", "email", "phone"])
def test_the_counter_enters_what_comes_another_way_and_it_is_recorded(channel: str) -> None:
    open_to_all = but(SUBMIT, channel=channel, channels=("online", "counter", "email", "phone"))
    given(DECIDER).when(but(open_to_all, by=COUNTER)).then(but(SUBMITTED, channel=channel))
    given(DECIDER).when(open_to_all).then_refused(CounterOnly)
    closed = but(open_to_all, channels=("online",), by=COUNTER)
    assert given(DECIDER).when(closed).then_refused(ChannelClosed).allowed == ("online",)


def test_the_permit_it_renews_is_recorded() -> None:
    renewal = but(SUBMIT, renews="BGR-2021-000042")
    given(DECIDER).when(renewal).then(but(SUBMITTED, renews="BGR-2021-000042"))
    given(DECIDER, SUBMITTED).when(renewal).then_refused(KeyReused)


async def _trade(house: House, office: str, capital: int) -> dict[str, object]:
    documents = []
    for requirement in ("ktp", "npwp", "pas-foto", "neraca", "domisili"):
        sha256 = (await house.application())["documents"][0]["sha256"]
        documents.append({"requirement": requirement, "sha256": sha256, "name": "a.pdf"})
    answers = {**CAPITALS, "capital": capital}
    return await house.submit(
        office=office, permit_type="siup-jakarta", answers=answers, documents=documents
    )


@pytest.mark.parametrize(
    ("office", "capital", "decides", "level"),
    [
        ("menteng-dalam", 50, "tebet", "kecamatan"),
        ("menteng-dalam", 51, "jakarta-selatan", "kota"),
        ("tebet", 10_001, "jakarta", "provinsi"),
        ("jakarta", 10, "tebet", "kecamatan"),
    ],
)
async def test_it_appears_in_the_queue_of_the_office_with_authority(
    tmp_path: Path, office: str, capital: int, decides: str, level: str
) -> None:
    async with open_house(tmp_path) as house:
        accepted = await _trade(house, office, capital)
        assert accepted["office"] == decides
        number = str(accepted["number"])
        there = await house.sign_in(f"loket.{decides}")
        here = await house.sign_in(f"loket.{office}")
        assert number in (await there.get("/pendaftaran")).text
        assert number not in (await here.get("/pendaftaran")).text
        page = (await there.get(f"/pendaftaran/{number}")).text
        assert "Diteruskan" in page
        path = f"/api/applications/{accepted['application_id']}"
        assert (await here.get(path)).status_code == 403
        read = (await there.get(path)).json()
        assert (read["office"], read["came_to"]) == (decides, office)
        registered = await there.post(f"{path}/register", json={})
        assert registered.status_code == 200, registered.text
        recorded = await house.events(str(accepted["application_id"]))
        assert [one.type for one in recorded] == [
            "ApplicationSubmitted",
            "ApplicationForwarded",
            "ApplicationRegistered",
        ]
        event = house.kernel.codec.decode(recorded[-1])
        assert event.office == decides
        assert house.kernel.codec.decode(recorded[1]).level == level
