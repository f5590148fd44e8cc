"""Refusals, headers, limits and health: what programs and people get when things go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from shared.web.health import Check
from tests.unit.web.kit import HOSTILE, HTML, sample_app

PROBLEM = "application/problem+json"
GOOD = {"name": "Pemohon Contoh", "nik": "3271046504930002"}


def test_a_refusal_for_a_program_and_for_a_person(client: TestClient) -> None:
    program = client.get("/refused", headers={"accept-language": "en"})
    assert program.headers["content-type"] == PROBLEM
    assert program.json() == {
        "type": "urn:jejak:problem:refused",
        "title": "Not possible now",
        "status": 409,
        "detail": "This can't be done now.",
        "code": "refused",
        "allowed": ["SignIn"],
    }
    person = client.get("/refused", headers=HTML)
    assert person.status_code == 409
    assert "Ini tidak dapat dilakukan sekarang." in person.text
    assert "<li>Masuk petugas</li>" in person.text


def test_an_api_path_always_speaks_json(client: TestClient) -> None:
    answer = client.get("/api/nothing", headers=HTML)
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert "Tidak ditemukan" in client.get("/nothing", headers=HTML).text


def test_when_to_come_back(client: TestClient) -> None:
    answer = client.get("/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert "30 detik" in answer.json()["detail"]


def test_a_wrong_method(client: TestClient) -> None:
    answer = client.delete("/gone")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({**GOOD, "nik": HOSTILE}, ["nik"]),
        ({**GOOD, "name": HOSTILE + "\x00"}, ["name"]),
        ({**GOOD, "name": HOSTILE * 50_0}, ["name"]),
        ({**GOOD, HOSTILE: HOSTILE}, ["?"]),
        ({**GOOD, "status": HOSTILE}, ["status"]),
        ({"name": [HOSTILE]}, ["name", "nik"]),
        ([HOSTILE], [""]),
    ],
)
def test_invalid_input_names_the_field_and_echoes_nothing(
    client: TestClient, sent: object, fields: list[str]
) -> None:
    answer = client.post("/api/people", json=sent)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert all(error["message"] for error in answer.json()["errors"])
    assert "script" not in answer.text


def test_broken_json(client: TestClient) -> None:
    answer = client.post(
        "/api/people", content=b'{"name": <script>', headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == "JSON tidak dapat dibaca."
    assert "script" not in answer.text


def test_the_unforeseen_says_only_its_reference(client: TestClient) -> None:
    with capture_logs() as logs:
        answer = client.get("/broken")
    (entry,) = logs
    reference = answer.headers["x-request-id"]
    assert answer.status_code == 500
    assert answer.json()["instance"] == f"urn:jejak:request:{reference}"
    assert (entry["request_id"], entry["error"]) == (reference, "RuntimeError")
    assert "kit.py" in entry["where"]
    # What the exception says may be what a person typed: in neither answer nor log.
    assert "script" not in answer.text + json.dumps(entry)
    page = client.get("/broken", headers=HTML)
    assert page.headers["x-request-id"] in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_defect_keeps_its_details_for_the_log(client: TestClient) -> None:
    assert "periksa petugas" in client.get("/defect").json()["detail"]


def test_security_headers_on_everything(client: TestClient) -> None:
    for path in ("/apply", "/nothing", "/api/nothing", "/static/x", "/healthz"):
        headers = client.get(path, headers=HTML).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
    assert client.get("/apply", headers=HTML).headers["cache-control"] == "no-store"


def test_other_services_may_be_posted_to(tmp_path: Path) -> None:
    with TestClient(sample_app(tmp_path, origins=["https://pay.example"])) as client:
        policy = client.get("/healthz").headers["content-security-policy"]
    assert "form-action 'self' https://pay.example;" in policy
    assert "connect-src 'self' https://pay.example;" in policy


def _chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 1024):
        yield b"x" * 1024


@pytest.mark.parametrize("path", ["/api/raw", "/api/people"])
def test_a_body_over_the_limit(client: TestClient, path: str) -> None:
    headers = {"content-type": "application/json"}
    stated = client.post(path, content=b"x" * 70_000, headers=headers)
    streamed = client.post(path, content=_chunks(70 * 1024), headers=headers)
    lying = client.post(
        path, content=_chunks(70 * 1024), headers={**headers, "content-length": "10"}
    )
    for answer in (stated, streamed, lying):
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
    assert "64 KB" in stated.json()["detail"]


@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 5000, "²"])
def test_a_nonsense_length(client: TestClient, length: str) -> None:
    headers = {"content-length": length.encode()}
    answer = client.post("/api/raw", content=_chunks(1024), headers=headers)
    assert answer.status_code == 413


def test_uploads_have_a_limit_of_their_own(client: TestClient) -> None:
    assert client.post("/upload/a", content=b"x" * 200_000).json() == 200_000
    assert client.post("/upload/a", content=b"x" * 300_000).status_code == 413
    assert client.post("/upload/a", content=_chunks(300 * 1024)).status_code == 413


def test_too_many_parts(client: TestClient) -> None:
    files = [("f", (f"{i}.txt", b"x")) for i in range(25)]
    answer = client.post("/apply", files=files)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)


async def _fine() -> None:
    await asyncio.sleep(0)


async def _stuck() -> None:
    await asyncio.sleep(30)


async def _down() -> None:
    raise OSError(HOSTILE)


def test_health_means_it(tmp_path: Path) -> None:
    checks = [Check("store", _fine), Check("bus", _stuck, 0.05), Check("keys", _down)]
    with TestClient(sample_app(tmp_path, checks=checks)) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["failing"] == ["bus", "keys"]
        assert "script" not in ready.text
        assert "python_info" in client.get("/metrics").text
    with TestClient(sample_app(tmp_path, checks=checks[:1])) as client:
        assert client.get("/readyz").json() == {
            "status": "ready",
            "failing": [],
            "checked": ["store"],
        }


def test_the_contract_is_published_without_a_foreign_page(client: TestClient) -> None:
    paths = json.loads(client.get("/openapi.json").text)["paths"]
    assert "/api/people" in paths
    assert "/login" not in paths
    assert client.get("/docs").status_code == 404
