"""The bank's signed calls over real HTTP, against a payment service that really runs.

The calls are made by the demonstration's bank, which has signing code of its own.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.bank.client import JAKARTA, Teller, pay
from deploy.bank.keys import BankKeys, open_keys
from services.payment.bill import bill_stream
from shared.contracts.workflow import FeeAssessed, PermitWithdrawn
from shared.ids import derived_id
from tests.running import Office, running_office, settings_in, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

INQUIRY, PAYMENT = "/v1.0/transfer-va/inquiry", "/v1.0/transfer-va/payment"
_COUNT = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """One bill of Rp240.000 in a running office, and a bank that may pay it."""

    office: Office
    keys: BankKeys
    application: str
    number: str
    account: str

    def body(self, **changes: Any) -> dict[str, Any]:
        """Return a payment as the standard has it."""
        customer = self.account.removeprefix("12345")
        given: dict[str, Any] = {
            "partnerServiceId": "   12345",
            "customerNo": customer,
            "virtualAccountNo": f"   12345{customer}",
            "paymentRequestId": f"REQ-{self.number}",
            "paidAmount": {"value": "240000.00", "currency": "IDR"},
            "trxDateTime": datetime.now(JAKARTA).isoformat(timespec="seconds"),
            "referenceNo": "00113696201",
            "flagAdvise": "N",
        }
        return {name: value for name, value in (given | changes).items() if value is not None}

    async def teller(self, fault: str = "", keys: BankKeys | None = None) -> Teller:
        """Return a signed-in bank."""
        teller = Teller(self.office.http, keys or self.keys)
        await teller.sign_in()
        teller.fault = fault
        return teller

    async def send(
        self, path: str = PAYMENT, external_id: str = "", fault: str = "", **changes: Any
    ) -> dict[str, Any]:
        """Make one call and return its JSON; the HTTP status is checked against the code."""
        teller = await self.teller(fault)
        body = self.body(**changes)
        if path == INQUIRY:
            body["inquiryRequestId"] = body.pop("paymentRequestId")
        answer = await teller.call(path, body, external_id or new_external_id())
        assert str(teller.exchanges[-1].status) == answer["responseCode"][:3]
        return answer

    async def payments(self) -> int:
        """Count the recorded payments of this bill."""
        recorded = await self.office.running.kernel.store.read_stream(bill_stream(self.application))
        return sum(one.type == "PaymentReceived" for one in recorded)


def new_external_id() -> str:
    return f"EXT-{next(_COUNT):010d}"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder = tmp_path_factory.mktemp("payment")
    async with running_office(settings_in(folder, bank_page="/bank"), ["payment"]) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def case(office: Office) -> Case:
    """A bill that was just issued because a fee was assessed."""
    return await assessed(office, await_bill=True)


async def assessed(office: Office, *, await_bill: bool) -> Case:
    kernel = office.running.kernel
    number = f"BGR-2026-{next(_COUNT):06d}"
    application = derived_id("case", number)
    if await_bill:
        fee = FeeAssessed(
            application_id=application,
            number=number,
            office="bogor",
            permit_type="situ",
            permit_version=1,
            measures={"area_m2": 120},
        )
        await office.happened(f"permit-{application}", fee, application=application)

        async def issued() -> str:
            found = await office.http.get(f"/api/bills/{number}")
            return str(found.json()["virtual_account"]) if found.status_code == 200 else ""

        account = await until(issued, what="the bill")
    else:
        account = f"12345001260{next(_COUNT):06d}0"
    data = kernel.settings.data
    keys = await asyncio.to_thread(open_keys, data, kernel.secret("bank"))
    return Case(office, keys, application, number, account)


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
    other = await assessed(case.office, await_bill=True)
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
        case = await assessed(office, await_bill=True)
        await office.running.kernel.store.close()
        assert (await case.send())["responseCode"] == "5002500"


async def _forget(case: Case) -> None:
    database = case.office.running.databases["payment"]
    await database.transaction(lambda tx: tx.execute("DELETE FROM bank_payment_requests"))
