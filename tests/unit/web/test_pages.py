"""Pages: language, navigation, links between services, static files, strictness."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jinja2 import UndefinedError

from shared.web.pages import Pages
from tests.unit.web.kit import HTML, sign_in


def test_the_language_is_kept_once_chosen(client: TestClient) -> None:
    first = client.get("/apply", headers={**HTML, "accept-language": "en"})
    assert '<html lang="en">' in first.text
    assert first.headers["content-language"] == "en"
    chosen = client.get("/apply?a=1&lang=id", headers={**HTML, "accept-language": "en"})
    assert '<html lang="id">' in chosen.text
    assert 'href="/apply?a=1&amp;lang=en"' in chosen.text
    kept = client.get("/apply", headers={**HTML, "accept-language": "en"})
    assert '<html lang="id">' in kept.text


def test_the_navigation_follows_the_role_and_links_across_origins(client: TestClient) -> None:
    stranger = client.get("/apply", headers=HTML).text
    assert 'href="/apply" aria-current="page"' in stranger
    assert "other.example" not in stranger
    sign_in(client)
    assert 'href="https://other.example/desk"' in client.get("/apply", headers=HTML).text


def test_a_page_can_be_skipped_into_and_has_one_main(client: TestClient) -> None:
    html = client.get("/design", headers=HTML).text
    assert 'href="#main"' in html
    assert html.count("<main") == html.count("<h1") == 1


@pytest.mark.parametrize("path", ["/design", "/login", "/apply"])
def test_no_page_needs_inline_scripts_styles_or_other_hosts(client: TestClient, path: str) -> None:
    html = client.get(path, headers=HTML).text
    assert " style=" not in html
    assert "<style" not in html
    assert "<script>" not in html
    assert " onclick" not in html
    assert "http://" not in html.replace("http://testserver", "")
    assert 'src="https://' not in html


def test_static_files_are_kept_as_long_as_they_are_ours(client: TestClient, app: FastAPI) -> None:
    pages: Pages = app.state.pages
    ours = client.get(pages.asset("tokens.css"))
    assert ours.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert ours.headers["content-type"].startswith("text/css")
    old = client.get("/static/0123456789ab/tokens.css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    assert client.get(pages.asset("../pages.py")).status_code == 404
    assert client.get(pages.asset("%2e%2e/pages.py")).status_code == 404
    font = client.get(pages.asset("fonts/plus-jakarta-sans-latin.woff2"))
    assert font.headers["content-type"] == "font/woff2"


def test_every_address_in_the_style_sheets_exists(client: TestClient, app: FastAPI) -> None:
    pages: Pages = app.state.pages
    for sheet in ("tokens", "base", "components", "trail", "forms"):
        css = client.get(pages.asset(f"{sheet}.css")).text
        for part in css.split('url("')[1:]:
            assert client.get(pages.asset(part.split('"')[0])).status_code == 200


def test_a_fragment_speaks_its_language_and_a_forgotten_value_is_an_error(
    app: FastAPI, tmp_path: Path
) -> None:
    pages: Pages = app.state.pages
    assert pages.fragment("id", "sample/state.html", word="a<b") == "<p data-announce>a&lt;b</p>"
    with pytest.raises(UndefinedError):
        pages.fragment("id", "sample/forgets.html")
