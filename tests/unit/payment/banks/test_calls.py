"""Our own calls: bills are announced, doubts are asked about, and a bank's trouble is survived."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.payment.bill import Paid
from shared.contracts.workflow import PermitWithdrawn
from tests.bank_partner import JAKARTA, digits
from tests.running import until
from tests.unit.payment.banks.kit import AMOUNT, Account, Desk, open_desk, repair_at
from tests.unit.payment.banks.legacy_kit import hint, owe, pay_at, tell

pytestmark = pytest.mark.asyncio(loop_scope="module")

VA = "/v1.0/transfer-va"
HTML = {"accept": "text/html"}
SOON = timedelta(minutes=16)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Only here: what is embedded decides nothing about calls that we make ourselves."""
    async with open_desk(tmp_path_factory.mktemp("calls")) as running:
        yield running


async def told(account: Account) -> dict[str, Any]:
    async def there() -> Any:
        return account.desk.bank.accounts.get(account.number)

    return dict(await until(there, what="the announcement"))


async def withdraw(account: Account) -> None:
    event = PermitWithdrawn(application_id=account.application)
    stream, application = f"permit-{account.application}", account.application
    await account.desk.office.happened(stream, event, application=application)
    await account.until_has("BillCancelled")


async def test_a_bill_is_announced_and_taken_away_when_it_ends(desk: Desk) -> None:
    account = await desk.bill()
    said = await told(account)
    assert said["totalAmount"] == {"value": f"{AMOUNT}.00", "currency": "IDR"}
    assert said["virtualAccountName"] == account.registration
    assert said["virtualAccountTrxType"] == "C"
    assert said["expiredDate"].endswith("T23:59:59+07:00")
    await withdraw(account)

    async def gone() -> bool:
        return account.number not in desk.bank.accounts

    await until(gone, what="the taking away")
    assert desk.bank.refused == []


async def test_a_legacy_bank_is_told_of_bills_too(desk: Desk) -> None:
    account = await desk.bill("mataram")
    said = await told(account)
    assert (said["cin"], said["amount"]) == ("54321", str(AMOUNT))
    assert said["customer_name"] == account.registration
    await withdraw(account)

    async def ends_now() -> bool:
        ends = desk.bank.accounts[account.number]["expired_date"]
        return bool(ends <= datetime.now(JAKARTA).strftime("%Y-%m-%d %H:%M:%S"))

    await until(ends_now, what="the ending")


async def test_a_paid_bill_is_not_announced_again_but_a_reversed_one_is(desk: Desk) -> None:
    account, partner = await desk.bill(), await desk.partner()
    await told(account)
    sent = account.body(partner)
    await account.pay(partner, **sent)
    before = len(desk.bank.calls(f"{VA}/update-va"))
    await partner.call("reversal", sent)

    async def updated() -> bool:
        return len(desk.bank.calls(f"{VA}/update-va")) > before

    with pytest.raises(AssertionError):
        # Nothing changed for the bank: the account is as it knows it.
        await until(updated, 1.0)


async def test_an_answer_that_was_lost_makes_no_second_account(desk: Desk) -> None:
    desk.bank.fault = "lost"
    account = await desk.bill()
    await told(account)

    async def updated() -> bool:
        return any(
            one.body["virtualAccountNo"].strip() == account.number
            for one in desk.bank.calls(f"{VA}/update-va")
        )

    await until(updated, 15, what="the second try")
    creates = [
        one
        for one in desk.bank.calls(f"{VA}/create-va")
        if one.body["virtualAccountNo"].strip() == account.number
    ]
    assert len(creates) == 2
    assert len({one.body["trxId"] for one in creates}) == 1


@pytest.mark.parametrize("fault", ["down", "garbage", "redirect"])
async def test_a_bank_in_trouble_holds_up_no_bill(desk: Desk, fault: str) -> None:
    desk.bank.fault = fault
    account = await desk.bill()
    assert (await account.pay(await desk.partner()))["responseCode"] == "2002500"
    other = await desk.bill()
    assert other.number not in desk.bank.accounts
    desk.bank.fault = ""
    await repair_at(desk, timedelta(minutes=10))
    assert other.number in desk.bank.accounts


async def test_a_token_that_ended_early_is_replaced(desk: Desk) -> None:
    await told(await desk.bill())
    desk.bank.fault = "expired"
    before = len(desk.bank.calls("/v1.0/access-token"))
    await told(await desk.bill())
    assert len(desk.bank.calls("/v1.0/access-token")) == before + 1


async def test_an_inquiry_that_no_payment_followed_is_asked_about(desk: Desk) -> None:
    account, partner = await desk.bill(), await desk.partner()
    await account.ask(partner)
    await repair_at(desk, timedelta(minutes=10))
    assert desk.bank.asked_about(account.number) == 0, "it may still be paid"
    desk.bank.paid[account.number] = {
        "paymentRequestId": f"REQ-{account.registration}",
        "paidAmount": {"value": f"{AMOUNT}.00", "currency": "IDR"},
        "trxDateTime": datetime.now(JAKARTA).isoformat(timespec="seconds"),
        "referenceNo": digits(),
    }
    await repair_at(desk, SOON)
    state = await account.state()
    assert isinstance(state, Paid)
    assert state.payment.source == "inquiry"


