"""The applicant's page on real parts: opened by number and code, and moving by itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.contracts import intake, payment
from shared.ids import derived_id
from tests.examples import example
from tests.running import Office, running_office, settings_in, until
from tests.unit.workflow.office import submitted
from tests.unit.workflow.service import (
    ABOUT,
    APP,
    CODE,
    HTML,
    NUMBER,
    PERMIT,
    basic,
    field,
    frame,
    knock,
    open_permit,
)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["workflow"]) as running:
        yield running


async def test_number_and_code_open_the_page_and_only_them(office: Office) -> None:
    await open_permit(office)
    closed = await office.http.get(f"/lacak/{NUMBER}", headers=HTML)
    assert closed.headers["location"] == f"/lacak?number={NUMBER}"
    assert (await office.http.get(f"/lacak/{NUMBER}/live")).status_code == 404
    wrong, unknown = [
        await knock(office, *pair) for pair in ((NUMBER, "0" * 26), ("BGR-2026-999999", CODE))
    ]
    assert wrong.status_code == unknown.status_code == 404
    same = [
        re.sub(r'(name="csrf_token" )?value="[^"]*"|BGR-2026-\d+', "", answer.text)
        for answer in (wrong, unknown)
    ]
    assert same[0] == same[1]
    assert (await knock(office, "", "")).status_code == 422
    # As people type it: small letters, O for 0, spaces and dashes.
    opened = await knock(office, NUMBER.lower(), " oi23-4567 89abcdefghjkmnpqrs ")
    assert opened.headers["location"] == f"/lacak/{NUMBER}"
    assert CODE not in str(opened.headers)
    page = await office.http.get(f"/lacak/{NUMBER}", headers=HTML)
    assert "Verifikasi berkas" in page.text
    assert "Pemohon Contoh" not in page.text
    again = await office.http.get(f"/lacak?number={NUMBER}", headers=HTML)
    assert again.headers["location"] == f"/lacak/{NUMBER}"


async def test_guessing_codes_ends_soon(office: Office) -> None:
    await open_permit(office)
    page = (await office.http.get("/lacak", headers=HTML)).text
    data = {"number": NUMBER, "code": "x", "csrf_token": field(page, "csrf_token")}
    seen = set()
    for _ in range(11):
        seen.add((await office.http.post("/lacak", data=data, headers=HTML)).status_code)
    assert seen == {404, 429}


async def test_many_applicants_behind_one_address_are_let_in(office: Office) -> None:
    await open_permit(office)
    let_in = {(await knock(office, NUMBER, CODE)).status_code for _ in range(35)}
    assert let_in == {303}


async def test_the_tracking_page_moves_by_itself(office: Office) -> None:
    await open_permit(office)
    await knock(office, NUMBER, CODE)
    async with office.http.stream("GET", f"/lacak/{NUMBER}/live") as stream:
        lines = stream.aiter_lines()
        assert "Verifikasi berkas" in await frame(lines.__anext__)
        answer = await office.http.post(
            f"{PERMIT}/return-permit",
            json={"stage": "verify", "reason": "KTP buram"},
            headers=basic("verifikator"),
        )
        assert answer.status_code == 200
        moved = ""
        while "KTP buram" not in moved:
            moved = await frame(lines.__anext__)
        assert "Menunggu perbaikan" in moved


async def test_a_bill_and_its_payment_appear_on_the_page(office: Office) -> None:
    await open_permit(office)
    for username, action, body in (
        ("verifikator", "complete-stage", {"stage": "verify"}),
        ("survei", "skip-survey", {"stage": "survey", "reason": "-"}),
        ("penilai", "assess-fee", {"stage": "assess-fee", "measures": {"area_m2": 60}}),
    ):
        await office.http.post(f"{PERMIT}/{action}", json=body, headers=basic(username))
    bill = derived_id("bill", APP)
    issued = example(payment.BillIssued, application_id=APP, bill_id=bill, amount=120_000)
    await office.happened(f"bill-{bill}", issued, application=APP)
    await knock(office, NUMBER, CODE)
    page = (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text
    assert "Rp120.000" in page
    assert issued.virtual_account in page
    paid = example(payment.PaymentReceived, application_id=APP, bill_id=bill, amount=120_000)
    await office.happened(f"bill-{bill}", paid, application=APP)

    async def goes_on() -> bool:
        answer = await office.http.get(PERMIT, headers=basic("kepala"))
        return bool(answer.json()["stage"] == "sign")

    await until(goes_on)
    assert "Penandatanganan" in (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text


async def test_an_application_that_is_not_registered_is_tracked_too(office: Office) -> None:
    code_hash = hashlib.sha256(CODE.encode()).hexdigest()
    event = submitted(APP, NUMBER, code_hash=code_hash, **ABOUT)
    await office.happened(f"application-{APP}", event, application=APP)
    assert (await knock(office, NUMBER, CODE)).status_code == 303
    page = (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text
    assert "Loket memeriksa kelengkapan" in page
    withdrawn = intake.ApplicationWithdrawn(application_id=APP, reason="-")
    await office.happened(f"application-{APP}", withdrawn, application=APP)
    page = (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text
    assert "Dibatalkan" in page
