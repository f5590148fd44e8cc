"""Programs on real parts: the same commands and refusals as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.running import Office, running_office, settings_in
from tests.unit.workflow.service import (
    CODE,
    NUMBER,
    PERMIT,
    basic,
    open_permit,
)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["workflow"]) as running:
        yield running


async def test_a_program_reads_and_commands(office: Office) -> None:
    await open_permit(office)
    status = (await office.http.get(PERMIT, headers=basic("verifikator"))).json()
    assert (status["status"], status["stage"]) == ("in-process", "verify")
    assert (status["version"], status["clock"]) == (2, "running")
    assert status["allowed"] == ["CompleteStage", "ReturnPermit"]
    assert status["total"]["budget"] == 2250
    key = basic("verifikator") | {"idempotency-key": "one", "if-match": '"2"'}
    body = {"stage": "verify", "note": "Lengkap"}
    first = await office.http.post(f"{PERMIT}/complete-stage", json=body, headers=key)
    assert first.json()["events"] == ["StageCompleted", "StageStarted"]
    again = await office.http.post(f"{PERMIT}/complete-stage", json=body, headers=key)
    assert (again.status_code, again.json()["events"]) == (200, [])
    assert again.json()["version"] == 4
    other = await office.http.post(
        f"{PERMIT}/complete-stage", json=body | {"note": "Lain"}, headers=key
    )
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")


BAD = [
    ("complete-stage", {"stage": "verify", "status": "issued"}, 422, "invalid-input"),
    ("complete-stage", {"stage": "verify", "note": "a" * 3000}, 422, "invalid-input"),
    ("complete-stage", {"stage": "verify", "note": "a\u202eb"}, 422, "invalid-input"),
    ("complete-stage", {}, 422, "invalid-input"),
    ("complete-stage", {"stage": "survey"}, 409, "other-stage"),
    ("sign-permit", {"stage": "sign", "document_number": "1"}, 403, "other-role"),
]


async def test_bad_requests_change_nothing_and_echo_nothing(office: Office) -> None:
    await open_permit(office)
    who = basic("verifikator") | {"accept-language": "en"}
    for action, body, status, code in BAD:
        answer = await office.http.post(f"{PERMIT}/{action}", json=body, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "aaa" not in answer.text
    assert (await office.http.get(PERMIT, headers=who)).json()["version"] == 2


async def test_stale_versions_and_strangers_are_refused(office: Office) -> None:
    await open_permit(office)
    path, body = f"{PERMIT}/complete-stage", {"stage": "verify"}
    stale = await office.http.post(
        path, json=body, headers=basic("verifikator") | {"if-match": '"1"'}
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-screen")
    nonsense = await office.http.post(
        path, json=body, headers=basic("verifikator") | {"if-match": "x"}
    )
    assert nonsense.status_code == 422
    assert (await office.http.post(path, json=body)).status_code == 401
    wrong = await office.http.post(path, json=body, headers=basic("verifikator", "salah"))
    assert wrong.status_code == 401
    assert (await office.http.get(PERMIT, headers={"authorization": "Basic %%"})).status_code == 401
    auditor = await office.http.post(path, json=body, headers=basic("auditor"))
    assert (auditor.status_code, auditor.json()["code"]) == (403, "other-role")
    elsewhere = await office.http.post(path, json=body, headers=basic("loket.mataram"))
    assert elsewhere.status_code in (401, 403)
    board = await office.http.get("/api/workflow/board", headers=basic("verifikator"))
    assert board.status_code == 403
    counts = (await office.http.get("/api/workflow/board", headers=basic("kepala"))).json()
    assert (counts["open"], counts["by_status"]) == (1, {"in-process": 1})


async def test_an_applicant_s_program_needs_the_code(office: Office) -> None:
    await open_permit(office)
    track = "/api/workflow/track"
    told = await office.http.post(track, json={"number": NUMBER, "code": CODE})
    assert (told.json()["status"], told.json()["allowed"]) == ("in-process", [])
    refused = await office.http.post(track, json={"number": NUMBER, "code": "x"})
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
