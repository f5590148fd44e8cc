"""A document that stands still: found at the start, asked about, explained, and on the board."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from services.intake.secrecy import Secrecy, code_hash
from shared.actors import APPLICANT, Actor
from shared.codec import Codec
from shared.contracts.intake import ApplicationRegistered, ApplicationSubmitted
from shared.events import to_micros
from shared.ids import derived_id
from shared.settings import kept_secret
from shared.store.sqlite import SqliteStore
from tests.e2e.people import Keepsake, at, give, moved, open_desk, open_file, open_window, track
from tests.examples import example
from tests.process import OfficeProcess

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NUMBER, APPLICATION = "BGR-2026-000900", derived_id("a permit that stands still")
DAYS_AGO = 30
WHY = "Petugas sakit dan belum ada penggantinya."


@pytest.fixture
def kept(tmp_path: Path) -> Keepsake:
    """An application that was registered weeks ago, by an office that was closed ever since."""
    data = tmp_path / "data"
    data.mkdir()
    secrets = data / "secrets"
    secrecy = Secrecy(kept_secret(secrets, "tracking"), kept_secret(secrets, "receipt"))
    code = secrecy.code(APPLICATION)
    asyncio.run(_record(data, code_hash(code)))
    return Keepsake(NUMBER, code)


@pytest.fixture
def office(kept: Keepsake, tmp_path: Path) -> Iterator[OfficeProcess]:
    """The office, opened again."""
    with OfficeProcess(tmp_path / "data") as running:
        yield running


async def _record(data: Path, hashed: str) -> None:
    """Append the past as an import does: through the codec, with the times of then."""
    about = {"application_id": APPLICATION, "number": NUMBER, "office": "bogor"}
    kind = {"permit_type": "situ", "permit_version": 1}
    submitted = example(ApplicationSubmitted, **about, **kind, channel="online", code_hash=hashed)
    registered = example(ApplicationRegistered, **about, **kind, planned_end="")
    then = datetime.now(UTC) - timedelta(days=DAYS_AGO)
    codec, store = Codec(), SqliteStore(data / "events.sqlite")
    officer = str(Actor("officer", "loket", "bogor", frozenset()))
    facts = [(submitted, str(APPLICANT)), (registered, officer)]
    new = [
        codec.envelope(
            event,
            derived_id(APPLICATION, place),
            to_micros(then) + place,
            by,
            derived_id(APPLICATION, "cause", place),
            APPLICATION,
        )
        for place, (event, by) in enumerate(facts)
    ]
    await store.append(f"application-{APPLICATION}", new, 0)
    await store.close()


async def test_a_stalled_file_is_asked_about_and_the_answer_is_on_the_board(
    office: OfficeProcess, browser: Browser, kept: Keepsake
) -> None:
    supervisor = await open_desk(browser, at(office), "penyelia")
    await supervisor.go("/papan")
    stalled = supervisor.page.locator("li.card").filter(has_text=NUMBER)
    await expect(stalled).to_contain_text(supervisor.word("Explanation asked for"))
    await supervisor.picture("id-stall-board")
    await supervisor.page.evaluate("window.neverReloaded = true")

    officer = await open_desk(browser, at(office), "verifikator")
    await officer.go("/kotak-keluar")
    await officer.says(NUMBER, "melewati batas waktunya", "Mohon jelaskan")
    await officer.picture("id-stall-outbox")
    await open_file(officer, NUMBER)
    await officer.says(officer.word("This file stands still"))
    await officer.picture("id-stall-file")
    promised = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    await give(officer, "explain-stall", explanation=WHY, promised=promised)
    await officer.picture("id-stall-explained")

    await expect(stalled).to_contain_text(supervisor.word("Explained"))
    await expect(stalled).to_contain_text(WHY)
    assert await supervisor.page.evaluate("window.neverReloaded === true")
    await supervisor.picture("id-stall-board-explained")

    applicant = await open_window(browser, at(office), "applicant")
    await track(applicant, kept)
    await moved(applicant, "In process", "Verifikasi berkas", pictures="id-stall")
    assert WHY not in await applicant.page.locator("main").inner_text()
    for window in (supervisor, officer, applicant):
        await window.close()


async def test_after_a_restart_the_officer_is_not_asked_again(
    office: OfficeProcess, browser: Browser
) -> None:
    officer = await open_desk(browser, at(office), "verifikator")
    await officer.go("/kotak-keluar")
    await officer.says("Mohon jelaskan")
    told = await officer.page.locator("main li").count()
    address = office.address
    office.restart()
    assert office.address == address
    await asyncio.sleep(2.5)
    await officer.go("/kotak-keluar")
    assert await officer.page.locator("main li").count() == told
    await officer.close()


async def test_board_and_activity_are_watched_side_by_side(
    office: OfficeProcess, browser: Browser
) -> None:
    board = await open_desk(browser, at(office), "penyelia")
    await board.go("/papan")
    activity = await open_desk(browser, at(office), "kepala")
    await activity.go("/papan/aktivitas")
    for window in (board, activity):
        live = window.page.locator(".live-state")
        await expect(live).to_have_attribute("data-state", "live")
    # Long enough for both to be drawn anew by the office.
    await asyncio.sleep(2.5)
    await board.says(NUMBER, board.word("Open files"))
    assert NUMBER not in await activity.page.locator("main").inner_text()
    await activity.picture("id-activity")
    await board.close()
    await activity.close()
