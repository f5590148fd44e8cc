"""The officers' pages on real parts: what they show, take and refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.running import Office, running_office, settings_in
from tests.unit.workflow.service import (
    HTML,
    NUMBER,
    PERMIT,
    basic,
    field,
    form,
    open_permit,
)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["workflow"]) as running:
        yield running


async def test_an_officer_finds_the_file_finishes_the_step_and_sees_it_gone(
    office: Office,
) -> None:
    await open_permit(office)
    await office.sign_in("verifikator")
    queue = (await office.http.get("/tugas", headers=HTML)).text
    assert f'href="/berkas/{NUMBER}"' in queue
    assert "Pemohon Contoh" in queue
    answer = await form(office, "complete-stage", note="Lengkap")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/berkas/{NUMBER}")
    page = (await office.http.get(f"/berkas/{NUMBER}", headers=HTML)).text
    assert f"Selesai. {NUMBER} diteruskan" in page
    assert "Tidak ada yang perlu Anda kerjakan" in page
    assert NUMBER not in (await office.http.get("/tugas", headers=HTML)).text


async def test_refusals_are_shown_on_the_page_with_what_is_possible(office: Office) -> None:
    await open_permit(office)
    await office.sign_in("verifikator")
    page = (await office.http.get(f"/berkas/{NUMBER}", headers=HTML)).text
    hidden = {name: field(page, name) for name in ("csrf_token", "version", "stage")}
    path = f"/berkas/{NUMBER}/complete-stage"
    # Nothing typed where something is needed.
    bad = await office.http.post(
        f"/berkas/{NUMBER}/return-permit", data=hidden | {"reason": " "}, headers=HTML
    )
    assert bad.status_code == 422
    assert "Harus diisi" in bad.text
    # A stale screen: somebody returned the permit in another window.
    assert (await form(office, "return-permit", reason="KTP buram")).status_code == 303
    stale = await office.http.post(path, data=hidden, headers=HTML)
    assert stale.status_code == 409
    assert "menunggu perbaikan" in stale.text
    outdated = await office.http.post(path, data=hidden | {"version": "99"}, headers=HTML)
    assert outdated.status_code == 409
    assert (await office.http.post(path, data={}, headers=HTML)).status_code == 403
    assert (
        await office.http.post(f"/berkas/{NUMBER}/lain", data=hidden, headers=HTML)
    ).status_code == 404


async def test_the_measures_are_checked_against_the_procedure(office: Office) -> None:
    await open_permit(office)
    for username, action, body in (
        ("verifikator", "complete-stage", {"stage": "verify"}),
        ("survei", "skip-survey", {"stage": "survey", "reason": "-"}),
    ):
        answer = await office.http.post(f"{PERMIT}/{action}", json=body, headers=basic(username))
        assert answer.status_code == 200, answer.text
    await office.sign_in("penilai")
    for value, sentence in (("0", "1 atau lebih"), ("x", "bilangan bulat"), ("", "Harus diisi")):
        answer = await form(office, "assess-fee", **{"measures.area_m2": value})
        assert answer.status_code == 422
        assert sentence in answer.text
    assert (await form(office, "assess-fee", **{"measures.area_m2": "60"})).status_code == 303


async def test_the_board_and_the_doors_are_for_those_they_are_for(office: Office) -> None:
    await open_permit(office)
    for path in ("/tugas", "/papan", f"/berkas/{NUMBER}"):
        answer = await office.http.get(path, headers=HTML)
        assert (answer.status_code, answer.headers["location"][:7]) == (303, "/login?")
    await office.sign_in("verifikator")
    assert (await office.http.get("/papan", headers=HTML)).status_code == 403
    assert (await office.http.get("/berkas/BGR-2026-999999", headers=HTML)).status_code == 404
    await office.sign_in("penyelia")
    board = await office.http.get("/papan", headers=HTML)
    assert NUMBER in board.text
    assert "Verifikasi berkas" in board.text
    assert "Pemohon Contoh" not in board.text
    english = await office.http.get("/papan?lang=en", headers=HTML)
    assert "Every open file" in english.text
