"""The permit's letter and its public verification, on real parts: pages, programs, paper."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from tests.running import Office, running_office, settings_in
from tests.unit.workflow.service import CODE, HTML, NUMBER, PERMIT, basic, open_permit

DECREE = "503/12/SIP/2026"
DOCTOR = {"office": "blitar", "permit_type": "sip-dokter-unduh"}
ANSWERS = {"str-number": "STR 0042", "practice": "Klinik Contoh"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["workflow"]) as running:
        yield running


async def ask(office: Office, who: str, action: str, **body: Any) -> httpx.Response:
    """Give a command as a program, which knows nothing of the browser's session."""
    async with httpx.AsyncClient(base_url=office.address, timeout=20) as http:
        answer = await http.post(f"{PERMIT}/{action}", json=body, headers=basic(who))
        assert answer.status_code == 200, answer.text
        return answer


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
    shown = await office.http.get(leads_to(answer.content), headers=HTML)
    assert "Kode ini asli." in shown.text
    assert "Izin ini berlaku." in shown.text
    assert "Pemohon Contoh" in shown.text
