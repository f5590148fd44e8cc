"""One running intake service per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.intake.house import House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Intake over a real store in a folder of its own."""
    async with open_house(tmp_path) as opened:
        yield opened
