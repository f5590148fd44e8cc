"""Money in suspense on its page and over the API: two people, one step, and nothing stale."""

from __future__ import annotations

import re

import pytest

from tests.running import Office
from tests.unit.payment.treasury_kit import HTML, REFUND, Till, as_person, fields, first_frame, send

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_refunds_need_two_people_and_a_second_session_is_not_one(
    office: Office, till: Till
) -> None:
    case = await till.suspended()
    asked = await send(office.http, case, "request-refund", **REFUND)
    assert asked.status_code == 303, asked.text
    page = await office.http.get(f"/bendahara/titipan/{case}?lang=en", headers=HTML)
    assert "You asked for this refund yourself." in page.text
    assert "/approve-refund" not in page.text
    async with as_person(office, "bendahara") as again, as_person(office, "penyelia") as other:
        refund = (await again.get(f"/api/treasury/suspense/{case}")).json()["refund_id"]
        own = await again.post(
            f"/api/treasury/suspense/{case}/approve-refund", json={"refund_id": refund}
        )
        assert own.status_code == 403
        assert own.json()["code"] == "same-person"
        assert "DeclineRefund" in own.json()["allowed"]
        approved = await send(other, case, "approve-refund")
        assert approved.status_code == 303
    forgotten = await send(office.http, case, "record-refund-paid", reference="TRF-77")
    assert forgotten.status_code == 422
    today = till.today.isoformat()
    done = await send(office.http, case, "record-refund-paid", reference="TRF-77", paid_on=today)
    assert done.status_code == 303, done.text
    row = await till.shown("refunds", lambda row: row["refund_id"] == refund)
    assert (row["state"], row["requester"], row["approver"]) == (
        "paid",
        "officer:bendahara",
        "officer:penyelia",
    )


async def test_a_double_click_is_one_step_and_a_stale_screen_is_refused(
    office: Office, till: Till
) -> None:
    case = await till.suspended()
    path = f"/bendahara/titipan/{case}"
    page = (await office.http.get(path, headers=HTML)).text
    claim = fields(page, "claim")
    for _ in range(2):
        assert (
            await office.http.post(f"{path}/claim", data=claim, headers=HTML)
        ).status_code == 303
    stale = fields(page, "request-refund") | REFUND
    refused = await office.http.post(f"{path}/request-refund", data=stale, headers=HTML)
    assert refused.status_code == 412
    assert 'value="0012345678"' in refused.text
    assert f'action="{path}/request-refund"' in refused.text
    told = (await office.http.get(f"/api/treasury/suspense/{case}")).json()
    assert (told["state"], told["claimed_by"], told["version"]) == ("held", "bendahara", 2)


async def test_programs_repeat_a_request_and_name_the_version_they_saw(
    office: Office, till: Till
) -> None:
    case = await till.suspended()
    path = f"/api/treasury/suspense/{case}"
    headers = {"idempotency-key": "claim-1", "if-match": '"1"'}
    first, again = [
        (await office.http.post(f"{path}/claim", json={}, headers=headers)).json() for _ in range(2)
    ]
    assert (first["events"], again["events"]) == (["SuspenseClaimed"], [])
    assert first["version"] == again["version"] == 2
    stale = await office.http.post(f"{path}/request-refund", json=REFUND, headers=headers)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-screen")
    for bad, status in (("x", 422), ('"2"', 200)):
        answer = await office.http.post(
            f"{path}/request-refund", json=REFUND, headers={"if-match": bad}
        )
        assert answer.status_code == status
    unsaid = await office.http.post(f"{path}/allocate", json={"number": "BGR-2026-000001"})
    assert unsaid.status_code == 422
    assert unsaid.headers["content-type"].startswith("application/problem+json")


