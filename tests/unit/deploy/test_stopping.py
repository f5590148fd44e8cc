"""An office that is cancelled stops in order, and leaves nothing behind in the loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.running import running_office, settings_in


async def test_nothing_runs_after_a_cancelled_office(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with running_office(settings_in(tmp_path), ["payment"]) as office:
        assert (await office.http.get("/healthz")).status_code == 200
    assert asyncio.all_tasks() == before


async def test_offices_follow_one_another_in_one_loop(tmp_path: Path) -> None:
    """Sockets get the numbers of those before them; each must be heard."""
    for count in range(3):
        folder = tmp_path / str(count)
        folder.mkdir()
        async with running_office(settings_in(folder), ["payment"]) as office:
            assert (await office.http.get("/healthz")).status_code == 200
