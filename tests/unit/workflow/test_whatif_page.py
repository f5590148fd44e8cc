"""``/papan/bagaimana-jika`` on real parts, its form, and its runs in the background."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from services.workflow.supervision.watch import WHAT_IF, sisters_of
from services.workflow.whatif.form import Asked, Reader
from services.workflow.whatif.rules import Alternative
from services.workflow.whatif.runs import Run, Runs, Stage
from shared.actors import Role
from shared.identity import Account
from shared.offices import Catalogue, Ladder
from shared.settings import Settings
from shared.web.forms import Form
from shared.web.sse import LiveHub
from tests.running import Office, running_office, settings_in, until
from tests.unit.workflow.office import SmallOffice, small_office
from tests.unit.workflow.service import HTML, field, frame
from tests.unit.workflow.test_supervision_pages import finished

PATH = "/papan/bagaimana-jika"
CATALOGUE = Catalogue.load(Settings().config)
TODAY = date(2026, 6, 1)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["workflow"]) as running:
        yield running


async def page(office: Office, path: str = PATH) -> str:
    answer = await office.http.get(path, headers=HTML)
    assert answer.status_code == 200, path
    return unescape(answer.text)


async def ask(office: Office, **fields: str) -> int:
    """Send the form with some fields changed, as a browser would."""
    token = field((await office.http.get(PATH, headers=HTML)).text, "csrf_token")
    data = {name.replace("__", "."): value for name, value in fields.items()}
    answer = await office.http.post(PATH, data=data | {"csrf_token": token}, headers=HTML)
    return answer.status_code


async def answered(office: Office) -> str:
    """Wait until the latest question is answered, and return the page."""

    async def done() -> str:
        shown = await page(office)
        return shown if "Putar ulang selesai." in shown else ""

    found: str = await until(done, seconds=20, what="the answer")
    return found


async def test_only_who_supervises_or_audits_may_ask_or_is_led_there(office: Office) -> None:
    for path in (PATH, f"{PATH}/live", f"{PATH}/hasil.csv"):
        assert (await office.http.get(path, headers=HTML)).status_code == 303
    await office.sign_in("verifikator")
    for path in (PATH, f"{PATH}/live", f"{PATH}/hasil.csv"):
        assert (await office.http.get(path, headers=HTML)).status_code == 403
    signer = Account(username="a", display_name="A", office="bogor", roles=frozenset({Role.SIGNER}))
    assert WHAT_IF not in sisters_of(signer)
    for asker in ("penyelia", "auditor"):
        await office.sign_in(asker)
        assert f'href="{PATH}"' in await page(office, "/papan")
        assert "Bagaimana jika" in await page(office)
    assert (await office.http.get(f"{PATH}?kantor=blitar", headers=HTML)).status_code == 404


async def test_an_answer_has_a_table_a_chart_and_rows_and_records_nothing(office: Office) -> None:
    await finished(office, 3)
    await office.sign_in("penyelia")
    before = await office.running.kernel.store.head()
    assert await ask(office, situ__verify="30", situ__janji="60") == 303
    shown = await answered(office)
    assert "Surat Izin Tempat Usaha (SITU) · Verifikasi berkas · hari kerja" in shown
    assert "1 → 30" in shown
    assert "3 berkas" in shown
    assert "3 berkas akan diperlakukan lain" in shown
    assert shown.count('class="chart-bad"') == 2
    assert "Giliran terlambat per tahap" in shown
    answer = await office.http.get(f"{PATH}/hasil.csv")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [(row["stage"], row["variant_late_at"]) for row in rows] == [("verify", "")] * 3
    assert all(row["base_late_at"] for row in rows)
    assert await office.running.kernel.store.head() == before
    # The form still holds what was asked, for whoever comes back.
    assert 'name="situ.verify" type="text" value="30"' in shown


async def test_the_live_page_sends_the_answer(office: Office) -> None:
    await finished(office, 1)
    await office.sign_in("auditor")
    assert await ask(office, answer_minutes="1") == 303
    await answered(office)
    async with office.http.stream("GET", f"{PATH}/live", headers=HTML) as stream:
        lines = stream.aiter_lines()
        assert "Putar ulang selesai." in unescape(await frame(lines.__anext__))


async def test_what_is_wrong_is_said_and_nothing_runs(office: Office) -> None:
    await office.sign_in("penyelia")
    token = field((await office.http.get(PATH, headers=HTML)).text, "csrf_token")
    data = {"csrf_token": token, "situ.verify": "0", "hapus": "besok", "jam.mon": "12:00-08:00"}
    bad = b"warn_percent: 80\nanswer_minutes: 0\n"
    files = {"berkas-tangga": ("tangga.yaml", bad, "application/yaml")}
    answer = await office.http.post(PATH, data=data, files=files, headers=HTML)
    shown = unescape(answer.text)
    assert answer.status_code == 422
    assert "baris 2: answer_minutes: Tulis angka lebih dari 0." in shown
    for name in ("situ.verify", "hapus", "jam.mon", "berkas-tangga"):
        assert f'href="#f-{name}"' in shown, name
    # What needs correcting is not folded away.
    for part, state in (("izin-situ", " open"), ("kalender", " open"), ("tangga", "")):
        assert f'id="{part}"{state}>' in shown, part
    assert "Pertanyaan terakhir" not in await page(office)
    assert (await office.http.get(f"{PATH}/hasil.csv", headers=HTML)).status_code == 404


# ---- The form ----------------------------------------------------------------------------------


def read(**fields: str) -> Asked | None:
    values = {name.replace("__", "."): value for name, value in fields.items()}
    return Reader(values).read(CATALOGUE, CATALOGUE.offices["bogor"], TODAY, Alternative())


def test_a_form_that_was_not_changed_changes_nothing() -> None:
    asked = read(situ__verify="1", situ__janji="5", jam__mon="07:30-12:00, 13:00-16:00")
    assert asked is not None
    assert asked.alternative == Alternative()
    assert asked.changes == ()


def test_what_is_changed_becomes_rules() -> None:
    asked = read(
        situ__verify="1,5", jam__fri="", tambah="2026-06-03", hapus="2026-06-01", head_minutes="60"
    )
    assert asked is not None
    altered = asked.alternative
    assert altered.ladder == Ladder(head_minutes=60)
    assert altered.office is not None
    assert altered.office.hours["fri"] == ()
    assert altered.office.joint_leave[-1] == date(2026, 6, 3)
    assert altered.office.special_hours[date(2026, 6, 1)] == ("07:30-12:00", "13:00-16:00")
    (kind,) = altered.kinds
    stages = {entry["id"]: entry for entry in kind.workflow["stages"]}
    assert stages["verify"]["days"] == "1.5"
    assert len(asked.changes) == 5


def test_an_office_that_never_opens_is_refused() -> None:
    closed = {f"jam__{day}": "" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    assert read(**closed) is None


# ---- Runs --------------------------------------------------------------------------------------


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[SmallOffice]:
    async with small_office(tmp_path) as made:
        await made.open()
        yield made


def runs_of(small: SmallOffice) -> Runs:
    return Runs(small.store, small.codec, small.catalogue, LiveHub(), lambda: small.at)


def question(minutes: int = 60) -> Asked:
    return Asked(Alternative(ladder=Ladder(answer_minutes=minutes)), (), Form())


async def over(run: Run) -> bool:
    return not run.active


async def test_a_second_question_joins_the_one_that_is_answered(small: SmallOffice) -> None:
    runs = runs_of(small)
    first = runs.begin("contoh", question())
    assert runs.begin("contoh", question(30)) is first
    task = asyncio.create_task(runs.run())
    await until(lambda: over(first), what="the answer")
    assert (first.stage, first.report.permits) == (Stage.DONE, 1)
    assert runs.of("contoh") is first
    second = runs.begin("contoh", question(30))
    assert second is not first
    await until(lambda: over(second), what="the second answer")
    task.cancel()


async def test_a_question_that_waits_or_runs_can_be_stopped(small: SmallOffice) -> None:
    runs = runs_of(small)
    stopped = runs.begin("contoh", question())
    runs.stop("contoh")
    assert stopped.stage is Stage.STOPPED
    task = asyncio.create_task(runs.run())
    running = runs.begin("contoh", question())

    for _ in range(10_000):
        # A turn of the loop at a time: such a small log is read in a few of them.
        if running.stage is Stage.RUNNING:
            break
        await asyncio.sleep(0)
    runs.stop("contoh")
    await until(lambda: over(running))
    assert running.stage is Stage.STOPPED
    assert not running.report.complete
    last = runs.begin("contoh", question())
    await until(lambda: over(last))
    assert last.stage is Stage.DONE
    task.cancel()


async def test_a_failure_is_said_and_the_next_question_is_answered(small: SmallOffice) -> None:
    runs = runs_of(small)
    failing = runs.begin("contoh", question())
    failing.folder.cleanup()
    task = asyncio.create_task(runs.run())
    await until(lambda: over(failing))
    assert failing.stage is Stage.FAILED
    following = runs.begin("contoh", question())
    await until(lambda: over(following))
    assert following.stage is Stage.DONE
    task.cancel()
