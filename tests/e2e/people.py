"""People in front of a browser: an applicant with a phone, officers at their desks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.async_api import Browser, FilePayload, Page, expect

from deploy.up import Installation
from shared.web.i18n import Translator
from tests.process import PASSWORD, OfficeProcess
from tests.unit.intake.papers import jpeg, pdf

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
# A folder to keep pictures of every visited page in, to look at them; nothing is kept without it.
SHOTS = os.environ.get("JEJAK_SHOTS", "")

At = Callable[[str], str]
"""From a path to the address of the service that it belongs to."""


# Where a path is answered when every service has an address of its own.
_SERVICES = {
    "workflow": ("/lacak", "/tugas", "/berkas", "/papan"),
    "payment": ("/tagihan", "/bendahara"),
    "notify": ("/kotak-keluar", "/pesan", "/kabar"),
    "bank": ("/bank",),
}


def at(office: OfficeProcess | Installation) -> At:
    """Return where an office answers, in one process or in several."""
    if isinstance(office, OfficeProcess):
        return lambda path: f"{office.address}{path}"

    def address(path: str) -> str:
        found = (name for name, paths in _SERVICES.items() if path.split("?")[0].startswith(paths))
        return office.url(next(found, "intake")) + path

    return address


@dataclass
class Window:
    """One person's browser window: cookies of its own, and what its page complained about."""

    page: Page
    at: At
    name: str
    lang: str
    complaints: list[str]

    def word(self, msgid: str) -> str:
        """Return what the pages of this window's language say for an English sentence."""
        return Translator(self.lang).t(msgid)

    async def go(self, path: str) -> None:
        """Open a page of the office, which must answer with success."""
        answer = await self.page.goto(self.at(path))
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    async def picture(self, name: str) -> None:
        """Keep what is shown as a phone and as a desk see it; nothing may be wider than either."""
        shown = self.page.viewport_size
        for kind, size in (("phone", PHONE), ("desk", DESK)):
            await self.page.set_viewport_size({"width": size["width"], "height": size["height"]})
            wide = await self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{name} is {wide} pixels wide on a {kind}"
            if SHOTS:
                await self.page.screenshot(path=f"{SHOTS}/{name}-{kind}.png", full_page=True)
        if shown is not None:
            await self.page.set_viewport_size(shown)

    async def says(self, *words: str) -> None:
        """Wait until the page's own part says all of ``words``."""
        for word in words:
            await expect(self.page.locator("main")).to_contain_text(word)

    async def close(self) -> None:
        """Close the window; nothing on its pages may have gone wrong."""
        await self.page.context.close()
        assert self.complaints == []


async def open_window(
    browser: Browser, at: At, name: str, *, lang: str = "id", dark: bool = False
) -> Window:
    """Open a window in a language, light or dark."""
    context = await browser.new_context(
        viewport={"width": PHONE["width"], "height": PHONE["height"]},
        locale="id-ID" if lang == "id" else "en-GB",
        timezone_id="Asia/Jakarta",
        color_scheme="dark" if dark else "light",
    )
    page = await context.new_page()
    window = Window(page, at, name, lang, [])
    page.on("pageerror", lambda error: window.complaints.append(str(error)))
    page.on("console", lambda line: _listen(window, line.type, line.text))
    return window


def _listen(window: Window, kind: str, text: str) -> None:
    # A page that is left closes its live stream; that is no fault of the page.
    if kind == "error" and "ERR_" not in text:
        window.complaints.append(text)


async def open_desk(
    browser: Browser, at: At, username: str, *, lang: str = "id", dark: bool = False
) -> Window:
    """Open an officer's window: signed in, at a desk's width."""
    window = await open_window(browser, at, username, lang=lang, dark=dark)
    await window.page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    await window.go("/login")
    await window.page.fill("#f-username", username)
    await window.page.fill("#f-password", PASSWORD)
    await window.page.keyboard.press("Enter")
    await expect(window.page.locator(".site-user button")).to_be_visible()
    return window


@dataclass(frozen=True)
class Keepsake:
    """What an applicant keeps."""

    number: str
    code: str


