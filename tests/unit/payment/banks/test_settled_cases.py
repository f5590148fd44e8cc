"""The rows of the specification's table of cases that only a settlement file can bring about.

Like ``test_cases``: through HTTP against the running service, in both modes, named as the rows are.
"""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.payment.bill import Open, Paid
from shared.contracts.payment import PaymentReceived
from tests.bank_partner import JAKARTA, digits
from tests.running import until
from tests.unit.payment.banks.kit import AMOUNT, Account, Desk
from tests.unit.payment.settlement.bank_file import Row, csv_file

pytestmark = pytest.mark.asyncio(loop_scope="module")

BANK = "bank-snap"
_FILE = itertools.count(1)


def day(ago: int = 0) -> date:
    """Return the bank's day so many days ago. Ten of them are past every grace."""
    return datetime.now(JAKARTA).date() - timedelta(days=ago)


async def bring(desk: Desk, *rows: Row) -> list[dict[str, Any]]:
    """Bring a file as the treasurer does; return its lines once each has its class."""
    http = desk.office.http
    await desk.office.sign_in("bendahara")
    content = csv_file(rows, 0, f"cases-{next(_FILE)}")
    answer = await http.post(f"/api/settlement/{BANK}/files", content=content)
    assert answer.status_code == 202, answer.text
    settlement = answer.json()["settlement_id"]

    async def placed() -> list[dict[str, Any]]:
        found = await lines(desk, settlement)
        done = len(found) == len(rows) and all(
            one["name"] and one["why"] != "being-recorded" for one in found
        )
        return found if done else []

    return list(await until(placed, 40, what="the classes of the lines"))


async def lines(desk: Desk, settlement: str) -> list[dict[str, Any]]:
    """Return the lines of a file as the API tells them."""
    answer = await desk.office.http.get(f"/api/settlement/{BANK}/lines?limit=500")
    assert answer.status_code == 200, answer.text
    return [one for one in answer.json() if one["settlement_id"] == settlement]


async def held(desk: Desk, amount: int) -> bool:
    """Say whether the treasurer sees money of this amount in suspense."""
    answer = await desk.office.http.get("/api/treasury/suspense?state=open&limit=500")
    assert answer.status_code == 200, answer.text
    return str(amount) in answer.text


async def test_callback_lost_present_in_the_settlement_file(desk: Desk, account: Account) -> None:
    reference, partner = digits(), await desk.partner()
    (line,) = await bring(desk, Row(AMOUNT, reference, account.number, day()))
    assert line["name"] == "SETTLED_NO_CALLBACK"
    state = await account.state()
    assert isinstance(state, Paid)
    assert isinstance(state.payment, PaymentReceived)
    assert state.payment.source == "settlement"
    # The callback may come after all: it is the same money, and the bank hears that all is well.
    sent = account.body(partner, referenceNo=reference)
    for flag in ("N", "Y", "Y"):
        answer = await account.pay(partner, **sent | {"flagAdvise": flag})
        assert answer["responseCode"] == "2002500"
        assert answer["virtualAccountData"]["paymentFlagStatus"] == "00"
        assert answer["virtualAccountData"]["paymentRequestId"] == sent["paymentRequestId"]
    types = await account.types()
    assert (types.count("PaymentReceived"), types.count("PaymentReported")) == (1, 1)


async def test_callback_never_settled_by_t_plus_n(desk: Desk, account: Account) -> None:
    at = datetime.now(JAKARTA) - timedelta(days=10)
    sent = {"trxDateTime": at.isoformat(timespec="seconds"), "referenceNo": digits()}
    assert (await account.pay(await desk.partner(), **sent))["responseCode"] == "2002500"
    await account.until_has("PaymentDisputed", 40)
    # It comes after all.
    line = Row(AMOUNT, sent["referenceNo"], account.number, day(10))
    assert [one["name"] for one in await bring(desk, line)] == ["MATCHED"]
    await account.until_has("PaymentSettled")


