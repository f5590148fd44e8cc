"""The service on real parts in one process, and people and programs that use it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from shared.ids import derived_id
from tests.running import Office, until
from tests.unit.workflow.office import registered, submitted

HTML = {"accept": "text/html"}
APP, NUMBER = derived_id("service", 1), "BGR-2026-000001"
CODE = "0123456789ABCDEFGHJKMNPQRS"
PERMIT = f"/api/workflow/permits/{NUMBER}"
ABOUT: dict[str, Any] = {"office": "bogor", "permit_type": "situ"}


async def open_permit(
    office: Office,
    app: str = APP,
    number: str = NUMBER,
    about: dict[str, Any] = ABOUT,
    **more: Any,
) -> None:
    """Let an application be submitted and registered, and wait for its permit."""
    code_hash = hashlib.sha256(CODE.encode()).hexdigest()
    await office.happened(
        f"application-{app}",
        submitted(app, number, code_hash=code_hash, **about, **more),
        registered(app, number, **about),
        application=app,
    )

    async def opened() -> bool:
        rows = await office.running.databases["workflow"].query(
            "SELECT stage FROM permits WHERE application_id = ?", (app,)
        )
        return rows == [("verify",)]

    await until(opened, what="the permit's opening")


def basic(username: str, password: str = "jejak-contoh") -> dict[str, str]:
    return {
        "authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    }


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


async def form(office: Office, action: str, **fields: str) -> httpx.Response:
    """Send one of the forms on the permit's page, as a browser would."""
    page = (await office.http.get(f"/berkas/{NUMBER}", headers=HTML)).text
    assert f'action="/berkas/{NUMBER}/{action}"' in page
    hidden = {name: field(page, name) for name in ("csrf_token", "version", "key", "stage")}
    return await office.http.post(f"/berkas/{NUMBER}/{action}", data=hidden | fields, headers=HTML)


async def knock(office: Office, number: str, code: str) -> httpx.Response:
    page = (await office.http.get("/lacak", headers=HTML)).text
    data = {"number": number, "code": code, "csrf_token": field(page, "csrf_token")}
    return await office.http.post("/lacak", data=data, headers=HTML)


async def frame(next_line: Callable[[], Awaitable[str]]) -> str:
    text = ""
    while line := await next_line():
        text += line + "\n"
    return text
