"""The permit's letter and its public verification, on real parts: pages, programs, paper."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from services.workflow.seal import Seal
from shared.contracts import workflow as e
from shared.events import NewEvent, to_micros
from shared.ids import derived_id, new_id
from tests.running import Office, running_office, settings_in, until
from tests.unit.workflow.service import (
    APP,
    CODE,
    HTML,
    NUMBER,
    PERMIT,
    basic,
    knock,
    open_permit,
)

DECREE = "503/12/SIP/2026"
DOCTOR = {"office": "blitar", "permit_type": "sip-dokter-unduh"}
VILLAGE = {"office": "tebet", "permit_type": "sku"}
ANSWERS = {"str-number": "STR 0042", "practice": "Klinik Contoh"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["workflow"]) as running:
        yield running


async def ask(office: Office, who: str, action: str, **body: Any) -> None:
    """Give a command as a program, which knows nothing of the browser's session."""
    async with httpx.AsyncClient(base_url=office.address, timeout=20) as http:
        answer = await http.post(f"{PERMIT}/{action}", json=body, headers=basic(who))
        assert answer.status_code == 200, answer.text


async def sign(office: Office) -> None:
    """Let the officers of Blitar work on a permit until it is signed."""
    await open_permit(office, about=DOCTOR, answers=ANSWERS)
    advice = {"stage": "recommend", "recommended": True, "note": "Memenuhi syarat"}
    skipped = {"stage": "survey", "reason": "Tempatnya sudah dikenal"}
    await ask(office, "verifikator.blitar", "complete-stage", stage="verify")
    await ask(office, "dinkes.blitar", "give-recommendation", **advice)
    await ask(office, "survei.blitar", "skip-survey", **skipped)
    await ask(office, "kepala.blitar", "sign-permit", stage="sign", document_number=DECREE)


async def fetched(office: Office, code: str = CODE) -> httpx.Response:
    """Ask for the letter as the applicant's program does."""
    return await office.http.post("/api/workflow/letter", json={"number": NUMBER, "code": code})


def words(pdf: bytes) -> str:
    """Return what stands on a letter, without the places where lines end."""
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return " ".join(text.split())


def leads_to(pdf: bytes) -> str:
    """Return the address that stands on a letter, as one may click it."""
    first = PdfReader(io.BytesIO(pdf)).pages[0]
    return str(next(mark.get_object()["/A"]["/URI"] for mark in first["/Annots"]))  # type: ignore[attr-defined]


async def happened(office: Office, *events: Any) -> None:
    await office.happened(f"permit-{APP}", *events, application=APP)


async def verified(office: Office, number: str) -> Any:
    return (await office.http.get("/api/verifikasi", params={"number": number})).json()


async def test_a_signed_permit_is_downloaded_and_checked_by_anybody(office: Office) -> None:
    await sign(office)
    answer = await fetched(office)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    named = f'attachment; filename="surat-izin-{NUMBER}.pdf"'
    assert answer.headers["content-disposition"] == named
    said = words(answer.content)
    for word in ("SURAT IZIN", "DPMTKPTSP Kota Blitar", "Jl. Contoh No. 4", DECREE, NUMBER):
        assert word in said
    for word in ("Pemohon Contoh", "STR 0042", "Klinik Contoh", "Pejabat penanda tangan"):
        assert word in said
    signer = office.running.kernel.accounts.find("kepala.blitar")
    assert signer is not None
    assert signer.display_name in said
    assert (await fetched(office)).content == answer.content
    shown = await office.http.get(leads_to(answer.content), headers=HTML)
    assert shown.headers["x-robots-tag"] == "noindex"
    for word in ("Kode ini asli.", "Izin ini berlaku.", "Pemohon Contoh", "Klinik Contoh"):
        assert word in shown.text
    mark = (await verified(office, NUMBER))["permits"][0]["fingerprint"]
    assert mark in shown.text
    assert mark in said
    english = await office.http.get(leads_to(answer.content) + "?lang=en", headers=HTML)
    assert "This permit is in force." in english.text


