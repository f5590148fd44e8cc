"""What jejak.js does, seen in Debian's Chromium: live, sending, uploading, keyboard, no strays."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from playwright.async_api import FilePayload, Page, async_playwright, expect

from shared.web.forms import Form, read_form
from shared.web.pages import Pages
from shared.web.serve import Server
from shared.web.sse import LiveHub, sse_response
from tests.unit.web.kit import PASSWORD, sample_app

pytestmark = pytest.mark.browser

_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_LIVE = """{% extends "base.html" %}{% block content %}
{{ ui.number("Number", "BGR-1") }}
<div data-live="/live"><p data-announce>first</p></div>{% endblock %}"""
_FRAGMENT = """<p data-announce>{{ word }}</p><a id="a" href="#a">link</a>
<input id="typing" aria-label="x">"""
_UPLOAD = """{% extends "base.html" %}{% import "form.html" as f %}{% block content %}
{{ f.errors(form) }}<form method="post" action="/send" enctype="multipart/form-data" data-upload>
{{ f.csrf(csrf_token) }}{{ f.file(form, "scan", "Scan") }}{{ f.upload_progress() }}
{{ ui.button("Go", name="way", value="fast") }}</form>{% endblock %}"""


@dataclass
class Office:
    """The served application, what it received, and the page's complaints."""

    address: str
    hub: LiveHub
    page: Page
    server: Server
    word: str = "first"
    received: list[str] = field(default_factory=list)
    answer: str = "next"
    complaints: list[str] = field(default_factory=list)

    async def says(self, word: str) -> None:
        """Change what the live page shows."""
        self.word = word
        self.hub.publish("k")


