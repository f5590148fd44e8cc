"""An office in Jakarta: what somebody sent by e-mail becomes an application at the counter."""

from __future__ import annotations

import asyncio
import re
import smtplib
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from deploy.parts import free_port
from tests.e2e.people import at, open_desk
from tests.process import OfficeProcess
from tests.running import until
from tests.unit.intake import letters, papers

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def test_the_counter_makes_an_application_of_an_e_mail(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("JEJAK_MAIL_IN", f"127.0.0.1:{port}")
    mail = letters.mail({"ktp.pdf": papers.pdf("ktp"), "denah.pdf": papers.pdf("denah")})
    with OfficeProcess(tmp_path / "data") as office:
        await until(lambda: asyncio.to_thread(_handed_in, port, mail), 60, "the door for mail")
        desk = await open_desk(browser, at(office), "loket.tebet")
        page = desk.page
        await desk.go("/pendaftaran/surat")
        await page.get_by_role("link", name="Permohonan IMB").click()
        await desk.says(letters.SENDER, "Terlampir berkas saya")
        await page.select_option("#f-permit", "imb")
        await page.click("form[action$='/izin'] button")
        await desk.picture("mail-sort")
        await page.select_option("#f-doc-gambar-denah", label="denah.pdf")
        await page.click("main form .actions button")
        await desk.says("ktp.pdf", "denah.pdf")
        await expect(page.locator("#f-email")).to_have_value("")
        for name, value in {
            "name": "Pemohon Contoh",
            "nik": "3271046504930002",
            "phone": "081234567890",
            "answer-location": "Jl. Contoh 1",
            "answer-area": "90",
            "answer-use": "Rumah",
        }.items():
            await page.fill(f"[name='{name}']", value)
        await page.click("main form[enctype] .actions button")
        await page.wait_for_url(re.compile("/diterima$"))
        number = (await page.locator("[data-copy-value]").all_inner_texts())[0]
        await desk.go("/pendaftaran/surat?status=filed")
        await page.get_by_role("link", name="Permohonan IMB").click()
        await page.get_by_role("link", name=number).click()
        await desk.says("ktp.pdf", "denah.pdf", desk.word("By e-mail"))
        await desk.close()


def _handed_in(port: int, mail: bytes) -> bool:
    try:
        with smtplib.LMTP("127.0.0.1", port) as client:
            client.ehlo_or_helo_if_needed()
            client.mail("bounce@example.org")
            client.rcpt(letters.OFFICE)
            return client.data(mail)[0] == 250
    except OSError:
        return False
