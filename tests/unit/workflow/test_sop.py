"""The workflow section of a permit type: what is prepared, and what is refused by name."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.workflow.sop import Sops, Validity, prepare
from shared.actors import Role
from shared.errors import BadConfiguration
from shared.offices import Catalogue
from tests.unit.workflow.kit import (
    FREE_SOP,
    NOT_READY,
    OPD,
    PAID,
    SOP,
    catalogue,
    office,
    permit_type,
    stage,
)

SHIPPED = Path(__file__).resolve().parents[3] / "deploy"
SIGN = stage("sign", "sign", "signer")
ASSESS, PAY = PAID[2], PAID[3]
CHECK, MORE = stage("verify", "verify", "verifier"), stage("review", "review", "signer")
LAST = (stage("late", "data_entry", "counter"), stage("hand", "hand_over", "counter"))


def test_budgets_become_working_minutes_of_the_office() -> None:
    assert [s.budget for s in SOP.stages] == [480, 960, 240, None, 480, None]
    assert SOP.legal == 5 * 480
    half = prepare(permit_type(stage("sign", "sign", "signer", days="0.25")), office())
    assert half.stages[0].budget == 120


def test_stages_are_found_with_what_comes_after() -> None:
    found = SOP.stage("pay")
    assert found is not None
    assert found.waits_for == "payment"
    assert SOP.stage("lain") is None
    assert [s.id for s in SOP.after("pay")] == ["sign", "hand"]
    assert len(SOP.after("")) == 6
    assert SOP.after("lain") == ()
    assert SOP.budget_after("assess") == 480
    assert FREE_SOP.stages[1].survey == "never"


@pytest.mark.parametrize(
    ("stages", "why"),
    [
        ([], "at least 1"),
        ([stage("verify", "verify", "verifier")], "no sign stage"),
        ([SIGN, SIGN], "is there 2 times"),
        ([SIGN, stage("sign2", "sign", "signer")], "only one sign"),
        ([stage("sign", "sign", "presiden")], "role"),
        ([stage("sign", "tanda_tangan", "signer")], "kind"),
        ([stage("sign", "sign")], "sign needs a role"),
        ([stage("sign", "sign", "signer", days=0)], "a number above 0"),
        ([stage("sign", "sign", "signer", days=1, hours=1)], "not both"),
        ([stage("sign", "sign", "signer", survey="never")], "Only a survey"),
        ([stage("sign", "sign", "signer", measures=[])], None),
        ([PAY, ASSESS, SIGN], "await_payment comes before assess_fee"),
        ([ASSESS, SIGN, PAY], "ever reaches: pay"),
        ([ASSESS, SIGN, PAY, LAST[1]], "sign comes before await_payment"),
        ([ASSESS, SIGN], "belong together"),
        ([PAY, SIGN], "belong together"),
        ([stage("pay", "await_payment", "counter"), SIGN], "Nobody works"),
        ([stage("pay", "await_payment", days=1), SIGN], "has no budget"),
        ([stage("opd", "recommend", agency="dinas", outside=True, days=1), SIGN], "has no budget"),
        ([stage("opd", "recommend"), SIGN], "needs the agency"),
        ([stage("opd", "recommend", "verifier", agency="dinas"), SIGN], "remove the role"),
        ([stage("opd", "recommend", agency="lain"), SIGN], "no agency lain. It has: dinas"),
        ([stage("sign", "sign", "agency")], "recommend stages alone"),
        ([stage("sign", "sign", "signer", agency="dinas")], "Only a recommend stage"),
        ([stage("assess", "assess_fee", "assessor"), PAY, SIGN], "needs the measures"),
        ([stage("hand", "hand_over", "counter"), SIGN], "ever reaches: sign"),
        ([SIGN, stage("review", "review", "signer")], "ever reaches: review"),
        ([SIGN, *LAST], "After signing nothing is left"),
        # Explicit successors: to nowhere, in a circle, past a stage, beyond the end.
        ([CHECK | {"next": "lain"}, SIGN], "verify is followed by lain, which is not there"),
        ([CHECK, MORE | {"next": "verify"}, SIGN], "circle: verify → review → verify"),
        ([CHECK | {"next": "sign"}, MORE, SIGN], "ever reaches: review"),
        ([CHECK, SIGN | {"next": "verify"}], "ends with sign: remove its next"),
        ([SIGN, stage("a1", "foreign")], "don't mix"),
        ([stage("sign", "sign", "signer", budget=3)], "not known here"),
    ],
)
def test_a_procedure_that_cannot_be_is_named(stages: list[dict[str, Any]], why: str | None) -> None:
    kind = permit_type(*stages)
    if why is None:
        prepare(kind, office())
        return
    with pytest.raises(BadConfiguration, match=why):
        prepare(kind, office())


def test_stages_are_in_the_order_in_which_a_permit_goes_through_them() -> None:
    kind = permit_type(CHECK | {"next": "sign"}, SIGN | {"next": "hand"}, LAST[1])
    with pytest.raises(BadConfiguration, match="ever reaches"):
        prepare(permit_type(CHECK | {"next": "sign"}, LAST[0], SIGN, LAST[1]), office())
    assert [s.id for s in prepare(kind, office()).stages] == ["verify", "sign", "hand"]
    back = permit_type(CHECK | {"next": "review"}, SIGN, MORE | {"next": "sign"})
    assert [s.id for s in prepare(back, office()).stages] == ["verify", "review", "sign"]


@pytest.mark.parametrize(
    ("validity", "last"),
    [
        ({"years": 5}, date(2029, 2, 28)),
        ({"months": 1}, date(2024, 3, 29)),
        ({"months": 23}, date(2026, 1, 29)),
        ({"days": 1}, date(2024, 3, 1)),
    ],
)
def test_a_permit_holds_for_years_months_or_days(validity: dict[str, int], last: date) -> None:
    kind = permit_type(SIGN, validity=validity, notices=[7, 60])
    sop = prepare(kind, office())
    assert sop.validity is not None
    assert sop.validity.last_day(date(2024, 2, 29)) == last
    assert sop.notices == (60, 7)
    assert SOP.validity is None
    assert SOP.notices == ()


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 599))
def test_a_month_more_never_ends_earlier(signed: date, months: int) -> None:
    shorter, longer = (Validity(months=m).last_day(signed) for m in (months, months + 1))
    assert signed < shorter < longer
    assert longer - shorter <= timedelta(days=31)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"validity": {}}, "exactly one"),
        ({"validity": {"years": 1, "days": 1}}, "exactly one"),
        ({"validity": {"years": 0}}, "above 0"),
        ({"notices": [7, 7]}, "there twice"),
        ({"notices": [0]}, "above 0"),
    ],
)
def test_a_validity_that_cannot_be_is_named(more: dict[str, Any], why: str) -> None:
    with pytest.raises(BadConfiguration, match=why):
        prepare(permit_type(SIGN, **more), office())


def test_an_agency_s_own_officer_recommends_or_the_counter_on_its_behalf() -> None:
    kind = permit_type(*OPD)
    ready, waiting = prepare(kind, office()), prepare(kind, office(agencies=NOT_READY))
    assert [s.role for s in ready.stages[:2]] == [Role.AGENCY, Role.COUNTER]
    assert [s.role for s in waiting.stages[:2]] == [Role.COUNTER, Role.COUNTER]


@pytest.mark.parametrize(
    ("measure", "why"),
    [({"min": 9, "max": 1}, "more than max"), ({"id": "Luas"}, "the expected way")],
)
def test_a_measure_that_cannot_be_is_named(measure: dict[str, Any], why: str) -> None:
    wrong = ASSESS | {"measures": [ASSESS["measures"][0] | measure]}
    with pytest.raises(BadConfiguration, match=why):
        prepare(permit_type(wrong, PAY, SIGN), office())


def test_one_procedure_s_mistake_does_not_touch_another() -> None:
    held = catalogue()
    held.types["salah", 1] = permit_type(PAY, name="salah")
    sops = Sops(held)
    for key in (("contoh", "salah", 1), ("contoh", "izin", 2), ("lain", "izin", 1)):
        with pytest.raises(BadConfiguration):
            sops.of(*key)
    assert sops.of("contoh", "izin", 1) is sops.of("contoh", "izin", 1)


def test_every_shipped_procedure_can_be_prepared() -> None:
    shipped = Catalogue.load(SHIPPED)
    for of in shipped.offices.values():
        for name, version in shipped.types:
            if name in of.permit_types:
                assert Sops(shipped).of(of.id, name, version).stages
