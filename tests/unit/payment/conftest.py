"""A payment service that runs for a whole test module, and a fresh bill for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.running import Office, running_office, settings_in
from tests.unit.payment.bank_case import Case, assessed
from tests.unit.payment.treasury_kit import Till


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder = tmp_path_factory.mktemp("payment")
    async with running_office(settings_in(folder, bank_page="/bank"), ["payment"]) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def case(office: Office) -> Case:
    """A bill that was just issued because a fee was assessed."""
    return await assessed(office)


@pytest_asyncio.fixture(loop_scope="module")
async def till(office: Office) -> AsyncIterator[Till]:
    """The treasurer is signed in, and can make things happen to bills."""
    office.http.cookies.clear()
    await office.sign_in("bendahara")
    yield Till(office)
    office.http.cookies.clear()
