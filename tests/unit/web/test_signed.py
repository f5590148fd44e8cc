"""Signed calls: taken as they come, inside the same surroundings as everything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, Request, Response
from fastapi.testclient import TestClient

from shared.web.signed import SignedRoute
from tests.unit.web.kit import sample_app

PROBLEM = "application/problem+json"


def signed_router() -> APIRouter:
    """Return routes of both kinds of path, and one that fails."""
    router = APIRouter(prefix="/v1.0", route_class=SignedRoute)

    @router.post("/payment")
    async def payment(request: Request) -> Response:
        body = await request.body()
        return Response(request.scope["raw_path"] + b"?" + request.scope["query_string"] + body)

    @router.post("/payment/{bill}")
    async def bill(request: Request) -> Response:
        return Response(request.path_params["bill"])

    @router.post("/broken")
    async def broken(request: Request) -> Response:
        raise ValueError("a secret")

    return router


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = sample_app(tmp_path, routers=[signed_router()])
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


def test_a_signed_call_arrives_as_it_was_sent(client: TestClient) -> None:
    answer = client.post("/v1.0/payment?a=%2F", content=b'{ "a":\t1 }')
    assert answer.content == b'/v1.0/payment?a=%2F{ "a":\t1 }'


def test_it_has_the_surroundings_of_every_answer(client: TestClient) -> None:
    answer = client.post("/v1.0/payment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.headers["x-request-id"]) == 16


def test_a_path_with_a_part_that_varies_is_found_by_the_application(client: TestClient) -> None:
    assert client.post("/v1.0/payment/7").text == "7"


def test_another_method_and_a_body_too_large_are_refused(client: TestClient) -> None:
    wrong = client.delete("/v1.0/payment")
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, PROBLEM)
    large = client.post("/v1.0/payment", content=b"x" * 300_000)
    assert (large.status_code, large.json()["code"]) == (413, "too-large")


def test_what_nobody_foresaw_tells_nothing(client: TestClient) -> None:
    answer = client.post("/v1.0/broken")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "secret" not in answer.text
