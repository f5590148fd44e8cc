"""Agencies, originals, absences, complaints and revocation on real parts: pages and programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts import intake
from shared.contracts import workflow as e
from tests.running import Office, running_office, settings_in, until
from tests.unit.workflow.service import (
    CODE,
    HTML,
    NUMBER,
    PERMIT,
    basic,
    field,
    knock,
    open_permit,
)

DOCTOR = {"office": "bontang", "permit_type": "sip-dokter"}
VILLAGE = {"office": "tebet", "permit_type": "sku"}
SCANS = tuple(
    intake.Document(requirement=name, name="a.pdf", sha256=sign * 64, size=1, media_type="-")
    for name, sign in (("ktp", "a"), ("kk", "b"))
)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["workflow"]) as running:
        yield running


async def ask(office: Office, who: str, action: str, **body: Any) -> httpx.Response:
    """Give a command as a program, which knows nothing of the browser's session."""
    async with httpx.AsyncClient(base_url=office.address, timeout=20) as http:
        return await http.post(f"{PERMIT}/{action}", json=body, headers=basic(who))


async def sent(office: Office, path: str, **fields: str) -> httpx.Response:
    """Send a form from the page it stands on, as a browser would."""
    page = (await office.http.get(path.rpartition("?")[0] or path, headers=HTML)).text
    data = {"csrf_token": field(page, "csrf_token")} | fields
    return await office.http.post(path, data=data, headers=HTML)


async def signed(office: Office, *steps: tuple[str, str, dict[str, Any]]) -> None:
    for who, action, body in steps:
        answer = await ask(office, who, action, **body)
        assert answer.status_code == 200, answer.text


