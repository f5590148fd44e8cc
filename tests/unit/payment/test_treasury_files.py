"""Settlement files, lines and closings as the treasurer sees them, in a service that runs."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import yaml
from pypdf import PdfReader

from shared.settings import Settings
from tests.running import Office, running_office, settings_in, until
from tests.unit.payment.settlement.bank_file import (
    CSV,
    Row,
    csv_file,
)
from tests.unit.payment.treasury_kit import HTML, PARTNER, Till

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/bendahara/rekening-koran"


def with_files(folder: Path) -> Path:
    """Return a copy of the configuration in which the sample bank sends settlement files."""
    config = folder / "config"
    shutil.copytree(Settings().config, config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = config / "banks" / f"{PARTNER}.yaml"
    profile = yaml.safe_load(file.read_text(encoding="utf-8"))
    profile["settlement"] = {"office": "bogor", "file": dict(CSV)}
    file.write_text(yaml.safe_dump(profile), encoding="utf-8")
    return config


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder = tmp_path_factory.mktemp("files")
    settings = settings_in(folder / "data", config=with_files(folder))
    async with running_office(settings, ["payment"]) as running:
        await running.sign_in("bendahara")
        yield running


async def bring(http: httpx.AsyncClient, content: bytes, name: str = "koran.csv") -> httpx.Response:
    """Bring a file as a browser does."""
    page = await http.get(PATH, headers=HTML)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text.split("<main", 1)[1])
    assert token is not None
    data = {"csrf_token": token[1], "partner": PARTNER}
    files = {"file": (name, content, "text/csv")} if content or name else None
    return await http.post(PATH, data=data, files=files, headers=HTML)


async def page_with(http: httpx.AsyncClient, path: str, *texts: str) -> str:
    async def shown() -> str:
        page = await http.get(path, headers=HTML)
        found = page.status_code == 200 and all(text in page.text for text in texts)
        return page.text if found else ""

    return str(await until(shown, seconds=25, what=f"{path} with {texts}"))


async def test_a_file_is_read_and_its_day_closed_by_class(office: Office) -> None:
    till, http = Till(office), office.http
    bill, unreported = await till.bill(), await till.bill(7)
    reference = await till.pay(bill)
    await till.shown("payments", lambda row: row["reference"] == reference)
    today = till.today
    content = csv_file(
        [Row(bill.amount, reference, on=today), Row(unreported.amount, on=today)], opening=5
    )
    brought = await bring(http, content)
    assert brought.status_code == 303, brought.text
    file = brought.headers["location"]
    await page_with(http, f"{file}?lang=en", "Accepted", "Matched", reference)
    listed = await page_with(http, f"{PATH}?lang=en", "koran.csv", "Accepted")
    assert file in listed
    day = f"/bendahara/penutupan/{PARTNER}/{today.isoformat()}"
    closing = await page_with(http, f"{day}?lang=en", "Matched", "Waiting")
    for href in re.findall(r'href="(/bendahara/baris/[^"]+)"', closing):
        page = await http.get(href.replace("&amp;", "&"), headers=HTML)
        assert page.status_code == 200, href
        assert 'role="row"' in page.text
    rows = list(csv.reader(io.StringIO((await http.get(f"{day}.csv")).text)))
    assert ["MATCHED", "1", str(bill.amount)] in rows
    printed = await http.get(f"{day}.pdf?lang=en")
    text = PdfReader(io.BytesIO(printed.content)).pages[0].extract_text()
    assert "Matched" in text
    assert "Rp240.000" in text
    line = f"/bendahara/baris/{file.rsplit('/', 1)[1]}/2"
    await by_hand(http, line, unreported.number)
    await page_with(http, f"{line}?lang=en", "Settled without a callback", "Events of the bill")
    paid = await till.shown("bills", lambda row: row["number"] == unreported.number, state="paid")
    assert paid["amount"] == unreported.amount
    steps = await page_with(http, f"/bendahara/jejak/berkas/{file.rsplit('/', 1)[1]}?lang=en")
    assert "Line matched by hand" in steps
    assert "Settlement file accepted" in steps


async def test_a_line_of_nobody_is_written_to_suspense_and_its_case_opens(office: Office) -> None:
    till, http = Till(office), office.http
    today = till.today
    brought = await bring(http, csv_file([Row(73_000, "LOOSE-1", on=today)], opening=6))
    line = f"/bendahara/baris/{brought.headers['location'].rsplit('/', 1)[1]}/1"
    page = await page_with(http, f"{line}?lang=en", "Write to suspense", "Waiting")
    form = page.split(f'action="{line}/titipan"', 1)[1]
    sent = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    without = await http.post(f"{line}/titipan", data=sent, headers=HTML)
    assert without.status_code == 422
    assert 'id="f-asidereason"' in without.text
    assert f'action="{line}"' in without.text, "the other form still leads where it did"
    sent["reason"] = "Penyetor tidak dikenal."
    for _ in range(2):
        done = await http.post(f"{line}/titipan", data=sent, headers=HTML)
        assert done.status_code == 303, done.text
    await page_with(http, f"{line}?lang=en", "Money without a bill", "/bendahara/titipan/")
    await till.shown("suspense", lambda row: row["reference"] == "LOOSE-1")
    steps = await page_with(http, f"/bendahara/jejak/berkas/{line.split('/')[3]}?lang=en")
    assert "Line written to suspense by hand" in steps
    assert "Penyetor tidak dikenal." in steps
    again = {"reason": "Bukan milik siapa pun."}
    api = f"/api/settlement/files/{line.split('/')[3]}/lines"
    assert (await http.post(f"{api}/1/suspense", json=again)).status_code == 200
    assert (await http.post(f"{api}/2/suspense", json=again)).status_code == 409


async def test_a_debit_that_takes_nothing_back_is_explained_on_its_page(office: Office) -> None:
    http, today = office.http, Till(office).today
    rows = [Row(-6_500, "ADM-1", on=today), Row(-7_000, "ADM-2", on=today)]
    brought = await bring(http, csv_file(rows, opening=50_000))
    file = brought.headers["location"].rsplit("/", 1)[1]
    line = f"/bendahara/baris/{file}/1"
    page = await page_with(http, f"{line}?lang=en", "Explain this debit", "Waiting", "what it is")
    assert "Write to suspense" not in page
    form = page.split(f'action="{line}/penjelasan"', 1)[1]
    sent = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    without = await http.post(f"{line}/penjelasan", data=sent, headers=HTML)
    assert without.status_code == 422
    assert 'id="f-asidereason"' in without.text
    sent["reason"] = "Biaya administrasi bank."
    for _ in range(2):
        done = await http.post(f"{line}/penjelasan", data=sent, headers=HTML)
        assert done.status_code == 303, done.text
    explained = await page_with(http, f"{line}?lang=en", "Explained by a person")
    assert "Explain this debit" not in explained
    steps = await page_with(http, f"/bendahara/jejak/berkas/{file}?lang=en")
    assert "Debit explained by hand" in steps
    assert "Biaya administrasi bank." in steps
    again = {"reason": "Biaya administrasi bank."}
    api = f"/api/settlement/files/{file}/lines"
    assert (await http.post(f"{api}/2/explanation", json=again)).status_code == 200
    assert (await http.post(f"{api}/3/explanation", json=again)).status_code == 409
    assert (await http.post(f"{line}/lain", data=sent, headers=HTML)).status_code == 422


async def by_hand(http: httpx.AsyncClient, line: str, number: str) -> None:
    """Match a line on its page: first with too little, then with a foreign number, then right."""
    page = await page_with(http, f"{line}?lang=en", "Match by hand")
    form = page.split("<main", 1)[1]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    assert (await http.post(line, data=hidden, headers=HTML)).status_code == 422
    wrong = {**hidden, "number": "BGR-2026-999999", "reason": "Sesuai bukti setor."}
    assert (await http.post(line, data=wrong, headers=HTML)).status_code == 409
    right = {**wrong, "number": number}
    for _ in range(2):
        assert (await http.post(line, data=right, headers=HTML)).status_code == 303


async def test_a_file_that_does_not_add_up_is_refused_with_reason_and_row(office: Office) -> None:
    broken = csv_file([Row(240_000, "NTB-B1")]).replace(b"Rp 240.000,00;K", b"Rp 24x;K")
    brought = await bring(office.http, broken, "rusak.csv")
    page = await page_with(office.http, f"{brought.headers['location']}?lang=en", "Refused")
    assert "Nothing of it counts." in page
    assert "It shows in row 3." in page


async def test_the_same_file_twice_is_one_file(office: Office) -> None:
    content = csv_file([Row(1_000, "NTB-SAME")], name="sama")
    first, second = [(await bring(office.http, content)).headers["location"] for _ in range(2)]
    assert first == second


async def test_a_form_without_a_file_or_with_an_empty_one_says_so(office: Office) -> None:
    for content, name in ((b"", ""), (b"", "kosong.csv")):
        answer = await bring(office.http, content, name)
        assert answer.status_code == 422
        assert 'id="e-file"' in answer.text


async def test_files_are_for_the_office_that_holds_the_account(office: Office) -> None:
    strange = "/bendahara/penutupan/another-bank/2026-01-06"
    assert (await office.http.get(strange, headers=HTML)).status_code == 404
    assert (await office.http.get(f"{strange}.csv", headers=HTML)).status_code == 404
    for path in (f"{PATH}/unknown", "/bendahara/baris/unknown/1"):
        assert (await office.http.get(path, headers=HTML)).status_code == 404
