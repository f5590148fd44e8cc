"""What partners may rely on beyond the table of cases: status, tellers, rotation, limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from services.payment.bill import Paid
from tests.bank_partner import JAKARTA, VA_PATH, digits
from tests.unit.payment.banks.kit import AMOUNT, OLD_SECRET, SECRET, Account, Desk
from tests.unit.payment.banks.legacy_kit import teller_headers

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def many_machines() -> dict[str, Any]:
    """Embedded alone: the table of cases is what both modes are held to."""
    return {}


async def test_the_status_of_a_payment(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    assert (await account.ask(partner, "status"))["responseCode"] == "4042601"
    await account.pay(partner)
    found = await account.ask(partner, "status")
    assert found["responseCode"] == "2002600"
    data = found["virtualAccountData"]
    assert data["paymentFlagStatus"] == "00"
    assert data["paidAmount"] == {"value": f"{AMOUNT}.00", "currency": "IDR"}


async def test_the_secret_before_is_still_good_and_another_is_not(
    desk: Desk, account: Account
) -> None:
    old = await desk.partner(secret=OLD_SECRET)
    assert (await account.ask(old))["responseCode"] == "2002400"
    wrong = await desk.partner(secret=OLD_SECRET + "x")
    assert (await account.ask(wrong))["responseCode"] == "4012400"


async def test_nothing_is_taken_during_the_cut_off_and_nothing_is_used_up(desk: Desk) -> None:
    account = await desk.bill("jakarta")
    partner, external_id = await desk.partner("closed"), digits()
    for _ in range(2):
        answer = await account.pay(partner, external_id)
        assert answer["responseCode"] == "4032506"
    assert (await account.ask(partner))["responseCode"] == "4032406"
    assert await account.types() == ["BillIssued"]


async def test_an_open_amount_is_never_refused(desk: Desk) -> None:
    account = await desk.bill("bontang")
    partner = await desk.partner("open")
    asked = await account.ask(partner)
    assert asked["virtualAccountData"]["virtualAccountTrxType"] == "O"
    little = {"value": "1000.00", "currency": "IDR"}
    answer = await account.pay(partner, paidAmount=little)
    assert answer["responseCode"] == "2002500"
    assert await account.types() == ["BillIssued", "PaymentSetAside"]
    assert await account.pay(partner, paidAmount=little, flagAdvise="Y") == answer


async def test_a_partner_of_another_bank_finds_no_bill(desk: Desk, account: Account) -> None:
    partner = await desk.partner("open")
    body = account.body(await desk.partner())
    answer = (await partner.call("payment", body)).json()
    assert answer["responseCode"] == "4042512"


async def test_a_reversal_before_its_payment_is_remembered(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    sent = account.body(partner)
    assert (await partner.call("reversal", sent)).json()["responseCode"] == "2002900"
    await account.pay(partner, **sent)
    assert await account.types() == ["BillIssued", "UnknownPaymentReversed"]


async def test_the_first_result_outlives_a_reversal(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    sent = account.body(partner)
    first = await account.pay(partner, **sent)
    await partner.call("reversal", sent)
    again = await account.pay(partner, **sent)
    assert again["responseCode"] == "4042518"
    assert again["virtualAccountData"] == first["virtualAccountData"]
    assert (await account.types())[1:] == ["PaymentReceived", "PaymentReversed"]


async def test_a_partner_without_a_reversal_has_none(desk: Desk) -> None:
    account = await desk.bill("bontang")
    partner = await desk.partner("open")
    answer = (await partner.call("reversal", account.body(partner))).json()
    assert answer["responseCode"] == "4042501"


async def test_a_huge_body_is_cut_off(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    body = account.body(partner, additionalInfo={"x": "y" * 300_000})
    assert (await partner.call("payment", body)).status_code == 413
    assert await account.types() == ["BillIssued"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"\xff\xfe{}", b'{"a":\xe9}', b"[" * 50_000, b'"text"', b"null"]
)
async def test_a_body_that_is_no_object_is_a_bad_request(desk: Desk, raw: bytes) -> None:
    partner = await desk.partner()
    answer = (await partner.call("payment", raw)).json()
    assert answer["responseCode"] == "4002500"


async def test_a_channel_that_is_not_the_partners(desk: Desk, account: Account) -> None:
    partner = await desk.partner(channel="00000")
    assert (await account.pay(partner))["responseCode"] == "4002501"


def paid_at_counter(**changes: Any) -> dict[str, Any]:
    given = {
        "ntb": digits(),
        "denda": "0",
        "no_bku": "BKU-1",
        "tgl_bku": "2026-01-06",
        "tgl_bayar": datetime.now(JAKARTA).isoformat(timespec="seconds"),
        "chanel_bayar": "TELLER",
        "status_bayar": "1",
        "total_bayar_bjb": f"{AMOUNT}.00",
    }
    return {name: value for name, value in (given | changes).items() if value is not None}


def invoice(account: Account, partner: str = "bank-teller") -> str:
    return f"/webhooks/bank/{partner}/invoice/{account.number}"


def update(account: Account, partner: str = "bank-teller") -> str:
    return f"/webhooks/bank/{partner}/invoice/update/{account.number}"


async def test_a_teller_asks_and_takes_the_money(desk: Desk, account: Account) -> None:
    http = desk.office.http
    asked = (await http.get(invoice(account), headers=teller_headers())).json()
    assert (asked["jumlah"], asked["status_bayar"]) == (AMOUNT, "belum")
    assert asked["nomor"] == account.registration
    sent = paid_at_counter()
    for _ in range(2):
        answer = await http.put(update(account), json=sent, headers=teller_headers())
        assert answer.json()["status_bayar"] == "lunas"
    state = await account.state()
    assert isinstance(state, Paid)
    assert (state.payment.source, state.payment.reference) == ("teller", sent["ntb"])
    assert await account.types() == ["BillIssued", "PaymentReceived"]
    asked = (await http.get(invoice(account), headers=teller_headers())).json()
    assert asked["status_bayar"] == "lunas"


async def test_a_teller_may_prove_itself_by_a_password(desk: Desk, account: Account) -> None:
    http, path = desk.office.http, invoice(account, "bank-atm")
    assert (await http.get(path, auth=("bank", SECRET))).status_code == 200
    for username, password in (("bank", "guess"), ("other", SECRET), ("", "")):
        assert (await http.get(path, auth=(username, password))).status_code == 403
    assert (await http.get(path, headers={"authorization": "Basic ???"})).status_code == 403
    assert (await http.get(path, headers=teller_headers())).status_code == 403


async def test_an_unproven_teller_changes_nothing(desk: Desk, account: Account) -> None:
    http, sent = desk.office.http, paid_at_counter()
    for headers in ({}, {"X-Api-Key": "guess"}, {"X-Api-Key": ""}):
        assert (await http.put(update(account), json=sent, headers=headers)).status_code == 403
    assert await account.types() == ["BillIssued"]


@pytest.mark.parametrize(
    "changes",
    [
        {"ntb": None},
        {"ntb": "a b"},
        {"ntb": ["1"]},
        {"status_bayar": "0"},
        {"total_bayar_bjb": "1e6"},
        {"total_bayar_bjb": "-1"},
        {"total_bayar_bjb": 240000.0},
        {"total_bayar_bjb": True},
        {"total_bayar_bjb": "0"},
        {"tgl_bayar": "yesterday"},
        {"tgl_bayar": None},
    ],
)
async def test_a_teller_report_that_is_not_complete_is_refused(
    desk: Desk, account: Account, changes: dict[str, Any]
) -> None:
    sent = paid_at_counter(**changes)
    answer = await desk.office.http.put(update(account), json=sent, headers=teller_headers())
    assert answer.status_code == 422
    assert await account.types() == ["BillIssued"]


async def test_a_teller_finds_only_its_own_offices_bills(desk: Desk) -> None:
    elsewhere = await desk.bill("bontang")
    answer = await desk.office.http.get(invoice(elsewhere), headers=teller_headers())
    assert answer.status_code == 404
    assert VA_PATH not in str(answer.url)