async def apply_for_situ(window: Window, *, pictures: str = "") -> Keepsake:
    """Find the permit, read what it needs, fill the form with real files, and keep the answer."""
    page = window.page
    await window.go("/")
    await pictured(window, pictures, "home")
    await page.locator("main a[href$='/izin']").first.click()
    await pictured(window, pictures, "permits")
    await page.locator("a[href='/izin/situ']").click()
    await window.says("KTP", "Rp2", "5 ")
    await pictured(window, pictures, "permit")
    await page.locator("a[href^='/ajukan/situ']").click()
    await _fill(page)
    await pictured(window, pictures, "apply")
    await page.locator("main form .actions button").click()
    await page.wait_for_url(re.compile("/diterima$"))
    number, code = await page.locator("[data-copy-value]").all_inner_texts()
    assert re.fullmatch(r"BGR-\d{4}-\d{6}", number)
    await pictured(window, pictures, "accepted")
    return Keepsake(number, code)


async def track(window: Window, kept: Keepsake, *, pictures: str = "") -> None:
    """Open the tracking page with number and code, and mark it: a reload would lose the mark."""
    page = window.page
    await window.go("/lacak")
    await page.fill("#f-number", kept.number)
    await page.fill("#f-code", kept.code.lower())
    await pictured(window, pictures, "track-form")
    await page.locator("main form .actions button").click()
    await page.wait_for_url(re.compile(f"/lacak/{kept.number}$"))
    await expect(page.locator(".live-state")).to_have_attribute("data-state", "live")
    await page.evaluate("window.neverReloaded = true")


async def moved(window: Window, status: str, step: str = "", *, pictures: str = "") -> None:
    """Wait until the tracking page shows a status and the present step by itself.

    Both are given in English and in the permit type's own words. The mark must still be there.
    """
    page = window.page
    await window.says(window.word(status))
    if step:
        present = page.locator(".step[data-state=current], .step[data-state=waiting]")
        await expect(present.first).to_contain_text(step)
    assert await page.evaluate("window.neverReloaded === true"), "the page was reloaded"
    name = re.sub("[^a-z]+", "-", f"{status} {step}".lower()).strip("-")
    await pictured(window, pictures, f"track-{name}")


async def open_file(window: Window, number: str, *, pictures: str = "") -> None:
    """Find a permit in the officer's own queue and open it."""
    await window.go("/tugas")
    await pictured(window, pictures, f"queue-{window.name}")
    await window.page.locator(f"a[href='/berkas/{number}']").first.click()
    await window.says(number)


async def give(window: Window, action: str, **fields: str) -> None:
    """Fill the form of one command on the open permit's page and send it."""
    form = window.page.locator(f"form[action$='/{action}']")
    more = window.page.locator("details.more").filter(has=form)
    if await more.count() and not await form.is_visible():
        await more.locator("summary").click()
    for name, value in fields.items():
        field = form.locator(f"[name='{name}']")
        if await field.first.get_attribute("type") == "radio":
            await form.locator(f"[name='{name}'][value='{value}']").check()
        else:
            await field.fill(value)
    await form.locator(".actions button").click()
    await expect(window.page.locator(".notice[data-tone=success]")).to_be_visible()


async def pictured(window: Window, prefix: str, name: str) -> None:
    """Keep a picture if this walk keeps any."""
    if prefix:
        await window.picture(f"{prefix}-{name}")


async def _fill(page: Page) -> None:
    await page.fill("#f-name", "Pemohon Contoh")
    await page.fill("#f-nik", "3271046504930002")
    await page.fill("#f-phone", "0812-1234-5678")
    await page.fill("#f-answer-business-name", "Warung Contoh")
    await page.fill("#f-answer-business-address", "Jl. Contoh No. 2, Bogor")
    await page.fill("#f-answer-area", "60")
    await page.set_input_files("#f-document-ktp", _file("ktp.jpg", "image/jpeg", jpeg()))
    proof, consent = pdf("bukti"), pdf("persetujuan")
    await page.set_input_files(
        "#f-document-bukti-tempat", _file("bukti.pdf", "application/pdf", proof)
    )
    await page.set_input_files(
        "#f-document-persetujuan-tetangga", _file("setuju.pdf", "application/pdf", consent)
    )


def _file(name: str, kind: str, content: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType=kind, buffer=content)


async def register(window: Window, number: str, *, pictures: str = "") -> None:
    """Check the documents one by one and register the application."""
    page = window.page
    await window.go("/pendaftaran")
    await pictured(window, pictures, "queue")
    await page.locator(f"a[href='/pendaftaran/{number}']").click()
    for right in await page.locator("input[type=radio][value=ok]").all():
        await right.check()
    await pictured(window, pictures, "check")
    await page.locator("button[name=action][value=register]").click()
    await expect(page.locator(".notice-title").first).to_contain_text(number)
