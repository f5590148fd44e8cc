"""The journey of one permit in a real browser, from the catalogue to hand-over."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.e2e.people import apply_for_situ, open_desk, open_window, register
from tests.process import OfficeProcess

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def test_first(office: OfficeProcess, browser: Browser) -> None:
    applicant = await open_window(browser, office.address, "applicant")
    kept = await apply_for_situ(applicant, pictures="id")
    loket = await open_desk(browser, office.address, "loket")
    await register(loket, kept.number, pictures="id")
    await applicant.close()
    await loket.close()
