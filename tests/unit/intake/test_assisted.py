"""The counter's help, the pilot, renewal and the data files, as people meet them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from shared.offices import Catalogue
from tests.unit.intake.house import House, open_house
from tests.unit.intake.test_pages import hidden, send

HTML = {"accept": "text/html"}
CALLER = {
    "name": "Pemohon Contoh",
    "nik": "3271046504930002",
    "phone": "0812 3456 7890",
    "office": "tebet",
    "answer-location": "Jl. Contoh",
    "answer-area": "90",
    "answer-use": "Rumah",
}


async def counter(house: House, office: str) -> httpx.AsyncClient:
    return await house.sign_in("loket" if office == "bogor" else f"loket.{office}")


async def test_the_counter_chooses_from_what_its_own_office_gives(house: House) -> None:
    page = (await (await counter(house, "tebet")).get("/pendaftaran/baru")).text
    assert "/ajukan/imb?office=tebet&amp;channel=counter" in page
    assert "Untuk sementara hanya di loket" in page
    assert "/ajukan/trayek" not in page
    assert (await house.client.get("/pendaftaran/baru", headers=HTML)).status_code in (303, 401)


async def test_a_counter_without_other_channels_is_told_what_to_do(house: House) -> None:
    page = (await (await counter(house, "blitar")).get("/pendaftaran/baru")).text
    assert "Tidak ada yang dimasukkan di loket ini" in page
    assert 'href="/izin"' in page


@pytest.mark.parametrize("channel", ["counter", "email", "phone"])
async def test_a_type_outside_the_pilot_is_entered_by_the_counter(
    house: House, channel: str
) -> None:
    officer = await counter(house, "tebet")
    path = "/ajukan/imb?office=tebet&channel=counter"
    typed = CALLER | {"channel": channel}
    answer = await send(officer, path, typed, None, "key", action="/ajukan/imb")
    assert answer.status_code == 303, answer.text
    await house.settled()
    kept = (await officer.get("/diterima")).text
    assert "data-print" in kept
    number = kept.split("TBT-")[1][:11]
    shown = (await officer.get(f"/pendaftaran/TBT-{number}")).text
    word = {"counter": "Di loket", "email": "Lewat surel", "phone": "Lewat telepon"}[channel]
    assert word in shown


async def test_the_public_is_told_to_come_before_filling_in_a_form(house: House) -> None:
    refused = await house.client.get("/ajukan/imb?office=tebet", headers=HTML)
    assert refused.status_code == 409
    for way in ("Di loket", "Lewat surel", "Lewat telepon"):
        assert way in refused.text
    page = (await house.client.get("/izin/imb")).text
    assert "/ajukan/imb?office=tebet" not in page
    assert "/ajukan/imb?office=bogor" in page


async def test_a_program_is_told_the_same(house: House) -> None:
    documents = (await house.application())["documents"][:1]
    body = {
        "office": "tebet",
        "permit_type": "sku",
        "applicant": {"name": "P", "nik": "3271046504930002", "phone": "081234567890"},
        "answers": {"business-name": "W", "business-address": "J"},
        "documents": [documents[0] | {"requirement": one} for one in ("ktp", "kk", "pengantar")],
    }
    assert (await house.client.post("/api/applications", json=body)).status_code == 201
    imb = {"location": "J", "area": 90, "use": "R"}
    needed = ("formulir", "ktp", "surat-tanah", "gambar-denah", "pbb")
    body |= {
        "permit_type": "imb",
        "answers": imb,
        "documents": [documents[0] | {"requirement": one} for one in needed],
    }
    refused = await house.client.post("/api/applications", json=body)
    assert refused.status_code == 409, refused.text
    assert refused.json()["code"] == "not-online-yet"
    assert refused.json()["allowed"] == ["counter", "email", "phone"]


async def test_a_renewal_names_the_permit_and_its_shape_is_checked(house: House) -> None:
    officer = await counter(house, "bogor")
    typed = {
        "name": "Pemohon Contoh",
        "nik": "3271046504930002",
        "phone": "0812 3456 7890",
        "office": "bogor",
        "channel": "counter",
        "answer-business-name": "Warung",
        "answer-business-address": "Jl. Contoh",
        "answer-area": "40",
    }
    wrong = await send(officer, "/ajukan/ho", typed | {"renews": "nomor lama"}, None, "key")
    assert wrong.status_code == 422
    assert "Tulis nomor seperti pada izin" in wrong.text
    right = await send(officer, "/ajukan/ho", typed | {"renews": "bgr-2021-000042 "}, None, "key")
    assert right.status_code == 303, right.text
    await house.settled()
    shown = (await officer.get("/pendaftaran/BGR-2026-000001")).text
    assert "BGR-2021-000042" in shown


async def test_what_is_not_renewed_says_so(house: House) -> None:
    assert 'name="renews"' not in (await house.client.get("/ajukan/situ")).text
    refused = await house.client.post(
        "/api/applications", json=await house.application(renews="BGR-2021-000042")
    )
    assert refused.status_code == 422
    assert refused.json()["code"] == "not-renewable"


async def test_an_officer_enters_only_for_their_own_office(house: House) -> None:
    page = (await (await counter(house, "tebet")).get("/ajukan/siup-jakarta?channel=phone")).text
    assert hidden(page, "office") == "tebet"
    assert len(re.findall(r'value="phone"[^>]*checked', page)) == 1


async def test_the_catalogue_tells_programs_versions_levels_and_pilot(house: House) -> None:
    told = (await house.client.get("/api/catalogue")).json()
    offices = {office["id"]: office for office in told["offices"]}
    assert offices["tebet"]["online"] == ["siup-jakarta", "sku"]
    assert (offices["tebet"]["level"], offices["tebet"]["parent"]) == (
        "kecamatan",
        "jakarta-selatan",
    )
    assert offices["bogor"]["version"] == 1
    kinds = {kind["id"]: kind for kind in told["permit_types"]}
    assert kinds["imb"]["authority"][0] == {
        "level": "kecamatan",
        "when": {"field": "area", "max": 100},
    }
    assert (kinds["imb"]["offices"], kinds["imb"]["online"]) == (
        ["bogor", "tebet", "jakarta-selatan"],
        ["bogor"],
    )
    assert kinds["reklame"]["version"] == 1
    assert kinds["ho"]["renewable"]
    assert "assumed" in kinds["ho"]["source"]


async def test_the_keeper_of_the_files_sees_versions_and_what_was_refused(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        admin = await house.sign_in("admin")
        page = (await admin.get("/berkas-data")).text
        assert "Semua berkas dapat dipakai." in page
        assert page.count("Izin Reklame") == 2
        assert "Akan berlaku" in page
        loket = await house.sign_in("loket")
        assert (await loket.get("/berkas-data")).status_code == 403


def test_a_catalogue_without_files_has_nothing_to_refuse(tmp_path: Path) -> None:
    assert Catalogue.load(tmp_path).refused == ()
