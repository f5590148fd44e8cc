"""The bank's signed calls over real HTTP, against a payment service that really runs.

The calls are made by the demonstration's bank, which has signing code of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.bank.client import JAKARTA, Teller, pay
from deploy.bank.keys import open_keys
from services.payment.banks.ledger import BESIDE
from shared.contracts.workflow import PermitWithdrawn
from tests.running import Office, running_office, settings_in, until
from tests.unit.payment.bank_case import INQUIRY, PAYMENT, Case, assessed, new_external_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_bill_is_asked_for_paid_and_shown_as_paid(case: Case) -> None:
    receipt = await pay(case.office.address, case.account, keys=case.keys)
    assert (receipt.paid, receipt.code, receipt.amount) == (True, "2002500", "240000.00")
    assert await case.payments() == 1
    page = await case.office.http.get(f"/tagihan/{case.number}?lang=en")
    assert "The payment has arrived." in page.text


async def test_an_inquiry_tells_the_amount_and_never_a_name(case: Case) -> None:
    answer = await case.send(INQUIRY)
    data = answer["virtualAccountData"]
    assert answer["responseCode"] == "2002400"
    assert data["totalAmount"] == {"value": "240000.00", "currency": "IDR"}
    assert data["virtualAccountNo"] == f"   {case.account}"
    assert data["virtualAccountTrxType"] == "C"
    assert data["virtualAccountName"] == case.number


@pytest.mark.parametrize("fault", ["signature", "clock"])
async def test_an_unproven_call_changes_and_consumes_nothing(case: Case, fault: str) -> None:
    external_id = new_external_id()
    refused = await case.send(external_id=external_id, fault=fault)
    assert refused["responseCode"] == "4012500"
    assert await case.payments() == 0
    accepted = await case.send(external_id=external_id)
    assert accepted["responseCode"] == "2002500"


async def test_a_changed_body_is_not_what_was_signed(case: Case) -> None:
    teller = await case.teller()
    sent: list[httpx.Request] = []

    async def keep(request: httpx.Request) -> None:
        sent.append(request)

    async with httpx.AsyncClient(
        base_url=case.office.address, event_hooks={"request": [keep]}
    ) as http:
        teller.http = http
        await teller.call(PAYMENT, case.body(paidAmount={"value": "1.00", "currency": "IDR"}), "X")
        headers = {k: v for k, v in sent[-1].headers.items() if k != "content-length"}
        cheaper = sent[-1].content.replace(b'"1.00"', b'"240000.00"')
        answer = await http.post(PAYMENT, content=cheaper, headers=headers)
    assert answer.json()["responseCode"] == "4012500"
    assert await case.payments() == 0


async def test_who_calls_must_be_known_and_hold_a_token(case: Case) -> None:
    stranger = replace(case.keys, partner_id="SOMEBODY")
    answer = await (await case.teller(keys=stranger)).call(PAYMENT, case.body(), new_external_id())
    assert answer["responseCode"] == "4012500"
    teller = await case.teller()
    teller.token = "made-up"
    answer = await teller.call(PAYMENT, case.body(), new_external_id())
    assert answer["responseCode"] == "4012501"


async def test_a_token_needs_the_partners_own_key(case: Case, tmp_path: Path) -> None:
    thief = await asyncio.to_thread(open_keys, tmp_path, case.keys.secret)
    refused = await Teller(case.office.http, thief).sign_in()
    assert refused["responseCode"] == "4017300"
    unknown = replace(case.keys, client_id="nobody")
    refused = await Teller(case.office.http, unknown).sign_in()
    assert refused["responseCode"] == "4017300"
    given = await Teller(case.office.http, case.keys).sign_in()
    assert (given["responseCode"], given["expiresIn"]) == ("2007300", "900")


async def test_missing_headers_are_named(case: Case) -> None:
    answer = await case.office.http.post(PAYMENT, json={})
    assert answer.json() == {
        "responseCode": "4002502",
        "responseMessage": "Invalid Mandatory Field Authorization",
    }


async def test_a_verbatim_replay_hears_the_first_result(case: Case) -> None:
    body, external_id = case.body(), new_external_id()
    first = await case.send(external_id=external_id, **body)
    again = await case.send(external_id=external_id, **body)
    assert (first["responseCode"], again["responseCode"]) == ("2002500", "4042518")
    assert again["virtualAccountData"] == first["virtualAccountData"]
    assert await case.payments() == 1


async def test_advice_gets_the_stored_answer_and_never_already_paid(case: Case) -> None:
    first = await case.send()
    advice = await case.send(flagAdvise="Y", trxDateTime=None)
    assert advice == first
    assert advice["virtualAccountData"]["paymentFlagStatus"] == "00"


async def test_an_external_id_serves_one_request_a_day(case: Case) -> None:
    external_id = new_external_id()
    await case.send(external_id=external_id)
    other = await case.send(external_id=external_id, paymentRequestId="OTHER")
    assert other["responseCode"] == "4092500"


@pytest.mark.parametrize("lost", [False, True], ids=["ledger kept", "ledger lost"])
async def test_a_request_that_contradicts_itself_hears_the_first_result(
    case: Case, lost: bool
) -> None:
    first = await case.send()
    if lost:
        await _forget(case)
    other = await case.send(paidAmount={"value": "1.00", "currency": "IDR"})
    assert other["responseCode"] == "4042518"
    assert other["virtualAccountData"] == first["virtualAccountData"]
    assert await case.payments() == 1


async def test_the_same_request_for_another_account_is_inconsistent(case: Case) -> None:
    other = await assessed(case.office)
    await case.send()
    answer = await other.send(paymentRequestId=f"REQ-{case.number}")
    assert answer["responseCode"] == "4042518"
    assert await other.payments() == 0


async def test_a_lost_answer_is_repeated_from_the_store(case: Case) -> None:
    first = await case.send()
    await _forget(case)
    again = await case.send()
    assert again == first
    assert await case.payments() == 1


async def test_two_copies_at_the_same_instant_are_one_payment(case: Case) -> None:
    body, external_id = case.body(), new_external_id()
    answers = await asyncio.gather(*(case.send(external_id=external_id, **body) for _ in range(8)))
    assert {answer["responseCode"] for answer in answers} <= {"2002500", "4042518"}
    assert {answer["virtualAccountData"]["paymentFlagStatus"] for answer in answers} == {"00"}
    assert await case.payments() == 1


async def test_different_requests_at_the_same_instant_pay_once(case: Case) -> None:
    answers = await asyncio.gather(*(case.send(paymentRequestId=f"R{n}") for n in range(6)))
    codes = sorted(answer["responseCode"] for answer in answers)
    assert codes == ["2002500"] + ["4042514"] * 5
    assert await case.payments() == 1


async def test_a_payment_before_its_bill_is_unknown(office: Office) -> None:
    early = await assessed(office, await_bill=False)
    assert (await early.send())["responseCode"] == "4042512"
    assert (await early.send(INQUIRY))["responseCode"] == "4042412"


async def test_a_payment_after_the_due_date_is_expired_by_the_banks_own_time(case: Case) -> None:
    late = (datetime.now(JAKARTA) + timedelta(days=31)).isoformat(timespec="seconds")
    assert (await case.send(trxDateTime=late))["responseCode"] == "4042519"
    assert await case.payments() == 0


async def test_another_payment_of_a_paid_bill_is_refused(case: Case) -> None:
    await case.send()
    assert (await case.send(paymentRequestId="SECOND"))["responseCode"] == "4042514"
    assert (await case.send(INQUIRY))["responseCode"] == "4042414"


async def test_a_withdrawn_application_owes_nothing(case: Case) -> None:
    withdrawn = PermitWithdrawn(application_id=case.application)
    stream = f"permit-{case.application}"
    await case.office.happened(stream, withdrawn, application=case.application)

    async def cancelled() -> bool:
        bill = await case.office.http.get(f"/api/bills/{case.number}")
        return bool(bill.json()["state"] == "cancelled")

    await until(cancelled, what="the cancelling")
    assert (await case.send(INQUIRY))["responseCode"] == "4042412"
    assert (await case.send())["responseCode"] == "4042512"


async def test_with_the_store_down_nothing_is_said_to_be_paid(tmp_path: Path) -> None:
    async with running_office(settings_in(tmp_path), ["payment"]) as office:
        case = await assessed(office)
        await office.running.kernel.store.close()
        assert (await case.send())["responseCode"] == "5002500"


async def _forget(case: Case) -> None:
    database = case.office.running.databases["payment"].beside(BESIDE)
    await database.transaction(lambda tx: tx.execute("DELETE FROM bank_payment_requests"))
