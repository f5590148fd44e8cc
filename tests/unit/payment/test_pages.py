"""What people see of bills, in a payment service that really runs, with the bank beside it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from fastapi import APIRouter

from deploy.bank.page import router as bank_page
from deploy.serve import Running
from shared.contracts.workflow import FeeAssessed, PermitRejected
from shared.ids import derived_id
from shared.web.qr import qr
from tests.running import Office, running_office, settings_in, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
HTML = {"accept": "text/html"}


def with_bank(running: Running) -> Sequence[APIRouter]:
    return [bank_page(running.kernel)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    settings = settings_in(tmp_path_factory.mktemp("pages"), bank_page="/bank")
    async with running_office(settings, ["payment"], with_bank) as running:
        yield running


async def assess(office: Office, number: str, area: int = 120, **changes: object) -> str:
    application = derived_id("case", number)
    given = {
        "application_id": application,
        "number": number,
        "office": "bogor",
        "permit_type": "situ",
        "permit_version": 1,
        "measures": {"area_m2": area},
    }
    fee = FeeAssessed(**{**given, **changes})  # type: ignore[arg-type]
    await office.happened(f"permit-{application}", fee, application=application)
    return application


async def shows(office: Office, path: str, *texts: str) -> str:
    async def page() -> str:
        answer = await office.http.get(path, headers=HTML)
        found = answer.status_code == 200 and all(text in answer.text for text in texts)
        return answer.text if found else ""

    return str(await until(page, what=f"{path} with {texts}"))


async def account_of(office: Office, number: str) -> str:
    bill = await office.http.get(f"/api/bills/{number}")
    return str(bill.json()["virtual_account"])


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_the_bill_shows_calculation_amount_account_and_how_to_pay(office: Office) -> None:
    await assess(office, "BGR-2026-000101")
    page = await shows(office, "/tagihan/BGR-2026-000101?lang=id", "Rp240.000", "120 m² × Rp2.000")
    account = await account_of(office, "BGR-2026-000101")
    assert f">{account}<" in page
    assert f"/bank?va={account}" in page
    assert "Menunggu pembayaran" in page
    assert str(qr(f"{office.address}/tagihan/BGR-2026-000101")) in page
    english = await shows(office, "/tagihan/BGR-2026-000101?lang=en", "Fee per m²")
    assert "Waiting for payment" in english


async def test_the_bill_moves_by_itself_when_the_bank_reports(office: Office) -> None:
    await assess(office, "BGR-2026-000102")
    await shows(office, "/tagihan/BGR-2026-000102?lang=en", "Rp240.000")
    live, account = (
        "/tagihan/BGR-2026-000102/langsung?lang=en",
        await account_of(office, "BGR-2026-000102"),
    )
    async with office.http.stream("GET", live) as stream:
        lines = stream.aiter_lines()
        assert "Waiting for payment" in await frame(lines)
        bank = await office.http.get(f"/bank?va={account}", headers=HTML)
        form = {"csrf_token": token(bank.text), "va": account}
        paid = await office.http.post("/bank?lang=en", data=form, headers=HTML)
        assert "2002500 Successful" in paid.text
        assert "The payment has arrived." in await frame(lines)


async def frame(lines: AsyncIterator[str]) -> str:
    found: list[str] = []
    async for line in lines:
        if not line and found:
            return "\n".join(found)
        if line.startswith("data:"):
            found.append(line)
    raise AssertionError("the stream ended")


async def test_the_bank_repeats_a_payment_and_makes_mistakes_on_purpose(office: Office) -> None:
    await assess(office, "BGR-2026-000103")
    await shows(office, "/tagihan/BGR-2026-000103", "Rp240.000")
    account = await account_of(office, "BGR-2026-000103")
    bank = await office.http.get(f"/bank?va={account}", headers=HTML)
    form = {"csrf_token": token(bank.text), "va": account}
    for fault, code in (("amount", "4042513"), ("signature", "4012400"), ("clock", "4012400")):
        answer = await office.http.post("/bank", data={**form, "fault": fault}, headers=HTML)
        assert code in answer.text
    paid = await office.http.post("/bank", data=form, headers=HTML)
    hidden = dict(
        re.findall(r'type="hidden" name="(request_id|amount)" value="([^"]+)"', paid.text)
    )
    again = await office.http.post("/bank", data={**form, **hidden}, headers=HTML)
    assert "4042518" in again.text


async def test_the_bank_page_refuses_what_is_not_an_account(office: Office) -> None:
    bank = await office.http.get("/bank", headers=HTML)
    form = {"csrf_token": token(bank.text), "va": "<script>"}
    answer = await office.http.post("/bank", data=form, headers=HTML)
    assert answer.status_code == 422


async def test_an_unknown_bill_is_nowhere(office: Office) -> None:
    for path in ("/tagihan/BGR-2026-999999", "/tagihan/BGR-2026-999999/langsung"):
        assert (await office.http.get(path, headers=HTML)).status_code == 404


async def test_bills_as_json_are_for_the_treasurer(office: Office) -> None:
    assert (await office.http.get("/api/bills")).status_code == 401
    await assess(office, "BGR-2026-000104", area=7)
    await shows(office, "/tagihan/BGR-2026-000104", "Rp14.000")
    await office.sign_in("bendahara")
    listed = (await office.http.get("/api/bills?state=open")).json()
    assert "BGR-2026-000104" in [bill["number"] for bill in listed]
    office.http.cookies.clear()


async def test_a_rejected_permit_owes_nothing(office: Office) -> None:
    application = await assess(office, "BGR-2026-000107")
    await shows(office, "/tagihan/BGR-2026-000107?lang=en", "Waiting for payment")
    rejected = PermitRejected(application_id=application, reason="not allowed here")
    await office.happened(f"permit-{application}", rejected, application=application)
    page = await shows(office, "/tagihan/BGR-2026-000107?lang=en", "Cancelled")
    assert "There is nothing to pay" in page
    assert "12345001" not in page
