"""The settlement's API on a payment service that really runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.running import Office, running_office, settings_in, until
from tests.unit.payment.bank_case import assessed
from tests.unit.payment.settlement.bank_file import (
    Row,
    csv_file,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
# What the sample bill costs, in rupiah.
AMOUNT = 240_000
FILES = "/api/settlement/bank-contoh/files"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    settings = settings_in(tmp_path_factory.mktemp("settlement"))
    async with running_office(settings, ["payment"]) as running:
        yield running


async def brought(office: Office, content: bytes, state: str) -> dict[str, Any]:
    """Bring a file and return what became of it."""
    answer = await office.http.post(FILES, content=content, params={"name": "bank.csv"})
    assert answer.status_code == 202, answer.text
    address = f"/api/settlement/files/{answer.json()['settlement_id']}"

    async def known() -> dict[str, Any]:
        found = await office.http.get(address)
        row: dict[str, Any] = found.json() if found.status_code == 200 else {}
        return row if row.get("state") == state else {}

    row: dict[str, Any] = await until(known, what=f"a file that is {state}")
    return row


async def test_a_line_without_a_callback_pays_the_bill(office: Office) -> None:
    case = await assessed(office)
    await office.sign_in("bendahara")
    rows = [Row(AMOUNT, "NTB-API-1", case.account.strip()), Row(-2_500, "FEE")]
    file = await brought(office, csv_file(rows, 10_000), "accepted")
    assert (file["lines"], file["credits"], file["debits"]) == (2, AMOUNT, 2_500)

    async def paid() -> bool:
        lines = (await office.http.get("/api/settlement/bank-contoh/lines")).json()
        return [line["name"] for line in lines] == ["SETTLED_NO_CALLBACK", "PENDING"]

    await until(paid, what="the line's class")
    bill = (await office.http.get(f"/api/bills/{case.number}")).json()
    assert (bill["state"], bill["reference"]) == ("paid", "NTB-API-1")

    async def proved() -> dict[str, Any]:
        picture = (await office.http.get("/api/settlement/bank-contoh/days/2026-01-06")).json()
        return picture if picture["proved"] and picture["proved"]["digest"] else {}

    picture = await until(proved, what="the day's proof")
    assert picture["proved"]["settled"] == AMOUNT - 2_500


async def test_a_file_that_does_not_balance_says_where(office: Office) -> None:
    await office.sign_in("bendahara")
    content = csv_file([Row(100, "X")]).replace(b"JUMLAH;1", b"JUMLAH;2")
    file = await brought(office, content, "rejected")
    assert (file["reason"], file["line"]) == ("count", 5)
    again = await brought(office, content, "rejected")
    assert again["settlement_id"] == file["settlement_id"]


async def test_a_match_is_refused_for_a_line_that_found_its_place(office: Office) -> None:
    case = await assessed(office)
    await office.sign_in("bendahara")
    rows = [Row(AMOUNT, "NTB-API-2", case.account.strip()), Row(-100, "FEE2")]
    file = await brought(office, csv_file(rows, 10_000, "other"), "accepted")
    address = f"/api/settlement/files/{file['settlement_id']}/lines"

    async def placed() -> bool:
        lines = (await office.http.get("/api/settlement/bank-contoh/lines")).json()
        mine = [line for line in lines if line["settlement_id"] == file["settlement_id"]]
        return [line["name"] for line in mine] == ["SETTLED_NO_CALLBACK", "PENDING"]

    await until(placed, what="the lines' classes")
    said = {"number": case.number, "reason": "the slip says so"}
    refused = await office.http.post(f"{address}/1/match", json=said)
    assert (refused.status_code, refused.json()["code"]) == (409, "settlement-line-not-waiting")
    missing = await office.http.post(f"{address}/99/match", json=said)
    assert missing.json()["code"] == "no-such-settlement-line"
    unnamed = await office.http.post(f"{address}/2/match", json=said)
    assert (unnamed.status_code, unnamed.json()["code"]) == (409, "settlement-original-needed")
    named = said | {"reference": "NTB-API-2"}
    taken = await office.http.post(f"{address}/2/match", json=named)
    assert taken.status_code == 200
    assert taken.json()["position"] > 0


@pytest.mark.parametrize(
    ("who", "status"), [(None, 401), ("loket", 403), ("auditor", 403), ("bendahara", 404)]
)
async def test_only_the_treasurer_brings_files_and_only_of_known_partners(
    office: Office, who: str | None, status: int
) -> None:
    office.http.cookies.clear()
    if who is not None:
        await office.sign_in(who)
    answer = await office.http.post("/api/settlement/no-such-bank/files", content=b"x")
    assert answer.status_code == status
    office.http.cookies.clear()
