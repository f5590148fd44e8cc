"""Signing in: sessions, limits, where it leads, and forged forms."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from itsdangerous import URLSafeTimedSerializer

from shared.errors import TooManyRequests
from shared.web.login import FailedTries, safe_next
from tests.unit.web.kit import HTML, PASSWORD, SECRET, sample_app, sign_in, token_in


def _try(client: TestClient, username: str, password: str) -> int:
    token = token_in(client.get("/login", headers=HTML).text)
    form = {"csrf_token": token, "username": username, "password": password}
    answer = client.post("/login", data=form, headers=HTML, follow_redirects=False)
    return int(answer.status_code)


def test_in_and_out(client: TestClient) -> None:
    assert client.get("/me").json() == "nobody"
    sign_in(client)
    assert client.get("/me").json() == "loket"
    page = client.get("/apply", headers=HTML).text
    assert "Masuk sebagai Petugas Loket." in page
    stolen = client.cookies["jejak_session"]
    client.post("/logout", data={"csrf_token": token_in(page)}, headers=HTML)
    assert client.get("/me").json() == "nobody"
    client.cookies.set("jejak_session", stolen, domain="testserver.local", path="/")
    assert client.get("/me").json() == "nobody"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(tmp_path: Path) -> None:
    app = sample_app(tmp_path, secure=True)
    with TestClient(app, base_url="https://testserver") as client:
        token = token_in(client.get("/login", headers=HTML).text)
        form = {"csrf_token": token, "username": "loket", "password": PASSWORD}
        answer = client.post("/login", data=form, headers=HTML, follow_redirects=False)
        cookie = next(
            c for c in answer.headers.get_list("set-cookie") if "__Host-jejak_session" in c
        )
        for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert word in cookie
        assert "Domain" not in cookie
        assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_a_forged_or_old_session_is_nobody(client: TestClient) -> None:
    forged = URLSafeTimedSerializer("other secret", salt="jejak.session").dumps(["loket", "x"])
    wrong_shape = URLSafeTimedSerializer(SECRET, salt="jejak.session").dumps("loket")
    removed = URLSafeTimedSerializer(SECRET, salt="jejak.session").dumps(["gone", "x"])
    for cookie in (str(forged), str(wrong_shape), str(removed), "rubbish", ""):
        client.cookies.set("jejak_session", cookie)
        assert client.get("/me").json() == "nobody"


def test_the_wrong_pair_gets_one_answer(client: TestClient) -> None:
    pages = []
    for username in ("loket", "nobody"):
        token = token_in(client.get("/login", headers=HTML).text)
        form = {"csrf_token": token, "username": username, "password": "wrong"}
        answer = client.post("/login", data=form, headers=HTML)
        assert answer.status_code == 401
        assert "Nama akun atau kata sandi tidak benar." in answer.text
        page = answer.text.replace(token_in(answer.text), "").replace(username, "")
        pages.append(page)
    assert pages[0] == pages[1]


def test_too_many_failures_close_the_door_for_that_account(client: TestClient) -> None:
    assert [_try(client, "loket", "wrong") for _ in range(5)] == [401] * 5
    assert _try(client, "loket", PASSWORD) == 429
    assert _try(client, "auditor", PASSWORD) == 303


def test_a_whole_office_signs_in_from_one_address(client: TestClient) -> None:
    assert [_try(client, "loket", PASSWORD) for _ in range(22)] == [303] * 22
    # Whoever has an account of their own does not guess any longer for it.
    tried = []
    for number in range(19):
        tried.append(_try(client, f"guess{number}", "wrong"))
        tried.append(_try(client, "auditor", PASSWORD))
    assert tried == [401, 303] * 19
    assert _try(client, "guess19", "wrong") == 401
    assert _try(client, "auditor", PASSWORD) == 429


def test_roles(client: TestClient) -> None:
    assert client.get("/desk").status_code == 401
    page = client.get("/desk?a=1", headers=HTML, follow_redirects=False)
    assert page.headers["location"] == "/login?next=%2Fdesk%3Fa%3D1"
    sign_in(client, "auditor")
    refused = client.get("/desk")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")


@pytest.mark.parametrize(
    ("target", "followed"),
    [
        ("/tugas?x=1#a", "/tugas?x=1#a"),
        ("https://office.example/papan", "https://office.example/papan"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://office.example@evil.example/", "/"),
        ("https:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("tugas", "/"),
        ("", "/"),
    ],
)
def test_only_our_own_addresses_are_followed(target: str, followed: str) -> None:
    assert safe_next(target, ["https://office.example"]) == followed


def test_the_window_slides_and_memory_is_bounded() -> None:
    now = 0.0
    tries = FailedTries(window_seconds=60, max_keys=3, clock=lambda: now)
    for _ in range(2):
        tries.failed("a")
        now += 10
    with pytest.raises(TooManyRequests) as caught:
        tries.check("a", 2)
    assert caught.value.params == {"seconds": 40}
    now = 61.0
    tries.check("a", 2)
    for key in "bcd":
        tries.failed(key)
    tries.check("a", 1)
    tries.forget("d")
    tries.check("d", 1)


def _post(client: TestClient, token: str | None, **headers: str) -> int:
    data = {} if token is None else {"csrf_token": token}
    return int(client.post("/apply", data={"name": "a", **data}, headers=headers).status_code)


def test_a_form_needs_its_own_token(client: TestClient, app: FastAPI) -> None:
    token = token_in(client.get("/apply", headers=HTML).text)
    assert _post(client, token) == 422
    assert _post(client, None) == 403
    assert _post(client, "rubbish") == 403
    assert _post(client, None, **{"x-csrf-token": token}) == 422
    with TestClient(app) as stranger:
        assert _post(stranger, token) == 403
        stranger.get("/apply", headers=HTML)
        assert _post(stranger, token) == 403


def test_a_token_from_before_signing_in_is_worth_nothing_after(client: TestClient) -> None:
    before = token_in(client.get("/apply", headers=HTML).text)
    sign_in(client)
    assert _post(client, before) == 403
    assert _post(client, token_in(client.get("/apply", headers=HTML).text)) == 422


def test_a_body_without_a_type_is_treated_as_a_form(client: TestClient) -> None:
    assert client.post("/apply", content=b"name=a").status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://testserver"}, 200),
        ({"origin": "https://office.example"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_browsers_of_other_sites_may_not_call_the_api(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    app = sample_app(tmp_path, origins=["https://office.example"])
    with TestClient(app) as client:
        answer = client.post("/api/raw", content=b"x", headers=headers)
    assert answer.status_code == status