async def test_what_is_missing_in_a_form_is_said_and_nothing_happens(
    office: Office, till: Till
) -> None:
    case = await till.suspended()
    answer = await send(office.http, case, "request-refund", bank="Bank Lain", account_number="x")
    assert answer.status_code == 422
    assert 'id="e-request-refund-account_number"' in answer.text
    assert 'id="e-request-refund-reason"' in answer.text
    unknown = await send(
        office.http, case, "allocate", number="BGR-2026-999999", reason="Milik permohonan ini."
    )
    assert unknown.status_code == 409
    assert (await office.http.get(f"/api/treasury/suspense/{case}")).json()["version"] == 1


async def test_the_auditor_looks_and_does_not_touch_nor_see_whose_account_it_is(
    office: Office, till: Till
) -> None:
    case = await till.suspended()
    await send(office.http, case, "request-refund", **REFUND)
    async with as_person(office, "auditor") as auditor:
        page = (await auditor.get(f"/bendahara/titipan/{case}?lang=en", headers=HTML)).text
        assert "A treasurer or a supervisor decides about it." in page
        assert 'action="/bendahara/titipan/' not in page
        assert REFUND["account_number"] not in page
        assert REFUND["account_holder"] not in page
        assert "•••••••678" in page
        for name in ("claim", "request-refund"):
            answer = await auditor.post(f"/api/treasury/suspense/{case}/{name}", json=REFUND)
            assert answer.status_code == 403
        live = f"/bendahara/titipan/{case}/langsung"
        async with auditor.stream("GET", live) as stream:
            assert REFUND["account_number"] not in await first_frame(stream)
    async with office.http.stream("GET", live) as stream:
        assert REFUND["account_number"] in await first_frame(stream)


async def test_money_that_a_bank_takes_back_leaves_suspense(office: Office, till: Till) -> None:
    bill = await till.bill()
    reference = await till.pay(bill, amount=bill.amount + 1)
    row = await till.shown("suspense", lambda row: row["reference"] == reference)
    assert (row["reason"], row["held"]) == ("overpaid", bill.amount + 1)
    await till.reverse(bill, reference, bill.amount + 1)
    gone = await till.shown("suspense", lambda row: row["state"] == "reversed", search=reference)
    assert gone["held"] == 0


async def test_money_that_pays_another_bill_is_undone_when_the_bank_takes_it_back(
    office: Office, till: Till
) -> None:
    paid_twice, owed = await till.bill(), await till.bill(7)
    await till.pay(paid_twice)
    reference = await till.pay(paid_twice)
    row = await till.shown("suspense", lambda row: row["reference"] == reference)
    assert row["reason"] == "duplicate"
    case = row["suspense_id"]
    used = await send(
        office.http, case, "allocate", number=owed.number.lower(), reason="Satu keluarga."
    )
    assert used.status_code == 303, used.text
    await till.shown("bills", lambda row: row["number"] == owed.number, state="paid")
    rest = (await office.http.get(f"/api/treasury/suspense/{case}")).json()
    assert rest["held"] == paid_twice.amount - owed.amount
    again = await send(
        office.http, case, "allocate", number=paid_twice.number, reason="Salah tagihan."
    )
    assert again.status_code == 409
    await till.reverse(paid_twice, reference)
    await till.shown("bills", lambda row: row["number"] == owed.number, state="open")
    gone = (await office.http.get(f"/api/treasury/suspense/{case}")).json()
    assert (gone["state"], gone["held"], gone["allowed"]) == ("reversed", 0, [])


async def test_a_case_says_whose_bill_it_came_for_and_leads_there(
    office: Office, till: Till
) -> None:
    bill = await till.bill()
    await till.pay(bill, amount=1)
    row = await till.shown("suspense", lambda row: row["number"] == bill.number)
    page = await office.http.get(f"/bendahara/titipan/{row['suspense_id']}?lang=en", headers=HTML)
    assert bill.number in page.text
    trail = re.search(r'href="(/bendahara/jejak/tagihan/[^"]+)"', page.text)
    assert trail is not None
    told = await office.http.get(trail[1], headers=HTML)
    assert told.status_code == 200
    assert bill.number in told.text