@pytest.mark.parametrize("amount", [AMOUNT - 3, AMOUNT + 3])
async def test_under_or_over_payment_that_settled(
    desk: Desk, account: Account, amount: int
) -> None:
    (line,) = await bring(desk, Row(amount, digits(), account.number, day()))
    assert line["name"] == "AMOUNT_DIFF"
    # The permit is not released, and the money waits for a decision.
    assert isinstance(await account.state(), Open)
    assert (await account.types())[:2] == ["BillIssued", "PaymentSetAside"]
    await until(lambda: held(desk, amount), 20, what="the money in suspense")


async def test_after_expiry_if_settled(desk: Desk, account: Account) -> None:
    (line,) = await bring(desk, Row(AMOUNT, digits(), account.number, day(-40)))
    assert line["name"] == "LATE"
    assert isinstance(await account.state(), Open)
    assert (await account.types())[:2] == ["BillIssued", "PaymentSetAside"]


async def test_second_payment_through_another_channel_if_settled(
    desk: Desk, account: Account
) -> None:
    reference = digits()
    await account.pay(await desk.partner(), referenceNo=reference)
    first = Row(AMOUNT, reference, account.number, day())
    second = Row(AMOUNT, digits(), account.number, day())
    found = await bring(desk, first, second)
    assert [one["name"] for one in found] == ["MATCHED", "DUPLICATE"]
    types = await account.types()
    assert (types.count("PaymentReceived"), types.count("DuplicatePaymentFound")) == (1, 1)
    await until(lambda: held(desk, AMOUNT), 20, what="the money to be given back")


async def test_rp_1_250_000_00_in_a_file_is_exactly_1250000(desk: Desk) -> None:
    row = Row(1_250_000, digits(), on=day(10))
    assert b"Rp 1.250.000,00" in csv_file([row])
    (line,) = await bring(desk, row)
    assert (line["name"], line["amount"]) == ("ORPHAN_CREDIT", 1_250_000)
    await until(lambda: held(desk, 1_250_000), 20, what="the money in suspense")


async def test_reversal_in_the_file(desk: Desk, account: Account) -> None:
    reference = digits()
    await account.pay(await desk.partner(), referenceNo=reference)
    await bring(desk, Row(AMOUNT, reference, account.number, day()))
    back = Row(-AMOUNT, digits(), account.number, day(), reverses=reference)
    rows = [Row(AMOUNT, digits(), on=day(10)), back]
    assert [one["name"] for one in await bring(desk, *rows)] == ["ORPHAN_CREDIT", "REVERSED"]
    assert isinstance(await account.state(), Open)
    assert (await account.types()).count("PaymentReversed") == 1


async def test_near_midnight_posting(desk: Desk, account: Account) -> None:
    late = datetime.combine(day(10), datetime.min.time(), JAKARTA).replace(hour=23, minute=58)
    sent = {"trxDateTime": late.isoformat(timespec="seconds")}
    await account.pay(await desk.partner(), **sent)
    # The line knows no receipt number, and the bank posted it the day after.
    (line,) = await bring(desk, Row(AMOUNT, "", account.number, day(9)))
    assert line["name"] == "MATCHED"
    types = await account.types()
    assert (types.count("PaymentReceived"), types.count("PaymentSettled")) == (1, 1)


async def test_the_same_file_again_adds_nothing(desk: Desk, account: Account) -> None:
    content = csv_file([Row(AMOUNT, digits(), account.number, day())], 0, "again")
    await desk.office.sign_in("bendahara")
    path = f"/api/settlement/{BANK}/files"
    first = (await desk.office.http.post(path, content=content)).json()
    await account.until_has("PaymentSettled")
    before = await account.types()
    assert (await desk.office.http.post(path, content=content)).json() == first
    # A file that comes after it is placed, so the repetition was dealt with before.
    await bring(desk, Row(5_000, digits(), on=day(10)))
    assert await account.types() == before