async def test_the_counter_speaks_for_an_agency_that_is_not_ready(office: Office) -> None:
    await open_permit(office, about=DOCTOR)
    await signed(office, ("verifikator.bontang", "complete-stage", {"stage": "verify"}))
    said = {"stage": "recommend", "recommended": True, "note": "Memenuhi syarat"}
    nobody = await ask(office, "dpupr.bontang", "give-recommendation", **said)
    assert (nobody.status_code, nobody.json()["code"]) == (403, "other-agency")
    bare = await ask(office, "loket.bontang", "give-recommendation", **said)
    assert (bare.status_code, bare.json()["code"]) == (422, "letter-needed")
    assert bare.json()["allowed"] == ["GiveRecommendation", "ReturnPermit"]
    await office.sign_in("loket.bontang")
    assert NUMBER in (await office.http.get("/tugas", headers=HTML)).text
    page = (await office.http.get(f"/berkas/{NUMBER}", headers=HTML)).text
    assert "atas nama dinas itu" in page
    await signed(
        office, ("loket.bontang", "give-recommendation", said | {"letter": "440/7/DINKES"})
    )
    page = (await office.http.get(f"/berkas/{NUMBER}", headers=HTML)).text
    assert "Dinas Kesehatan merekomendasikan · menurut suratnya 440/7/DINKES" in page
    await knock(office, NUMBER, CODE)
    track = (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text
    assert "Dinas Kesehatan merekomendasikan" in track
    assert "Memenuhi syarat" not in track


async def test_every_original_is_held_against_its_scan_before_hand_over(office: Office) -> None:
    await open_permit(office, about=VILLAGE, documents=SCANS)
    await signed(
        office,
        ("verifikator.tebet", "complete-stage", {"stage": "verify"}),
        ("kepala.tebet", "sign-permit", {"stage": "sign", "document_number": "1/SKU"}),
    )
    await office.sign_in("loket.tebet")
    path = f"/berkas/{NUMBER}"
    page = (await office.http.get(path, headers=HTML)).text
    assert "Cocok: KTP pemohon" in page
    assert page.count("Belum diperiksa") == 2
    early = await ask(office, "loket.tebet", "complete-stage", stage="match-originals")
    assert early.json()["code"] == "originals-not-matched"
    hidden = {name: field(page, name) for name in ("csrf_token", "version", "key", "stage")}
    for action, fields in (
        ("match-original", {"requirement": "kk"}),
        ("mismatch-original", {"requirement": "ktp", "reason": "Foto berbeda"}),
    ):
        version = {"version": field((await office.http.get(path, headers=HTML)).text, "version")}
        answer = await office.http.post(
            f"{path}/{action}",
            data=hidden | version | {"key": action} | fields,
            headers=HTML,
        )
        assert answer.status_code == 303, answer.text
    page = (await office.http.get(path, headers=HTML)).text
    assert "Foto berbeda" in page
    await knock(office, NUMBER, CODE)
    track = (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text
    assert "Dokumen asli berbeda dari pindaiannya: Foto berbeda" in track
    await signed(
        office,
        ("loket.tebet", "match-original", {"stage": "match-originals", "requirement": "ktp"}),
        ("loket.tebet", "complete-stage", {"stage": "match-originals"}),
    )


async def test_a_step_is_given_to_one_officer_whose_deputy_finds_it(office: Office) -> None:
    await open_permit(office)
    await office.sign_in("penyelia")
    page = (await office.http.get(f"/berkas/{NUMBER}", headers=HTML)).text
    assert "Serahkan tahap ini kepada petugas lain" in page
    assert 'value="verifikator"' in page
    assert 'value="survei"' not in page
    given = {"stage": "verify", "to": "verifikator", "reason": "Beban kerja"}
    await signed(office, ("penyelia", "reassign-stage", given))
    wrong = await ask(office, "penyelia", "reassign-stage", **(given | {"to": "tidakada"}))
    assert wrong.json()["code"] == "unsuitable-officer"
    # The officer falls ill; the supervisor lets the surveyor stand in.
    today = office.running.kernel.now().date().isoformat()
    away = {"account": "verifikator", "deputy": "survei", "first": today}
    away["last"] = next_year(today)
    assert NUMBER not in await queue(office, "survei")
    recorded = await sent(office, "/petugas/cuti", **away, key="k1")
    assert recorded.status_code == 303, recorded.text
    listed = (await office.http.get("/petugas/cuti", headers=HTML)).text
    assert "Sedang tidak masuk" in listed
    again = await sent(office, "/petugas/cuti", **away, key="k2")
    assert again.status_code == 409
    assert "sudah tercatat tidak masuk" in again.text
    assert NUMBER in await queue(office, "survei")
    done = await ask(office, "survei", "complete-stage", stage="verify", note="Lengkap")
    assert done.status_code == 200, done.text


def next_year(day: str) -> str:
    return f"{int(day[:4]) + 1}-01-01" if day[5:] > "01-01" else day


async def queue(office: Office, who: str) -> str:
    """Return an officer's work queue; who was signed in before stays so."""
    async with httpx.AsyncClient(base_url=office.address, timeout=20) as http:
        other = Office(office.address, office.running, http)
        await other.sign_in(who)
        return (await http.get("/tugas", headers=HTML)).text


async def test_absences_through_the_api(office: Office) -> None:
    today = office.running.kernel.now().date().isoformat()
    path, away = (
        "/api/workflow/absences",
        {"account": "survei", "deputy": "penilai", "first": today, "last": next_year(today)},
    )
    stranger = await office.http.post(path, json=away, headers=basic("verifikator"))
    assert (stranger.status_code, stranger.json()["code"]) == (403, "not-your-absence")
    own = await office.http.post(path, json=away, headers=basic("survei"))
    assert (own.status_code, own.json()["code"]) == (403, "deputy-without-roles")
    key = basic("penyelia") | {"idempotency-key": "a"}
    first = await office.http.post(path, json=away, headers=key)
    assert first.json()["events"] == ["AbsenceRecorded"]
    again = await office.http.post(path, json=away, headers=key)
    assert again.json() == first.json() | {"events": []}
    cancel = f"{path}/{first.json()['absence_id']}/cancel"
    assert (await office.http.post(cancel, headers=basic("survei"))).json()["events"] == [
        "AbsenceCancelled"
    ]
    assert (await office.http.post(cancel, headers=basic("survei"))).json()["events"] == []
    unknown = await office.http.post(f"{path}/x/cancel", headers=basic("penyelia"))
    assert unknown.json()["code"] == "unknown-absence"


async def test_the_applicant_complains_and_reads_the_answer(office: Office) -> None:
    await open_permit(office)
    path = f"/lacak/{NUMBER}/keluhan"
    closed = await office.http.get(path, headers=HTML)
    assert closed.headers["location"] == f"/lacak?number={NUMBER}"
    await knock(office, NUMBER, CODE)
    assert (await sent(office, path, text=" ")).status_code == 422
    assert (await sent(office, path, text="Petugas meminta uang", key="k")).status_code == 303
    page = (await office.http.get(path, headers=HTML)).text
    assert "Petugas meminta uang" in page
    assert "Menunggu jawaban" in page
    # Who works on the file does not see it; who leads the office does, and answers.
    assert "meminta uang" not in await file_page(office, "verifikator")
    assert "meminta uang" in await file_page(office, "penyelia")
    complaint = await complaint_id(office)
    answer = {"complaint_id": complaint, "answer": "Petugas sudah ditegur"}
    assert (await ask(office, "verifikator", "answer-complaint", **answer)).status_code == 403
    await signed(office, ("penyelia", "answer-complaint", answer))
    page = (await office.http.get(path, headers=HTML)).text
    assert "Petugas sudah ditegur" in page
    track = (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text
    assert "Keluhan dijawab" in track
    assert "meminta uang" not in track


async def complaint_id(office: Office) -> str:
    page = await file_page(office, "penyelia")
    return field(page, "complaint_id")


async def file_page(office: Office, who: str) -> str:
    async with httpx.AsyncClient(base_url=office.address, timeout=20) as http:
        other = Office(office.address, office.running, http)
        await other.sign_in(who)
        return (await http.get(f"/berkas/{NUMBER}", headers=HTML)).text


async def test_an_applicant_s_program_complains_with_the_code(office: Office) -> None:
    await open_permit(office)
    path, body = "/api/workflow/complaints", {"number": NUMBER, "code": CODE, "text": "Lambat"}
    key = {"idempotency-key": "one"}
    assert (await office.http.post(path, json=body, headers=key)).json()["events"] == [
        "ComplaintFiled"
    ]
    assert (await office.http.post(path, json=body, headers=key)).json()["events"] == []
    wrong = await office.http.post(path, json=body | {"code": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "not-found")


async def test_a_signed_permit_holds_until_its_day_and_can_be_taken_back(office: Office) -> None:
    await open_permit(office, about=DOCTOR)
    said = {"stage": "recommend", "recommended": True, "note": "Ya", "letter": "440/7"}
    await signed(
        office,
        ("verifikator.bontang", "complete-stage", {"stage": "verify"}),
        ("loket.bontang", "give-recommendation", said),
        ("survei.bontang", "skip-survey", {"stage": "survey", "reason": "Dikenal"}),
        ("kepala.bontang", "sign-permit", {"stage": "sign", "document_number": "1/SIP"}),
    )
    year = office.running.kernel.now().year
    revoke = {"reason": "STR dicabut", "effective_on": f"{year + 1}-12-31"}
    today = office.running.kernel.now().date().isoformat()
    early = await ask(
        office, "kepala.bontang", "announce-revocation", **(revoke | {"effective_on": today})
    )
    assert (early.status_code, early.json()["code"]) == (422, "revocation-not-ahead")
    await signed(office, ("kepala.bontang", "announce-revocation", revoke))
    await knock(office, NUMBER, CODE)
    track = (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text
    assert f"{year + 5}" in track
    assert "Kantor akan mencabut izin ini pada" in track
    await signed(office, ("kepala.bontang", "lift-revocation", {"reason": "STR baru"}))
    track = (await office.http.get(f"/lacak/{NUMBER}", headers=HTML)).text
    assert "Kantor akan mencabut izin ini pada" not in track
    assert "Pencabutan dibatalkan" in track


async def test_what_came_for_nothing_is_listed_for_the_leaders(office: Office) -> None:
    await open_permit(office)
    await office.sign_in("penyelia")
    empty = (await office.http.get("/perlu-dilihat", headers=HTML)).text
    assert "Tidak ada yang perlu dilihat" in empty
    app = (await office.running.databases["workflow"].query("SELECT application_id FROM permits"))[
        0
    ][0]
    for event in (
        e.FeeSettlementRejected(application_id=app, bill_id="b", reason="not-waiting-for-payment"),
        e.PermitWithdrawalRejected(application_id=app, reason="permit-already-issued"),
        e.PermitRenewalRejected(application_id=app, renews="BGR-2021-000001", reason="not-found"),
    ):
        await office.happened(f"permit-{app}", event, application=app)

    async def listed() -> str:
        page = (await office.http.get("/perlu-dilihat", headers=HTML)).text
        return page if page.count(f'href="/berkas/{NUMBER}"') == 3 else ""

    page = await until(listed, what="the list")
    assert "Bendahara memutuskan" in page
    assert "BGR-2021-000001" in page
    await office.sign_in("verifikator")
    assert (await office.http.get("/perlu-dilihat", headers=HTML)).status_code == 403