def _routes(app: FastAPI, office: Office) -> APIRouter:
    router, pages = APIRouter(), app.state.pages
    assert isinstance(pages, Pages)

    @router.get("/watch")
    async def watch(request: Request) -> Response:
        return pages.render(request, "sample/live.html")

    @router.get("/live")
    async def live(request: Request) -> Response:
        async def render(lang: str) -> str:
            return pages.fragment(lang, "sample/fragment.html", word=office.word)

        return sse_response(request, office.hub, "k", render)

    @router.get("/send")
    async def ask(request: Request) -> Response:
        return pages.render(request, "sample/upload.html", form=Form())

    @router.post("/send")
    async def take(request: Request) -> Response:
        data = await read_form(request)
        office.received.append(str(data["way"]))
        await asyncio.sleep(0.2)
        if office.answer == "next":
            return pages.redirect(request, "/watch", flash="Done")
        form = Form().with_error("scan", "Fill this in.")
        return pages.render(request, "sample/upload.html", status_code=422, form=form)

    return router


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Serve the application and open an empty browser page on it."""
    texts = {"live": _LIVE, "fragment": _FRAGMENT, "upload": _UPLOAD}
    for name, text in texts.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    app, hub, listener = sample_app(tmp_path), LiveHub(), socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = Server(uvicorn.Config(app, log_level="error"), on_stop=[hub.close])
    running = asyncio.create_task(server.serve(sockets=[listener]))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(_ARGS)
        )
        page = await browser.new_page(viewport={"width": 360, "height": 740}, locale="id-ID")
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        opened = Office(address, hub, page, server)
        app.include_router(_routes(app, opened))
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("console", lambda message: _note(opened, message.type, message.text))
        yield opened
        await browser.close()
    server.should_exit = True
    await asyncio.wait_for(running, 5)
    listener.close()


def _note(office: Office, kind: str, text: str) -> None:
    if kind == "error" and "Content Security Policy" in text:
        office.complaints.append(text)


async def test_a_live_page_moves_says_so_and_keeps_what_one_is_doing(office: Office) -> None:
    page = office.page
    await page.goto(f"{office.address}/watch")
    state = page.locator(".live-state")
    await expect(state).to_have_text("Langsung: halaman ini bergerak sendiri.")
    await expect(page.locator("#a")).to_be_visible()
    await page.locator("#a").focus()
    await office.says("second")
    await expect(page.locator("[data-announce]")).to_have_text("second")
    await expect(page.locator("#voice")).to_have_text("second")
    await expect(page.locator("#a")).to_be_focused()
    await page.locator("#typing").fill("half a word")
    await office.says("third")
    await asyncio.sleep(0.3)
    assert await page.locator("#typing").input_value() == "half a word"
    await page.locator(".brand").focus()
    await expect(page.locator("[data-announce]")).to_have_text("third")
    assert office.complaints == []


async def test_a_lost_connection_is_shown_and_heals(office: Office) -> None:
    page = office.page
    await page.goto(f"{office.address}/watch")
    await expect(page.locator(".live-state")).to_have_attribute("data-state", "live")
    await page.route("**/live*", lambda route: route.abort())
    office.hub.close()
    await expect(page.locator(".live-state")).to_have_text("Koneksi terputus. Menyambung lagi…")
    office.hub, office.word = LiveHub(), "healed"
    await page.unroute("**/live*")
    await expect(page.locator("[data-announce]")).to_have_text("healed", timeout=15_000)
    await expect(page.locator(".live-state")).to_have_attribute("data-state", "live")
    office.hub.close()


async def test_sending_twice_arrives_once_and_leads_on(office: Office) -> None:
    page = office.page
    await page.goto(f"{office.address}/send")
    await page.evaluate(
        "() => { const b = document.querySelector('main button'); b.click(); b.click(); }"
    )
    await expect(page).to_have_url(re.compile("/watch$"))
    await expect(page.locator(".notice-title")).to_have_text("Selesai")
    assert office.received == ["fast"]


async def test_a_refused_upload_shows_the_summary_with_the_focus(office: Office) -> None:
    page = office.page
    office.answer = "refuse"
    await page.goto(f"{office.address}/send")
    await page.set_input_files("#f-scan", {"name": "a.txt", "mimeType": "a/b", "buffer": b"x"})
    await page.click("main button")
    await expect(page.locator(".error-summary")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#f-scan")).to_be_focused()
    assert "diperbaiki" in await page.locator(".error-summary").inner_text()


async def test_too_large_an_upload_gets_a_sentence(office: Office) -> None:
    page = office.page
    await page.goto(f"{office.address}/send")
    big = FilePayload(name="a.txt", mimeType="a/b", buffer=b"x" * 100_000)
    await page.set_input_files("#f-scan", big)
    await page.click("main button")
    await expect(page.locator("h1, .checked")).to_contain_text("Terlalu besar")


async def test_without_scripts_everything_still_works(office: Office) -> None:
    browser = office.page.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False, locale="id-ID")
    page = await context.new_page()
    await page.goto(f"{office.address}/send")
    await page.click("main button")
    await expect(page).to_have_url(re.compile("/watch$"))
    await expect(page.locator("[data-copy]")).to_be_hidden()
    await page.goto(f"{office.address}/login")
    await page.fill("#f-username", "loket")
    await page.fill("#f-password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".site-user")).to_contain_text("Petugas Loket")


@pytest.mark.parametrize("width", [320, 360, 1280])
async def test_the_design_page_fits_and_every_target_is_big_enough(
    office: Office, width: int
) -> None:
    page = office.page
    await page.set_viewport_size({"width": width, "height": 740})
    await page.goto(f"{office.address}/design")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    small = await page.evaluate(
        """() => [...document.querySelectorAll("a, button, select, summary, .choice")]
        .filter(e => e.checkVisibility() && !e.closest("p, .skip"))
        .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
        .filter(([, r]) => r.height < 44 || r.width < 44).map(([html]) => html)"""
    )
    assert small == []
    await page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    assert office.complaints == []


async def test_the_first_tab_leads_past_the_header(office: Office) -> None:
    page = office.page
    await page.goto(f"{office.address}/watch")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await expect(page.locator(".skip")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
