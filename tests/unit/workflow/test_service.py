"""The whole service on real parts: store, bus, database and pages in one process."""

from __future__ import annotations

from pathlib import Path

from tests.running import running_office, settings_in


async def test_it_opens(tmp_path: Path) -> None:
    async with running_office(settings_in(tmp_path), ["workflow"]) as office:
        answer = await office.http.get("/lacak", headers={"accept": "text/html"})
        assert answer.status_code == 200
        await office.sign_in("kepala")
        for path in ("/tugas", "/papan"):
            answer = await office.http.get(path, headers={"accept": "text/html"})
            assert answer.status_code == 200, answer.text