async def test_the_applicant_downloads_behind_the_door_of_tracking_alone(office: Office) -> None:
    path = f"/lacak/{NUMBER}/surat.pdf"
    await open_permit(office, about=DOCTOR)
    early = await fetched(office)
    assert (early.status_code, early.json()["code"]) == (409, "letter-not-ready")
    assert (await office.http.get(path)).status_code == 404
    assert (await fetched(office, "0" * 26)).status_code == 404
    await knock(office, NUMBER, CODE)
    assert path not in (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text


async def test_the_tracking_page_offers_the_letter(office: Office) -> None:
    await sign(office)
    await knock(office, NUMBER, CODE)
    page = (await office.http.get(f"/lacak/{NUMBER}?lang=id", headers=HTML)).text
    assert "Suratnya siap diunduh di sini." in page
    assert "Unduh surat izin" in page
    page = (await office.http.get(f"/lacak/{NUMBER}?lang=en", headers=HTML)).text
    assert "Its letter is ready to download here." in page
    letter = await office.http.get(f"/lacak/{NUMBER}/surat.pdf")
    assert letter.content == (await fetched(office)).content


async def test_what_the_counter_hands_over_is_not_downloaded_before(office: Office) -> None:
    await open_permit(office, about=VILLAGE)
    await ask(office, "verifikator.tebet", "complete-stage", stage="verify")
    await ask(office, "kepala.tebet", "sign-permit", stage="sign", document_number="1/SKU")
    refused = await fetched(office)
    assert (refused.status_code, refused.json()["code"]) == (409, "letter-not-ready")
    assert (await verified(office, "1/SKU"))["state"] == "in-force"
    path = f"/berkas/{NUMBER}/surat.pdf"
    assert (await office.http.get(path)).status_code == 401
    await office.sign_in("loket.tebet")
    assert path in (await office.http.get(f"/berkas/{NUMBER}", headers=HTML)).text
    assert "1/SKU" in words((await office.http.get(path)).content)
    await happened(office, e.StageCompleted(application_id=APP, stage="hand-over"))
    await happened(office, e.PermitHandedOver(application_id=APP, receiver="Pemohon Contoh"))
    assert (await fetched(office)).status_code == 200


@pytest.mark.parametrize("who", ["auditor.blitar", "loket"])
async def test_officers_without_need_for_the_name_get_no_letter(office: Office, who: str) -> None:
    await sign(office)
    await office.sign_in(who)
    answer = await office.http.get(f"/berkas/{NUMBER}/surat.pdf")
    assert answer.status_code == 403
    page = await office.http.get(f"/berkas/{NUMBER}", headers=HTML)
    assert "surat.pdf" not in page.text


ENDS = [
    (
        e.PermitRevoked(application_id=APP, office="blitar", reason="Data palsu"),
        "revoked",
        "dicabut oleh kantor",
        "the office took it back on",
    ),
    (
        e.PermitExpired(
            application_id=APP, office="blitar", number=NUMBER, valid_until="2031-11-22"
        ),
        "expired",
        "berakhir pada",
        "it ended on",
    ),
    (
        e.PermitRenewed(application_id=APP, renewed_by="BLT-2026-000099"),
        "renewed",
        "digantikan oleh izin BLT-2026-000099",
        "permit BLT-2026-000099 has taken its place",
    ),
]


@pytest.mark.parametrize(("end", "state", "indonesian", "english"), ENDS)
async def test_a_letter_that_counts_no_more_says_so(
    office: Office, end: Any, state: str, indonesian: str, english: str
) -> None:
    await sign(office)
    before = (await fetched(office)).content
    assert "TIDAK BERLAKU" not in words(before)
    await happened(office, end)
    after = words((await fetched(office)).content)
    assert "TIDAK BERLAKU LAGI: " in after
    assert indonesian in after
    # The letter that somebody printed before leads to the same page.
    address = leads_to(before)
    assert indonesian in (await office.http.get(f"{address}?lang=id", headers=HTML)).text
    assert english in (await office.http.get(f"{address}?lang=en", headers=HTML)).text
    told = await verified(office, DECREE)
    assert (told["state"], told["permits"][0]["state"]) == (state, state)
    await knock(office, NUMBER, CODE)
    page = (await office.http.get(f"/lacak/{NUMBER}?lang=id", headers=HTML)).text
    assert "Unduh surat izin" not in page
    assert "Suratnya, tidak berlaku lagi" in page


async def test_an_announced_revocation_is_said_without_its_reason(office: Office) -> None:
    await sign(office)
    day = "2026-12-28"
    await happened(
        office,
        e.RevocationAnnounced(
            application_id=APP, office="blitar", reason="Data palsu", effective_on=day
        ),
    )
    page = await office.http.get("/verifikasi", params={"number": NUMBER}, headers=HTML)
    assert "Kantor bermaksud mencabutnya pada 28 Desember 2026." in page.text
    assert "Data palsu" not in page.text
    assert (await verified(office, NUMBER))["permits"][0]["revocation_on"] == day


async def test_a_number_shows_what_is_public_and_no_name(office: Office) -> None:
    await sign(office)
    told = await verified(office, f"  {DECREE.lower()} ")
    permit = told["permits"][0]
    assert (told["state"], permit["number"], permit["genuine"]) == ("in-force", NUMBER, False)
    assert permit["holder"] == "P••• C•••"
    page = await office.http.get("/verifikasi", params={"number": NUMBER.lower()}, headers=HTML)
    assert "Izin ini berlaku." in page.text
    assert DECREE in page.text
    for word in ("Pemohon Contoh", "Klinik Contoh", "STR 0042"):
        assert word not in page.text + str(told)


async def test_an_unknown_number_and_an_unsigned_permit_are_told_alike(office: Office) -> None:
    await open_permit(office, about=DOCTOR)
    for number in (NUMBER, "BLT-2026-999999"):
        assert await verified(office, number) == {"state": "never-issued", "permits": []}
        page = await office.http.get("/verifikasi", params={"number": number}, headers=HTML)
        assert "Tidak ada izin yang diterbitkan dengan nomor ini." in page.text
    assert (await office.http.get("/api/verifikasi")).status_code == 422


async def test_decrees_with_one_number_are_all_shown(office: Office) -> None:
    await sign(office)
    other, number = derived_id("service", 2), "BLT-2026-000002"
    await open_permit(office, other, number, about=DOCTOR)
    issued = e.PermitIssued(application_id=other, number=number, document_number=DECREE)
    await office.happened(f"permit-{other}", issued, application=other)

    async def both() -> bool:
        return bool((await verified(office, DECREE))["state"] == "several")

    await until(both, what="two permits under one decree number")
    page = await office.http.get("/verifikasi", params={"number": DECREE}, headers=HTML)
    assert NUMBER in page.text
    assert number in page.text


async def test_a_forged_code_is_told_apart(office: Office) -> None:
    await sign(office)
    token = leads_to((await fetched(office)).content).rpartition("/")[2]
    other = Seal("secret of a forger").token(APP)
    unsigned = Seal(office.running.kernel.secret("letter")).token(derived_id("service", 3))
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for forged in (other, swapped, unsigned, "x", "é" * 20, token + token):
        page = await office.http.get(f"/verifikasi/{forged}", headers=HTML)
        assert page.status_code == 404
        assert "Kode ini tidak ada pada surat mana pun dari kami." in page.text
        answer = await office.http.get(f"/api/verifikasi/{forged}")
        assert (answer.status_code, answer.json()["code"]) == (404, "letter-not-genuine")
    genuine = (await office.http.get(f"/api/verifikasi/{token}")).json()
    assert (genuine["genuine"], genuine["holder"]) == (True, "Pemohon Contoh")


async def test_the_address_of_a_letter_or_receipt_may_be_pasted(office: Office) -> None:
    places = {
        "https://izin.contoh.id/verifikasi/abc-1?lang=id": "/verifikasi/abc-1",
        "http://localhost/terima/BGR-2026-000001/abc_2": "/terima/BGR-2026-000001/abc_2",
    }
    for pasted, leads in places.items():
        answer = await office.http.get("/verifikasi", params={"number": pasted}, headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, leads)


async def test_nobody_tries_numbers_for_ever(office: Office) -> None:
    for place in range(30):
        assert (await verified(office, f"BLT-2026-{place:06}"))["state"] == "never-issued"
    answer = await office.http.get("/api/verifikasi", params={"number": "BLT-2026-000031"})
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")


async def test_a_permit_signed_before_there_were_last_days_has_its_letter(office: Office) -> None:
    await open_permit(office, about=DOCTOR)
    kernel, by = office.running.kernel, "officer:kepala.blitar"
    data = json.dumps({"application_id": APP, "number": NUMBER, "document_number": "LAMA/1"})
    old = NewEvent(
        new_id(), "PermitIssued", 1, data.encode(), to_micros(kernel.now()), by, new_id(), APP
    )
    await kernel.store.append(f"permit-{APP}", [old])
    said = words((await fetched(office)).content)
    assert "Berlaku sampai Valid until Tanpa batas waktu" in said

    async def known() -> bool:
        return bool((await verified(office, "lama/1"))["state"] == "in-force")

    await until(known, what="the old decree's number")
