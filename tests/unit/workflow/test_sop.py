"""The workflow section of a permit type: what is prepared, and what is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.workflow.sop import Sops, prepare
from shared.errors import BadConfiguration
from shared.offices import Catalogue
from tests.unit.workflow.kit import FREE_SOP, PAID, SOP, catalogue, office, permit_type, stage

SHIPPED = Path(__file__).resolve().parents[3] / "deploy"
SIGN = stage("sign", "sign", "signer")
ASSESS, PAY = PAID[2], PAID[3]


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
        ([stage("sign", "sign", "signer", survey="never")], "only a survey"),
        ([stage("sign", "sign", "signer", measures=[])], None),
        ([PAY, ASSESS, SIGN], "await_payment comes before assess_fee"),
        ([ASSESS, SIGN, PAY], "sign comes before await_payment"),
        ([ASSESS, SIGN], "belong together"),
        ([PAY, SIGN], "belong together"),
        ([stage("pay", "await_payment", "counter"), SIGN], "nobody works"),
        ([stage("pay", "await_payment", days=1), SIGN], "has no budget"),
        ([stage("opd", "recommend", "verifier", outside=True, days=1), SIGN], "has no budget"),
        ([stage("assess", "assess_fee", "assessor"), PAY, SIGN], "needs the measures"),
        ([stage("hand", "hand_over", "counter"), SIGN], "hand_over comes before sign"),
        ([SIGN, stage("review", "review", "signer")], "must end the procedure"),
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
