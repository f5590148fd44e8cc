"""What the bank's calls say: amounts and fields, read leniently and checked strictly."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.payment.bank_case import Case

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("value", ["239999.00", "240001.00", "240000.50", "0.00"])
async def test_only_the_exact_amount_is_taken(case: Case, value: str) -> None:
    answer = await case.send(paidAmount={"value": value, "currency": "IDR"})
    assert answer["responseCode"] == "4042513"
    assert answer["virtualAccountData"]["paymentFlagStatus"] == "01"
    assert await case.payments() == 0


@pytest.mark.parametrize(
    "paid",
    [
        *({"value": value, "currency": "IDR"} for value in ("240000", 240000.0, "2.4e5", "-1.00")),
        {"value": "240000.000", "currency": "IDR"},
        {"value": "٢٤٠٠٠٠.٠٠", "currency": "IDR"},
        {"value": "240000.00", "currency": "USD"},
        "240000.00",
    ],
)
async def test_an_amount_written_otherwise_is_refused(case: Case, paid: object) -> None:
    assert (await case.send(paidAmount=paid))["responseCode"] == "4002501"
    assert await case.payments() == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"customerNo": None}, "4002502"),
        ({"paidAmount": None}, "4002502"),
        ({"paymentRequestId": ""}, "4002502"),
        ({"customerNo": "12x"}, "4002501"),
        ({"virtualAccountNo": "   1234599"}, "4002501"),
        ({"flagAdvise": "M"}, "4002501"),
        ({"trxDateTime": "yesterday"}, "4002501"),
        ({"paymentRequestId": "R" * 129}, "4002501"),
        ({"referenceNo": "a\u0000b"}, "4002501"),
    ],
)
async def test_a_wrong_field_is_named(case: Case, changes: dict[str, Any], code: str) -> None:
    answer = await case.send(**changes)
    assert answer["responseCode"] == code
    assert next(iter(changes)) in answer["responseMessage"]


async def test_numbers_for_strings_are_read_leniently(case: Case) -> None:
    account: dict[str, Any] = {"partnerServiceId": 12345, "virtualAccountNo": case.account}
    assert (await case.send(**account))["responseCode"] == "2002500"
