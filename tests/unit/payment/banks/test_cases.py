"""Each row of the specification's table of cases, through HTTP against the running service.

A test has its row's name. The rows about amounts are in ``test_amounts.py``; what only a settlement
file can bring about is tested with the files.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from deploy.wiring import open_store
from services.payment.banks.ledger import BESIDE
from services.payment.bill import Paid, bill_stream
from shared.contracts.payment import PaymentReceived
from tests.bank_partner import JAKARTA, VA_PATH, Partner, digits, tight
from tests.unit.payment.banks.kit import AMOUNT, Account, Desk, open_desk, repair_at
from tests.unit.payment.banks.legacy_kit import owe, pay_at, tell, teller_headers

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAYMENT = f"{VA_PATH}/payment"
SKEWED = "bank_clock_skew"


async def skews(desk: Desk) -> float:
    """Return how many calls were turned away for their clock, as the metrics tell."""
    told = (await desk.office.http.get("/metrics")).text
    found = re.search(r'^jejak_bank_calls_refused_total\{reason="skew"\} (\S+)', told, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def refused_then_taken(account: Account, broken: Partner, code: str) -> None:
    """Show that a refused call consumed nothing: its external id still serves."""
    external_id = digits()
    assert (await account.pay(broken, external_id))["responseCode"] == code
    assert await account.types() == ["BillIssued"]
    taken = await account.pay(await account.desk.partner(), external_id)
    assert taken["responseCode"] == "2002500"


async def test_bad_signature(desk: Desk, account: Account) -> None:
    await refused_then_taken(account, await desk.partner(secret="another"), "4012500")


async def test_unknown_client(desk: Desk, account: Account) -> None:
    stranger = await desk.partner(partner_id="NOBODY")
    await refused_then_taken(account, stranger, "4012500")
    unknown = Partner(desk.office.http, desk.key, "", "nobody", "NOBODY")
    assert (await unknown.sign_in())["responseCode"] == "4017300"


async def test_a_token_of_another_client(desk: Desk, account: Account) -> None:
    other = await desk.partner("closed")
    borrowed = await desk.partner()
    borrowed.token = other.token
    await refused_then_taken(account, borrowed, "4012500")
    borrowed.token = "made-up"
    assert (await account.pay(borrowed))["responseCode"] == "4012501"


async def test_tampered_body(desk: Desk, account: Account) -> None:
    partner, external_id = await desk.partner(), digits()
    cheap = tight(account.body(partner, paidAmount={"value": "1.00", "currency": "IDR"}))
    headers = partner.headers("POST", PAYMENT, cheap, external_id)
    forged = cheap.replace(b'"1.00"', b'"240000.00"')
    answer = await desk.office.http.post(PAYMENT, content=forged, headers=headers)
    assert answer.json()["responseCode"] == "4012500"
    assert (await account.pay(partner, external_id))["responseCode"] == "2002500"


@pytest.mark.parametrize("minutes", [-6, 6], ids=["slow", "fast"])
async def test_clock_skew_over_300_s_either_way(desk: Desk, account: Account, minutes: int) -> None:
    partner = await desk.partner()
    partner.shift = timedelta(minutes=minutes)
    before = await skews(desk)
    with capture_logs() as logs:
        await refused_then_taken(account, partner, "4012500")
    assert await skews(desk) == before + 1
    alerts = [(one["log_level"], one["partner"]) for one in logs if one["event"] == SKEWED]
    assert alerts == [("error", "bank-snap")]
    partner.shift = timedelta(seconds=200 if minutes > 0 else -200)
    assert (await account.ask(partner, "status"))["responseCode"] == "2002600"


async def test_verbatim_replay_inside_the_window(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    raw = tight(account.body(partner))
    headers = partner.headers("POST", PAYMENT, raw)
    http = desk.office.http
    first = (await http.post(PAYMENT, content=raw, headers=headers)).json()
    again = (await http.post(PAYMENT, content=raw, headers=headers)).json()
    assert (first["responseCode"], again["responseCode"]) == ("2002500", "4042518")
    assert again["virtualAccountData"] == first["virtualAccountData"]
    assert await account.types() == ["BillIssued", "PaymentReceived"]


async def test_advice_with_the_same_request_and_a_new_external_id(
    desk: Desk, account: Account
) -> None:
    partner = await desk.partner()
    sent = account.body(partner)
    first = await account.pay(partner, **sent)
    advice = await account.pay(partner, **sent | {"flagAdvise": "Y"})
    assert advice == first
    assert advice["virtualAccountData"]["paymentFlagStatus"] == "00"
    assert await account.types() == ["BillIssued", "PaymentReceived"]


async def test_same_external_id_other_payment_request_id(desk: Desk, account: Account) -> None:
    partner, external_id = await desk.partner(), digits()
    await account.pay(partner, external_id)
    other = await account.pay(partner, external_id, paymentRequestId="ANOTHER")
    assert other["responseCode"] == "4092500"


async def test_same_payment_request_id_other_amount(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    first = await account.pay(partner)
    other = await account.pay(partner, paidAmount={"value": "1.00", "currency": "IDR"})
    assert other["responseCode"] == "4042518"
    assert other["virtualAccountData"] == first["virtualAccountData"]
    assert (await account.types())[1:] == ["PaymentReceived", "PaymentContradicted"]


async def test_same_payment_request_id_other_va(desk: Desk, account: Account) -> None:
    partner, neighbour = await desk.partner(), await desk.bill()
    first = await account.pay(partner)
    other = await neighbour.pay(partner, paymentRequestId=f"REQ-{account.registration}")
    assert other["responseCode"] == "4042518"
    assert other["virtualAccountData"] == first["virtualAccountData"]
    assert await neighbour.types() == ["BillIssued"]
    assert (await account.types())[1:] == ["PaymentReceived", "PaymentContradicted"]


async def test_two_copies_at_the_same_instant(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    raw = tight(account.body(partner))
    headers = partner.headers("POST", PAYMENT, raw)
    http = desk.office.http
    answers = await asyncio.gather(
        *(http.post(PAYMENT, content=raw, headers=headers) for _ in range(8))
    )
    found = [answer.json() for answer in answers]
    assert {answer["responseCode"] for answer in found} <= {"2002500", "4042518"}
    assert {answer["virtualAccountData"]["paymentFlagStatus"] for answer in found} == {"00"}
    assert await account.types() == ["BillIssued", "PaymentReceived"]


async def test_callback_before_the_bill_exists_snap(desk: Desk) -> None:
    partner = await desk.partner()
    early = Account(desk, "bogor", "BOG-2026-900001", "1234500126900001" + "0")
    assert (await early.pay(partner))["responseCode"] == "4042512"
    assert (await early.ask(partner))["responseCode"] == "4042412"


@pytest.mark.parametrize("dialect", ["va", "qris"])
async def test_callback_before_the_bill_exists_is_parked_and_retried(
    desk: Desk, dialect: str
) -> None:
    early = owe(desk, "mataram")
    pay_at(desk.bank, early, dialect)
    answer = await tell(early, dialect)
    assert answer.json()["response_code"] == "0000"
    assert await early.types() == []
    await early.assess()
    await early.until_has("PaymentReceived")
    state = await early.state()
    assert isinstance(state, Paid)
    assert (state.payment.source, state.payment.amount) == ("inquiry", AMOUNT)


@pytest.mark.parametrize("value", ["239999.00", "240001.00", "240000.50"])
async def test_under_or_over_payment_on_a_closed_va(
    desk: Desk, account: Account, value: str
) -> None:
    amount = {"value": value, "currency": "IDR"}
    answer = await account.pay(await desk.partner(), paidAmount=amount)
    assert answer["responseCode"] == "4042513"
    assert answer["virtualAccountData"]["paymentFlagStatus"] == "01"
    assert await account.types() == ["BillIssued"]


@pytest.mark.parametrize("dialect", ["va", "qris"])
@pytest.mark.parametrize("amount", [AMOUNT - 1, AMOUNT + 1])
async def test_under_or_over_payment_that_already_landed(
    desk: Desk, dialect: str, amount: int
) -> None:
    account = await desk.bill("mataram")
    pay_at(desk.bank, account, dialect, amount)
    await tell(account, dialect)
    await account.until_has("PaymentSetAside")
    assert await account.types() == ["BillIssued", "PaymentSetAside"]


async def test_after_expiry(desk: Desk, account: Account) -> None:
    late = (datetime.now(JAKARTA) + timedelta(days=32)).isoformat(timespec="seconds")
    answer = await account.pay(await desk.partner(), trxDateTime=late)
    assert answer["responseCode"] == "4042519"
    assert await account.types() == ["BillIssued"]


async def test_after_expiry_that_already_landed(desk: Desk, account: Account) -> None:
    late = datetime.now(JAKARTA) + timedelta(days=32)
    body = {"status_bayar": "1", "ntb": digits(), "total_bayar_bjb": str(AMOUNT)}
    body["tgl_bayar"] = late.strftime("%d/%m/%Y %H:%M:%S")
    path = f"/webhooks/bank/bank-teller/invoice/update/{account.number}"
    answer = await desk.office.http.put(path, json=body, headers=teller_headers())
    assert answer.json()["status_bayar"] == "dicatat"
    assert await account.types() == ["BillIssued", "PaymentSetAside"]


async def test_second_payment_through_another_channel(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    await account.pay(partner)
    second = await account.pay(partner, paymentRequestId=f"SECOND-{account.registration}")
    assert second["responseCode"] == "4042514"
    assert (await account.ask(partner))["responseCode"] == "4042414"
    assert await account.types() == ["BillIssued", "PaymentReceived"]
    pay_at(desk.bank, account, "qris")
    await tell(account, "qris")
    await account.until_has("DuplicatePaymentFound")
    assert (await account.types()).count("PaymentReceived") == 1


async def test_crash_after_commit_before_the_reply(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    raw = tight(account.body(partner))
    headers = partner.headers("POST", PAYMENT, raw)
    url = httpx.URL(desk.office.address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = [f"POST {PAYMENT} HTTP/1.1", f"host: {url.host}", f"content-length: {len(raw)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
    # The line breaks while the answer is on its way, and what was said is forgotten too.
    await account.until_has("PaymentReceived")
    writer.close()
    del reader
    await forget_answers(desk)
    sent = account.body(partner) | {"flagAdvise": "Y"}
    answer = await account.pay(partner, **sent)
    assert answer["responseCode"] == "2002500"
    assert answer["virtualAccountData"]["paymentFlagStatus"] == "00"
    assert await account.types() == ["BillIssued", "PaymentReceived"]


async def forget_answers(desk: Desk) -> None:
    """Lose what the ledger holds, as a crash before its write would."""
    database = desk.office.running.databases["payment"].beside(BESIDE)
    await asyncio.sleep(0.1)
    await database.transaction(
        lambda tx: tx.execute("UPDATE bank_payment_requests SET status = 0, data = ''")
    )


async def test_store_down(
    tmp_path_factory: pytest.TempPathFactory, many_machines: dict[str, Any]
) -> None:
    async with open_desk(tmp_path_factory.mktemp("down"), **many_machines) as desk:
        account, partner = await desk.bill(), await desk.partner()
        kernel = desk.office.running.kernel
        await kernel.store.close()
        answer = await account.pay(partner)
        assert answer["responseCode"] == "5002500"
        store = await open_store(kernel.settings)
        try:
            found = await store.read_stream(bill_stream(account.application))
            assert [one.type for one in found] == ["BillIssued"]
        finally:
            await store.close()


async def test_reversal(desk: Desk, account: Account) -> None:
    partner = await desk.partner()
    sent = account.body(partner)
    assert (await account.pay(partner, **sent))["responseCode"] == "2002500"
    for _ in range(2):
        answer = (await partner.call("reversal", sent)).json()
        assert answer["responseCode"] == "2002900"
    assert (await account.types()).count("PaymentReversed") == 1
    # The bill is owed again, and another payment may come.
    assert (await account.ask(partner))["responseCode"] == "2002400"
    again = await account.pay(partner, paymentRequestId=f"AGAIN-{account.registration}")
    assert again["responseCode"] == "2002500"


async def test_callback_lost_but_in_the_banks_own_report(desk: Desk, account: Account) -> None:
    said = {
        "paymentRequestId": f"REQ-{account.registration}",
        "paidAmount": {"value": f"{AMOUNT}.00", "currency": "IDR"},
        "trxDateTime": datetime.now(JAKARTA).isoformat(timespec="seconds"),
        "referenceNo": digits(),
    }
    desk.bank.paid[account.number] = said
    # Yesterday was read when the office opened; a day later, today is.
    await repair_at(desk, timedelta(days=1))
    state = await account.state()
    assert isinstance(state, Paid)
    assert isinstance(state.payment, PaymentReceived)
    assert state.payment.source == "inquiry"
    late = await account.pay(await desk.partner(), referenceNo=said["referenceNo"])
    assert late["responseCode"] == "2002500"
    assert (await account.types()).count("PaymentReceived") == 1
