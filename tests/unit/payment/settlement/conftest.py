"""A house of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.unit.payment.settlement.house import House, open_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The bank's lines carry the receipt numbers of its callbacks."""
    async with open_house(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def own_numbers(tmp_path: Path) -> AsyncIterator[House]:
    """The bank's lines carry numbers of the file's own."""
    async with open_house(tmp_path, references="own") as opened:
        yield opened
