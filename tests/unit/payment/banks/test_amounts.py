"""The rows about amounts in the specification's table of cases, through HTTP."""

from __future__ import annotations

import pytest

from tests.unit.payment.banks.kit import Account, Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_1250000_00_is_exactly_1250000(desk: Desk) -> None:
    account = await desk.bill("bontang")
    partner = await desk.partner("open")
    amount = {"value": "1250000.00", "currency": "IDR"}
    assert (await account.pay(partner, paidAmount=amount))["responseCode"] == "2002500"
    state = await account.state()
    assert [money.amount for money in state.books.moneys] == [1_250_000]


@pytest.mark.parametrize(
    "amount",
    [
        {"value": "1250000", "currency": "IDR"},
        {"value": 1250000.0, "currency": "IDR"},
        {"value": "1e6", "currency": "IDR"},
        {"value": "-1.00", "currency": "IDR"},
        {"value": "240000.00", "currency": "USD"},
        {"value": "٢٤٠٠٠٠.00", "currency": "IDR"},
        {"value": "0240000.00", "currency": "IDR"},
        "240000.00",
    ],
    ids=["no decimals", "a number", "1e6", "negative", "USD", "other digits", "zero", "no object"],
)
async def test_an_amount_written_otherwise_in_snap(
    desk: Desk, account: Account, amount: object
) -> None:
    answer = await account.pay(await desk.partner(), paidAmount=amount)
    assert answer["responseCode"] == "4002501"
    assert await account.types() == ["BillIssued"]
