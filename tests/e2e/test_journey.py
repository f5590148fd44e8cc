"""The journey of one permit in a real browser, from the catalogue to hand-over."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.people import (
    At,
    Keepsake,
    Window,
    apply_for_situ,
    at,
    give,
    moved,
    open_desk,
    open_file,
    open_window,
    pictured,
    register,
    track,
)
from tests.installation import installation
from tests.process import OfficeProcess

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

STEPS = {
    "id": {
        "verify": "Verifikasi berkas",
        "survey": "Survei lapangan",
        "fee": "Penetapan retribusi",
        "pay": "Menunggu pembayaran",
        "sign": "Penandatanganan",
    },
    "en": {
        "verify": "Verification",
        "survey": "Field survey",
        "fee": "Fee assessment",
        "pay": "Waiting for payment",
        "sign": "Signing",
    },
}


@pytest.mark.parametrize(
    ("lang", "dark", "surveyed"), [("id", False, True), ("en", True, False)], ids=["id", "en-dark"]
)
async def test_a_permit_goes_from_the_form_to_the_applicants_hand(
    office: OfficeProcess, browser: Browser, lang: str, dark: bool, surveyed: bool
) -> None:
    seen = f"{lang}-dark" if dark else lang
    await _journey(at(office), browser, lang=lang, dark=dark, surveyed=surveyed, seen=seen)


@pytest.mark.kafka
async def test_the_same_over_a_real_kafka_with_a_process_per_service(browser: Browser) -> None:
    with installation() as office:
        await _journey(at(office), browser, lang="id", dark=False, surveyed=True, seen="up")


async def _journey(
    places: At, browser: Browser, *, lang: str, dark: bool, surveyed: bool, seen: str
) -> None:
    """Walk one permit through the office; ``seen`` names the pictures that are kept."""
    applicant = await open_window(browser, places, "applicant", lang=lang, dark=dark)
    kept = await apply_for_situ(applicant, pictures=seen)
    await track(applicant, kept, pictures=seen)
    await moved(applicant, "Submitted", pictures=seen)
    desks = {
        name: await open_desk(browser, places, name, lang=lang, dark=dark)
        for name in ("loket", "verifikator", "survei", "penilai", "kepala", "penyelia")
    }
    await register(desks["loket"], kept.number, pictures=seen)
    await moved(applicant, "In process", STEPS[lang]["verify"], pictures=seen)
    await _see_the_board(desks["penyelia"], kept.number, seen)
    await _work_until_the_bill(applicant, desks, kept, surveyed=surveyed, seen=seen)
    await _pay(applicant, browser, kept, lang=lang, dark=dark, seen=seen)
    await moved(applicant, "In process", STEPS[lang]["sign"], pictures=seen)
    await _sign_and_hand_over(applicant, desks, kept, seen)
    for window in (applicant, *desks.values()):
        await window.close()


async def _work_until_the_bill(
    applicant: Window, desks: dict[str, Window], kept: Keepsake, *, surveyed: bool, seen: str
) -> None:
    steps = STEPS[applicant.lang]
    await open_file(desks["verifikator"], kept.number, pictures=seen)
    await pictured(desks["verifikator"], seen, "file-verify")
    await give(desks["verifikator"], "complete-stage", note="Lengkap dan benar.")
    await moved(applicant, "In process", steps["survey"], pictures=seen)
    surveyor = desks["survei"]
    await open_file(surveyor, kept.number)
    await pictured(surveyor, seen, "file-survey")
    if surveyed:
        await give(surveyor, "schedule-survey", on=_office_day())
        await give(surveyor, "report-survey", report="Sesuai gambar.", recommended="true")
    else:
        await give(surveyor, "skip-survey", reason="Tempat sudah disurvei bulan lalu.")
    await moved(applicant, "In process", steps["fee"])
    await open_file(desks["penilai"], kept.number)
    await pictured(desks["penilai"], seen, "file-fee")
    await give(desks["penilai"], "assess-fee", **{"measures.area_m2": "60"})
    await applicant.says("Rp120.000" if applicant.lang == "id" else "120")
    await moved(applicant, "Waiting for payment", steps["pay"], pictures=seen)


def _office_day() -> str:
    """Return today's date at the office in Bogor: from 17:00 UTC on it is tomorrow there."""
    return datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat()


async def _pay(
    applicant: Window, browser: Browser, kept: Keepsake, *, lang: str, dark: bool, seen: str
) -> None:
    """Look at the bill, pay it at the bank in a window of its own; the bill moves by itself."""
    customer = await open_window(browser, applicant.at, "customer", lang=lang, dark=dark)
    page = customer.page
    await customer.go(f"/tagihan/{kept.number}")
    await customer.says("120", "2")
    await pictured(customer, seen, "bill")
    bank = await open_window(browser, applicant.at, "bank", lang=lang, dark=dark)
    account = await page.locator("[data-copy-value]").inner_text()
    await bank.go(f"/bank?va={account}")
    await pictured(bank, seen, "bank")
    await bank.page.locator("main form:has(#f-va) .actions button").click()
    await bank.says(bank.word("Paid"), kept.number)
    await pictured(bank, seen, "bank-paid")
    await customer.says(customer.word("The payment has arrived."))
    await pictured(customer, seen, "bill-paid")
    await customer.close()
    await bank.close()


async def _sign_and_hand_over(
    applicant: Window, desks: dict[str, Window], kept: Keepsake, seen: str
) -> None:
    await open_file(desks["kepala"], kept.number, pictures=seen)
    await pictured(desks["kepala"], seen, "file-sign")
    await give(desks["kepala"], "sign-permit")
    await moved(applicant, "Issued", pictures=seen)
    counter = desks["loket"]
    await counter.go("/kotak-keluar")
    ready = "siap diambil" if applicant.lang == "id" else "ready to collect"
    await counter.says(kept.number, ready)
    await pictured(counter, seen, "outbox")
    await open_file(counter, kept.number)
    await pictured(counter, seen, "file-hand-over")
    await give(counter, "hand-over", receiver="Pemohon Contoh", proof="KTP")
    await moved(applicant, "Finished", pictures=seen)
    await expect(applicant.page.locator(".step[data-state=upcoming]")).to_have_count(0)


async def _see_the_board(supervisor: Window, number: str, seen: str) -> None:
    await supervisor.go("/papan")
    row = supervisor.page.locator("tr").filter(has_text=number)
    await expect(row.locator("progress")).to_be_visible()
    left = supervisor.word("{time} left").replace("{time}", ".+")
    await expect(row.locator(".worktime strong")).to_have_text(re.compile(left))
    await pictured(supervisor, seen, "board")
