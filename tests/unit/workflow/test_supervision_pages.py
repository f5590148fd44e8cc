"""The leaders' pages on real parts: whom they show what, and that every number leads somewhere."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from services.workflow.permit import stream
from shared.actors import Actor, Role, system
from shared.contracts import workflow as e
from shared.events import to_micros
from shared.ids import derived_id, new_id
from tests.running import Office, running_office, settings_in, until
from tests.unit.workflow.office import submitted
from tests.unit.workflow.service import CODE, HTML, NUMBER, knock, open_permit

VERIFIER = str(Actor("officer", "verifikator", "bogor", frozenset({Role.VERIFIER})))
SIGNER = str(Actor("officer", "kepala", "bogor", frozenset({Role.SIGNER})))
WORKER = str(system("workflow"))
PAGES = (
    "/papan",
    "/papan/berkas",
    "/papan/macet",
    "/papan/kinerja",
    "/papan/sumbatan",
    "/papan/jumlah",
)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["workflow"]) as running:
        yield running


async def page(office: Office, path: str) -> str:
    answer = await office.http.get(path, headers=HTML)
    assert answer.status_code == 200, path
    return unescape(answer.text)


async def finished(office: Office, count: int) -> None:
    """Let files have come in, been verified within ten days, and issued, in the last weeks."""
    kernel = office.running.kernel
    now = datetime.now(UTC) - timedelta(days=12)
    for index in range(count):
        app, number = derived_id("finished", index), f"BGR-2026-8{index:05d}"
        about = {"application_id": app}
        begun = now - timedelta(hours=index)
        done = begun + timedelta(days=10)
        facts = [
            (
                e.PermitOpened(
                    number=number, office="bogor", permit_type="situ", permit_version=1, **about
                ),
                begun,
                WORKER,
            ),
            (e.StageStarted(stage="verify", role="verifier", **about), begun, WORKER),
            (e.StageCompleted(stage="verify", **about), done, VERIFIER),
            (
                e.PermitIssued(application_id=app, number=number, document_number=f"503/{index}"),
                done,
                SIGNER,
            ),
        ]
        event = submitted(app, number, office="bogor", permit_type="situ", channel="counter")
        await kernel.store.append(
            f"application-{app}",
            [kernel.codec.envelope(event, new_id(), to_micros(begun), "applicant", new_id(), app)],
            0,
        )
        await kernel.store.append(
            stream(app),
            [
                kernel.codec.envelope(event, new_id(), to_micros(at), by, new_id(), app)
                for event, at, by in facts
            ],
            0,
        )

    async def kept() -> bool:
        rows = await office.running.databases["workflow"].query(
            "SELECT COUNT(*) FROM history_outcomes"
        )
        return int(rows[0][0]) >= count

    await until(kept, what="the history")


async def test_the_pages_are_for_leaders_alone(office: Office) -> None:
    for path in (*PAGES, "/papan/kinerja.csv", "/papan/jumlah.csv"):
        answer = await office.http.get(path, headers=HTML)
        assert answer.status_code == 303, path
    await office.sign_in("verifikator")
    for path in (*PAGES, "/papan/kinerja.csv", "/papan/jumlah.csv"):
        assert (await office.http.get(path, headers=HTML)).status_code == 403, path
    for leader in ("penyelia", "kepala", "auditor"):
        await office.sign_in(leader)
        for path in PAGES:
            assert "<h1>" in await page(office, path)


async def test_empty_pages_say_what_will_come(office: Office) -> None:
    await office.sign_in("penyelia")
    for path, words in (
        ("/papan", "muncul di sini dengan sendirinya"),
        ("/papan/macet", "Tidak ada yang macet"),
        ("/papan/kinerja", "Tidak ada yang selesai pada masa itu"),
        ("/papan/jumlah", "Tidak ada yang masuk pada masa itu"),
    ):
        assert words in await page(office, path)


async def test_every_number_on_the_board_leads_to_exactly_its_files(office: Office) -> None:
    await open_permit(office)
    await office.sign_in("penyelia")
    board = await page(office, "/papan")
    links = set(re.findall(r'href="(/papan/berkas[^"]*)"', board))
    assert len(links) >= 3
    for link in links:
        assert f">{NUMBER}</a>" in await page(office, link), link
    for other in ("keadaan=overdue", "tahap=sign", "petugas=kepala", "izin=siup", "opd=dinkes"):
        assert "Tidak ada berkas seperti itu" in await page(office, f"/papan/berkas?{other}")


async def test_files_of_nobody_by_name_are_told_by_who_may_take_them(office: Office) -> None:
    await open_permit(office)
    await office.sign_in("penyelia")
    board = await page(office, "/papan")
    assert "Petugas verifikasi, tanpa nama" in board
    assert 'href="/papan/berkas?petugas=-verifier"' in board
    for those, there in (("-verifier", True), ("-", True), ("-signer", False)):
        told = await page(office, f"/papan/berkas?petugas={those}")
        assert (f">{NUMBER}</a>" in told) is there, those


async def test_a_step_of_two_versions_is_one_line_of_the_board_and_two_bottleneck_maps(
    office: Office,
) -> None:
    kernel = office.running.kernel
    for version in (1, 2):
        app, number = derived_id("version", version), f"BGR-2026-70000{version}"
        about = {"application_id": app}
        facts: list[Any] = [
            e.PermitOpened(
                number=number,
                office="bogor",
                permit_type="reklame",
                permit_version=version,
                **about,
            ),
            e.StageStarted(stage="sign", role="signer", **about),
        ]
        at = to_micros(datetime.now(UTC))
        new = [kernel.codec.envelope(fact, new_id(), at, WORKER, new_id(), app) for fact in facts]
        await kernel.store.append(stream(app), new, 0)

    await office.sign_in("penyelia")

    async def both() -> bool:
        return "70000" in (told := await page(office, "/papan/berkas")) and "2 berkas" in told

    await until(both, what="the two files")
    board = await page(office, "/papan")
    link = 'href="/papan/berkas?kantor=bogor&izin=reklame&tahap=sign">2<'
    assert board.count("tahap=sign") == board.count(link) == 1
    for version in (1, 2):
        one = f"/papan/berkas?kantor=bogor&izin=reklame&tahap=sign&versi={version}"
        assert f'href="{one}">1<' in await page(office, "/papan/sumbatan")
        told = await page(office, one)
        assert f">BGR-2026-70000{version}</a>" in told
        assert "1 berkas terbuka" in told


async def test_a_city_s_board_counts_the_offices_below_it_by_level(office: Office) -> None:
    village, city = "MTD-2026-000001", "JKS-2026-000001"
    for index, (number, place, kind) in enumerate(
        ((village, "menteng-dalam", "sku"), (city, "jakarta-selatan", "siup-jakarta"))
    ):
        about = {"office": place, "permit_type": kind}
        await open_permit(office, derived_id("level", index), number, about)
    await office.sign_in("penyelia.jakarta-selatan")
    board = await page(office, "/papan")
    for place in ("Menteng Dalam · Kelurahan", "PTSP Kota Jakarta Selatan · Kota"):
        assert place in board
    for place, there, elsewhere in (
        ("menteng-dalam", village, city),
        ("jakarta-selatan", city, village),
    ):
        link = f"/papan/berkas?kantor={place}"
        assert f'href="{link}">1<' in board
        told = await page(office, link)
        assert f">{there}</a>" in told
        assert f">{elsewhere}</a>" not in told
    await office.sign_in("penyelia")
    assert "Berkas terbuka per kantor dan tingkat" not in await page(office, "/papan")


async def test_an_office_outside_ones_own_is_not_there(office: Office) -> None:
    await open_permit(office)
    await office.sign_in("penyelia")
    for path in ("/papan/kinerja", "/papan/sumbatan", "/papan/jumlah", "/papan/jumlah.csv"):
        answer = await office.http.get(f"{path}?kantor=mataram", headers=HTML)
        assert answer.status_code == 404
    assert NUMBER not in await page(office, "/papan/berkas?kantor=mataram")


async def test_performance_names_steps_and_officers_and_an_officer_sees_only_their_own(
    office: Office,
) -> None:
    await finished(office, 4)
    await office.sign_in("penyelia")
    months = await page(office, "/papan/kinerja?dari=2020-01")
    assert "Verifikasi berkas" in months
    # Ten days where one was promised.
    assert "4 tahap selesai, 0 % tepat waktu" in months
    assert "petugas=officer%3Averifikator" in months
    rows = list(csv.reader((await office.http.get("/papan/kinerja.csv")).text.splitlines()))
    assert rows[0][:5] == ["office", "permit_type", "version", "stage", "officer"]
    assert rows[1][:6] == ["bogor", "situ", "1", "verify", "officer:verifikator", "4"]
    await office.sign_in("verifikator")
    assert "Verifikasi berkas" in await page(office, "/kinerja-saya")
    await office.sign_in("survei")
    assert "Anda belum menyelesaikan satu tahap pun" in await page(office, "/kinerja-saya")


async def test_volume_is_drawn_with_a_title_and_a_table_and_can_be_taken_away(
    office: Office,
) -> None:
    await finished(office, 5)
    await office.sign_in("penyelia")
    for calendar in ("masehi", "hijriah"):
        drawn = await page(office, f"/papan/jumlah?kalender={calendar}")
        assert '<title id="volume-title">' in drawn
        assert 'role="img"' in drawn
        assert "Loket: 5 (100 %)" in drawn
        assert " style=" not in drawn
    text = (await office.http.get("/papan/jumlah.csv")).text
    counts = [int(row["received"]) for row in csv.DictReader(text.splitlines())]
    assert sum(counts) == 5


async def test_work_that_piles_up_is_marked(office: Office) -> None:
    for index in range(1, 4):
        await open_permit(office, derived_id("pile", index), f"BGR-2026-00000{index}")
    await office.sign_in("penyelia")
    drawn = await page(office, "/papan/sumbatan")
    assert "Pekerjaan menumpuk di: Verifikasi berkas" in drawn
    assert "3 terbuka, 0 lewat batas" in drawn
    other = {"office": "bogor", "permit_type": "ho"}
    await open_permit(office, derived_id("pile", 4), "BGR-2026-000004", other)
    # What piles up comes first and is shown; the rest opens when asked.
    folds = re.findall(
        r'<details class="fold"( open)?><summary><span class="fold-title">([^<]+)',
        await page(office, "/papan/sumbatan"),
    )
    assert folds == [(" open", "Surat Izin Tempat Usaha (SITU)"), ("", "Izin Gangguan (HO)")]
    assert '<text class="chart-label"' in drawn
    # Many went through the step lately: three that wait are an ordinary day.
    await finished(office, 60)
    assert "Pekerjaan menumpuk" not in await page(office, "/papan/sumbatan")


async def test_an_applicant_reads_the_plan_first_and_then_what_experience_says(
    office: Office,
) -> None:
    await open_permit(office)
    await knock(office, NUMBER, CODE)
    told = await page(office, f"/lacak/{NUMBER}")
    assert "Berkas yang selesai masih terlalu sedikit" in told
    await finished(office, 25)
    told = await page(office, f"/lacak/{NUMBER}")
    assert "Kemungkinan diputuskan" in told
    english = await page(office, f"/lacak/{NUMBER}?lang=en")
    assert "Probably decided" in english