async def test_a_customer_who_only_looked_is_not_in_doubt_for_ever(desk: Desk) -> None:
    account, partner = await desk.bill(), await desk.partner()
    await account.ask(partner)
    for hours in range(1, 7):
        await repair_at(desk, timedelta(hours=2 * hours))
    asked = desk.bank.asked_about(account.number)
    await repair_at(desk, timedelta(hours=40))
    assert desk.bank.asked_about(account.number) == asked
    assert await account.types() == ["BillIssued"]


async def test_a_bill_that_was_paid_meanwhile_is_not_asked_about(desk: Desk) -> None:
    account, partner = await desk.bill(), await desk.partner()
    await told(account)
    await account.ask(partner)
    await account.pay(partner)
    before = desk.bank.asked_about(account.number)
    await repair_at(desk, SOON)
    assert desk.bank.asked_about(account.number) == before


@pytest.mark.parametrize("dialect", ["va", "qris"])
async def test_a_hint_alone_is_no_payment(desk: Desk, dialect: str) -> None:
    account = await desk.bill("mataram")
    assert (await tell(account, dialect)).status_code == 200

    async def asked() -> bool:
        return any(
            one.method == "GET" for one in desk.bank.received if account.number[5:] in one.path
        )

    await until(asked, what="the question")
    assert await account.types() == ["BillIssued"]
    pay_at(desk.bank, account, dialect)
    await account.until_has("PaymentReceived", 30)
    await tell(account, dialect)
    await repair_at(desk, timedelta())
    assert (await account.types()).count("PaymentReceived") == 1


async def test_a_hint_that_stays_unconfirmed_is_shown_to_people(desk: Desk) -> None:
    account = await desk.bill("mataram")
    await tell(account, "va")
    for hours in range(1, 8):
        await repair_at(desk, timedelta(hours=3 * hours))
    assert await doubted(account) == [("mataram", "hint", 1)]
    http = desk.office.http
    await desk.office.sign_in("bendahara.mataram")
    overview = (await http.get("/bendahara?lang=en", headers=HTML)).text
    assert 'href="/bendahara/masalah" data-doubts="1"' in overview
    assert account.number in (await http.get("/bendahara/masalah", headers=HTML)).text


async def test_what_the_bank_denies_often_enough_is_believed(desk: Desk) -> None:
    account = await desk.bill("mataram")
    await tell(account, "va")
    for hours in range(1, 15):
        await repair_at(desk, timedelta(hours=3 * hours))
    assert await doubted(account) == []
    assert await account.types() == ["BillIssued"]


async def test_money_that_has_no_bill_stays_in_doubt_and_is_shown(desk: Desk) -> None:
    account = owe(desk, "mataram")
    pay_at(desk.bank, account, "va")
    await tell(account, "va")
    for hours in range(1, 15):
        await repair_at(desk, timedelta(hours=3 * hours))
    assert await doubted(account) == [("", "hint", 1)]


async def test_a_payment_that_is_on_record_is_not_asked_about_again(desk: Desk) -> None:
    account = await desk.bill("mataram")
    pay_at(desk.bank, account, "qris")
    await tell(account, "qris")
    await account.until_has("PaymentReceived")
    before = desk.bank.asked_about(account.number)
    for _ in range(5):
        await tell(account, "qris")
        await repair_at(desk, timedelta())
    assert desk.bank.asked_about(account.number) == before


async def doubted(account: Account) -> list[Any]:
    return await account.desk.office.running.databases["payment"].query(
        "SELECT office, reason, alerted FROM bank_doubts WHERE virtual_account = ?",
        (account.number,),
    )


async def test_a_flood_of_hints_makes_no_flood_of_questions(desk: Desk) -> None:
    account = owe(desk, "mataram")
    await account.assess()
    await told(account)
    before = len(desk.bank.received)
    await asyncio.gather(*(tell(account, "va") for _ in range(40)))
    await asyncio.sleep(0.5)
    assert len(desk.bank.received) - before <= 2


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "1"}, 200),
        ({"va_number": "5432100226000000"}, 200),
        ({"va_number": "99999" + "0" * 13}, 200),
        ({"va_number": "'; DROP TABLE bills"}, 422),
        ({"va_number": None}, 422),
        ({"client_refnum": "a b"}, 422),
    ],
)
async def test_a_hint_about_nothing_is_forgotten(
    desk: Desk, changes: dict[str, Any], status: int
) -> None:
    account = owe(desk, "mataram")
    sent = {**hint(account, "va"), **changes}
    answer = await desk.office.http.post("/webhooks/bank/bank-va/va", json=sent)
    assert answer.status_code == status
    rows = await desk.office.running.databases["payment"].query(
        "SELECT 1 FROM bank_doubts WHERE virtual_account IN (?, ?)",
        (account.number, str(changes.get("va_number"))),
    )
    assert rows == []


async def test_a_hint_for_another_dialect_or_partner_finds_nothing(desk: Desk) -> None:
    account = owe(desk, "mataram")
    for path in ("bank-qris/va", "bank-snap/va", "nobody/va", "bank-va/qris"):
        answer = await desk.office.http.post(f"/webhooks/bank/{path}", json=hint(account, "va"))
        assert answer.status_code == 404
