"""Intake for people: the pages an applicant and the counter really use."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest

from services.intake.counter import queue_key
from tests.unit.intake import papers
from tests.unit.intake.house import House, sha256, token

TYPED = {
    "name": "Pemohon Contoh",
    "nik": "3271046504930002",
    "phone": "0812 3456 7890",
    "office": "bogor",
    "answer-business-name": "Warung Contoh",
    "answer-business-address": "Jl. Contoh 2\r\nBogor",
    "answer-area": "40",
}
PAPERS = {
    "document-ktp": ("ktp.pdf", papers.pdf("ktp"), "application/pdf"),
    "document-bukti-tempat": ("bukti.jpg", papers.jpeg(), "image/jpeg"),
    "document-persetujuan-tetangga": ("tetangga.png", papers.png(), "image/png"),
}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


async def send(
    client: httpx.AsyncClient,
    path: str,
    typed: dict[str, str],
    files: dict[str, Any] | None = None,
    *carried: str,
    action: str | None = None,
) -> httpx.Response:
    """Open a page, fill its form and send it."""
    page = (await client.get(path)).text
    fields = {"csrf_token": token(page)} | {name: hidden(page, name) for name in carried} | typed
    return await client.post(action or path, data=fields, files=files)


async def apply(house: House, **changes: str) -> httpx.Response:
    return await send(house.client, "/ajukan/situ", TYPED | changes, PAPERS, "key")


async def accepted(house: House) -> tuple[str, str]:
    """Apply, and return the number and the code that the page shows."""
    answer = await apply(house)
    assert answer.status_code == 303, answer.text
    page = (await house.client.get(answer.headers["location"])).text
    number, code = re.findall(r'data-copy="([^"]+)"', page)
    await house.settled()
    return number, code


@pytest.mark.parametrize("lang", ["id", "en"])
async def test_people_see_documents_time_and_cost_before_applying(house: House, lang: str) -> None:
    for path in ("/", "/izin", "/izin/situ", "/ajukan/situ", "/perbaiki"):
        answer = await house.client.get(path, params={"lang": lang})
        assert answer.status_code == 200, path
        assert f'lang="{lang}"' in answer.text
    page = (await house.client.get("/izin/situ")).text
    assert ("5 hari kerja" if lang == "id" else "5 working days") in page
    assert "Rp2" in page
    assert "KTP" in page


async def test_an_unknown_permit_type_is_not_found(house: House) -> None:
    headers = {"accept": "text/html"}
    assert (await house.client.get("/izin/terbang", headers=headers)).status_code == 404
    assert (await house.client.get("/ajukan/terbang", headers=headers)).status_code == 404


async def test_applying_ends_on_a_page_with_number_and_code(house: House) -> None:
    answer = await apply(house)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/diterima"
    page = (await house.client.get("/diterima")).text
    assert "BGR-2026-000001" in page
    assert "/lacak?number=BGR-2026-000001" in page
    assert "<svg" in page
    code = re.findall(r'data-copy="([^"]+)"', page)[1]
    assert len(code) == 26
    assert code not in str(answer.headers)


async def test_the_page_is_forgotten_when_it_is_closed(house: House) -> None:
    await accepted(house)
    page = (await house.client.get("/diterima")).text
    closed = await house.client.post("/diterima", data={"csrf_token": token(page)})
    assert closed.headers["location"] == "/"
    again = await house.client.get("/diterima")
    assert again.status_code == 303


async def test_sending_the_same_form_twice_is_one_application(house: House) -> None:
    page = (await house.client.get("/ajukan/situ")).text
    fields = TYPED | {"csrf_token": token(page), "key": hidden(page, "key")}
    for _ in range(2):
        answer = await house.client.post("/ajukan/situ", data=fields, files=PAPERS)
        assert answer.status_code == 303
        assert "BGR-2026-000001" in (await house.client.get("/diterima")).text
    changed = fields | {"answer-business-name": "Lain"}
    asked = await house.client.post("/ajukan/situ", data=changed, files=PAPERS)
    assert asked.status_code == 422
    assert hidden(asked.text, "key") != fields["key"]


async def test_what_was_typed_and_attached_stays_when_something_is_wrong(house: House) -> None:
    wrong = await apply(house, nik="12", phone="0812 x")
    assert wrong.status_code == 422
    page = wrong.text
    assert "data-error-summary" in page
    assert 'value="Pemohon Contoh"' in page
    assert "Jl. Contoh 2" in page
    fields = {"csrf_token": token(page), "key": hidden(page, "key")} | TYPED
    fields |= {
        f"kept-{name}": hidden(page, f"kept-{name}")
        for name in ("ktp", "bukti-tempat", "persetujuan-tetangga")
    }
    right = await house.client.post("/ajukan/situ", data=fields)
    assert right.status_code == 303
    assert "BGR-2026-000001" in (await house.client.get("/diterima")).text


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("ktp.pdf", b"bukan pdf", "dapat dibuka"),
        ("ktp.png", papers.pdf(), "tidak sesuai dengan isinya"),
        ("../ktp.pdf", papers.pdf(), ""),
        ("ktp.pdf", papers.encrypted_pdf(), "sandi"),
        ("ktp.pdf", papers.pdf_with_script(), "skrip"),
        ("ktp.pdf", papers.pdf() + bytes(11 * 1024 * 1024), "10 MB"),
    ],
)
async def test_a_bad_document_is_named_in_the_form(
    house: House, name: str, data: bytes, sentence: str
) -> None:
    files = PAPERS | {"document-ktp": (name, data, "application/pdf")}
    answer = await send(house.client, "/ajukan/situ", TYPED, files, "key")
    if sentence == "":
        # The browser's parser already keeps only the last part of such a name.
        assert answer.status_code in (303, 422)
        return
    assert answer.status_code == 422
    assert 'href="#f-document-ktp"' in answer.text
    assert sentence in answer.text
    assert 'name="kept-bukti-tempat"' in answer.text
    assert await house.kernel.store.head() == 0


async def test_missing_documents_and_unknown_fields_are_said(house: House) -> None:
    answer = await send(house.client, "/ajukan/situ", TYPED | {"status": "issued"}, None, "key")
    assert answer.status_code == 422
    assert 'href="#f-document-ktp"' in answer.text
    assert 'href="#f-status"' in answer.text
    assert "issued" not in answer.text


async def test_a_document_can_not_be_named_by_somebody_else(house: House) -> None:
    forged = {"kept-ktp": sha256(papers.pdf("ktp"))}
    answer = await send(house.client, "/ajukan/situ", TYPED | forged, None, "key")
    assert 'href="#f-document-ktp"' in answer.text


async def test_a_form_without_its_token_is_refused(house: House) -> None:
    answer = await house.client.post("/ajukan/situ", data=TYPED, files=PAPERS)
    assert answer.status_code == 403


async def test_the_receipt_can_be_checked_by_anybody(house: House) -> None:
    number, _ = await accepted(house)
    page = (await house.client.get("/diterima")).text
    link = re.findall(r'href="(/terima/[^"]+)"', page)[0]
    genuine = await house.client.get(link)
    assert genuine.status_code == 200
    assert "Pemohon Contoh" not in genuine.text
    assert number in genuine.text
    assert (await house.client.get(link[:-2] + "xx")).status_code == 404
    assert (await house.client.get("/terima/BGR-2026-000009/x")).status_code == 404


async def test_the_counter_returns_and_the_applicant_corrects(house: House) -> None:
    number, code = await accepted(house)
    desk = await house.sign_in("loket")
    assert number in (await desk.get("/pendaftaran")).text
    path = f"/pendaftaran/{number}"
    judged = {"check-ktp": "bad", "reason-ktp": "Foto buram.", "action": "return"}
    returned = await send(desk, path, judged, None, "version")
    assert returned.headers["location"] == "/pendaftaran"
    assert f"/pendaftaran/{number}" not in (await desk.get("/pendaftaran")).text
    assert number in (await desk.get("/pendaftaran", params={"status": "returned"})).text

    wrong = await send(house.client, "/perbaiki", {"number": number, "code": "salah"})
    assert wrong.status_code == 422
    opened = await send(house.client, "/perbaiki", {"number": number, "code": code.lower()})
    assert opened.headers["location"] == "/perbaiki/isi"
    page = (await house.client.get("/perbaiki/isi")).text
    assert "Foto buram." in page
    assert "Warung Contoh" in page
    assert 'name="kept-ktp"' not in page
    typed = {name: value for name, value in TYPED.items() if name.startswith("answer-")}
    carried = ("key", "version", "kept-bukti-tempat", "kept-persetujuan-tetangga")
    same = {"document-ktp": PAPERS["document-ktp"]}
    again = await send(house.client, "/perbaiki/isi", typed, same, *carried)
    assert again.status_code == 422
    assert 'href="#f-document-ktp"' in again.text
    new = {"document-ktp": ("ktp.pdf", papers.pdf("terang"), "application/pdf")}
    sent = await send(house.client, "/perbaiki/isi", typed, new, *carried)
    assert sent.status_code == 303
    assert "Foto buram." not in (await house.client.get("/perbaiki/isi")).text

    assert "Diperbaiki" in (await desk.get("/pendaftaran")).text
    checked = {f"check-{name}": "ok" for name in ("ktp", "bukti-tempat", "persetujuan-tetangga")}
    registered = await send(desk, path, checked | {"action": "register"}, None, "version")
    assert registered.status_code == 303
    assert number in (await desk.get("/pendaftaran", params={"status": "registered"})).text


async def test_the_counter_must_look_at_every_document(house: House) -> None:
    number, _ = await accepted(house)
    desk = await house.sign_in("loket")
    path = f"/pendaftaran/{number}"
    blind = await send(desk, path, {"action": "register", "check-ktp": "ok"}, None, "version")
    assert blind.status_code == 422
    assert 'href="#f-check-bukti-tempat"' in blind.text
    for judged, field in [
        ({"action": "register", "check-ktp": "bad"}, "check-ktp"),
        ({"action": "return", "check-ktp": "bad"}, "reason-ktp"),
        ({"action": "return"}, "note"),
        ({"action": "delete"}, "action"),
    ]:
        refused = await send(desk, path, judged, None, "version")
        assert refused.status_code == 422
        assert f'href="#f-{field}"' in refused.text


async def test_documents_are_for_officers_of_that_office_and_saved_not_shown(house: House) -> None:
    number, _ = await accepted(house)
    desk = await house.sign_in("loket")
    page = (await desk.get(f"/pendaftaran/{number}")).text
    link = re.findall(r'href="(/dokumen/[^"]+)"', page)[0]
    file = await desk.get(link)
    assert file.content == papers.pdf("ktp")
    assert file.headers["content-disposition"] == f'attachment; filename="{number}-ktp.pdf"'
    assert file.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in file.headers["content-security-policy"]
    assert (await house.client.get(link)).status_code == 401
    elsewhere = await house.sign_in("loket.mataram")
    assert (await elsewhere.get(link)).status_code == 403
    other = link.rsplit("/", 1)[0] + "/" + sha256(papers.pdf("lain"))
    await house.upload(papers.pdf("lain"))
    assert (await desk.get(other)).status_code == 404


async def test_another_office_sees_nothing(house: House) -> None:
    number, _ = await accepted(house)
    elsewhere = await house.sign_in("loket.mataram")
    assert number not in (await elsewhere.get("/pendaftaran")).text
    refused = await elsewhere.get(f"/pendaftaran/{number}")
    assert refused.status_code == 403
    verifier = await house.sign_in("verifikator")
    assert (await verifier.get("/pendaftaran")).status_code == 403
    visitor = await house.client.get("/pendaftaran", headers={"accept": "text/html"})
    assert visitor.headers["location"].startswith("/login")


async def test_the_applicant_withdraws(house: House) -> None:
    number, code = await accepted(house)
    await send(house.client, "/perbaiki", {"number": number, "code": code})
    answer = await send(
        house.client, "/perbaiki/isi", {"reason": "Batal."}, action="/perbaiki/tarik"
    )
    assert answer.status_code == 303
    assert "ditarik" in (await house.client.get("/perbaiki/isi")).text
    desk = await house.sign_in("loket")
    assert number in (await desk.get("/pendaftaran", params={"status": "withdrawn"})).text


async def test_without_number_and_code_nothing_is_shown(house: House) -> None:
    assert (await house.client.get("/perbaiki/isi")).headers["location"] == "/perbaiki"
    assert (await house.client.get("/diterima")).headers["location"] == "/"


async def test_the_counter_enters_for_somebody_who_stands_there(house: House) -> None:
    desk = await house.sign_in("loket")
    page = (await desk.get("/ajukan/situ")).text
    assert 'name="channel"' in page
    assert 'name="channel"' not in (await house.client.get("/ajukan/situ")).text
    unsaid = await send(desk, "/ajukan/situ", TYPED, PAPERS, "key")
    assert 'href="#f-channel"' in unsaid.text
    answer = await send(desk, "/ajukan/situ", TYPED | {"channel": "counter"}, None, "key")
    assert answer.status_code == 303
    await house.settled()
    assert "Di loket" in (await desk.get("/pendaftaran")).text


async def test_the_queue_is_redrawn_when_something_comes_in(house: House) -> None:
    redrawn: list[str] = []

    async def draw(lang: str) -> str:
        redrawn.append(lang)
        return str(len(redrawn))

    watching = house.kernel.hub.subscribe(queue_key("bogor", "submitted"), "id", draw)
    await anext(watching)
    await accepted(house)
    async with asyncio.timeout(5):
        assert b"data: 2" in await anext(watching)
    await watching.aclose()
