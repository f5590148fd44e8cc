"""The demonstration's bank page, used as a person uses it, beside an office that runs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter

from deploy.bank.page import router
from deploy.serve import Running
from tests.running import Office, running_office, settings_in
from tests.unit.payment.bank_case import assessed

pytestmark = pytest.mark.asyncio(loop_scope="module")
HTML = {"accept": "text/html"}


def with_bank(running: Running) -> Sequence[APIRouter]:
    return [router(running.kernel)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    settings = settings_in(tmp_path_factory.mktemp("bank"), bank_page="/bank")
    async with running_office(settings, ["payment"], with_bank) as running:
        yield running


async def send(office: Office, path: str = "/bank", lang: str = "en", **form: str) -> str:
    page = await office.http.get("/bank", headers=HTML)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    sent = {"csrf_token": found[1], **form}
    answer: httpx.Response = await office.http.post(f"{path}?lang={lang}", data=sent, headers=HTML)
    return answer.text


async def test_a_payment_is_told_later_taken_back_and_written_into_the_days_file(
    office: Office,
) -> None:
    case = await assessed(office)
    lost = await send(office, va=case.account, fault="lost")
    assert "The office was told nothing." in lost
    assert await case.payments() == 0
    found = re.search(r"/bank/pembayaran/([0-9a-f]+)", lost)
    assert found is not None
    told = await send(office, found[0], action="tell")
    assert "2002500 Successful" in told
    assert await case.payments() == 1
    assert "The payment was taken back." in await send(office, found[0], action="reverse")
    day = re.search(r'type="date" required value="([0-9-]+)"', lost)
    assert day is not None
    asked = {"partner": "bank-contoh", "day": day[1]}
    file = await office.http.get("/bank/rekening-koran", params=asked)
    assert file.headers["content-disposition"].startswith("attachment")
    rows = [row.split(";") for row in file.text.splitlines() if case.account in row]
    assert sorted(row[4] for row in rows) == ["D", "K"]


async def test_what_is_not_owed_is_said_in_the_readers_language(office: Office) -> None:
    page = await send(office, va="99999999", partner="qris-contoh", lang="id")
    assert "Bank tidak mengenal tagihan terbuka" in page
    unknown = await send(office, "/bank/pembayaran/ffff", action="tell")
    assert "The bank has no payment of this number." in unknown
    assert (await office.http.get("/bank/rekening-koran?partner=x&day=2026-01-06")).is_error
