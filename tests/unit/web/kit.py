"""A small application with every kind of route, for the tests of this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict

from shared.actors import Role
from shared.errors import Defect, NotFound, Refused, TooManyRequests
from shared.identity import Account, Accounts, hash_password
from shared.text import CleanText, Nik
from shared.web.app import build_app
from shared.web.forms import Form, parse_form, read_form
from shared.web.health import Check
from shared.web.pages import NavItem, Pages
from shared.web.session import current_user, require

PASSWORD = "a long sample password"
SECRET = "a secret for tests only, long enough"
HTML = {"accept": "text/html,application/xhtml+xml"}
HOSTILE = "<script>alert(1)</script>"
OFFICER = Account("loket", "Petugas Loket", frozenset({Role.COUNTER}), "bogor")
AUDITOR = Account("auditor", "Auditor", frozenset({Role.AUDITOR}), "bogor")
_HASH = hash_password(PASSWORD)

_TEMPLATES = {
    "apply.html": """{% extends "base.html" %}{% import "form.html" as f %}
{% block content %}{{ f.errors(form, {"nik": "The NIK"}) }}
<form method="post">{{ f.csrf(csrf_token) }}
{{ f.text(form, "name", "Name") }}
{{ f.text(form, "nik", "NIK", hint="16") }}</form>{% endblock %}""",
    "state.html": "<p data-announce>{{ word }}</p>",
    "forgets.html": "{{ never_given }}",
}


class Person(BaseModel):
    """What the sample form asks for."""

    model_config = ConfigDict(extra="forbid")

    name: CleanText
    nik: Nik


def accounts() -> Accounts:
    """Return a counter officer and an auditor with the same password."""
    return Accounts([(OFFICER, _HASH), (AUDITOR, _HASH)])


def sample_router(pages: Pages) -> APIRouter:
    """Return routes that render and take forms and JSON."""
    router = APIRouter()

    @router.get("/apply")
    async def ask(request: Request) -> Response:
        return pages.render(request, "sample/apply.html", form=Form())

    @router.post("/apply")
    async def take(request: Request) -> Response:
        parsed = parse_form(Person, await read_form(request))
        if parsed.value is None:
            return pages.render(request, "sample/apply.html", status_code=422, form=parsed.form)
        return pages.redirect(request, "/apply", flash="Signed in as {name}.", name="X & Y")

    @router.post("/api/people")
    async def add(person: Person) -> Mapping[str, str]:
        return {"name": person.name}

    @router.post("/api/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @router.post("/upload/{name}")
    async def upload(request: Request, name: str) -> int:
        return len(await request.body())

    return router


def refusing_router() -> APIRouter:
    """Return routes that refuse, break, and ask who is there."""
    router = APIRouter()

    @router.get("/refused")
    async def refused() -> None:
        raise Refused(allowed=("SignIn",))

    @router.get("/busy")
    async def busy() -> None:
        raise TooManyRequests(seconds=30)

    @router.get("/gone")
    async def gone() -> None:
        raise NotFound

    @router.get("/defect")
    async def defect() -> None:
        raise Defect

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError(HOSTILE)

    @router.get("/me")
    async def me(user: Annotated[Account | None, Depends(current_user)]) -> str:
        return user.username if user else "nobody"

    @router.get("/desk")
    async def desk(user: Annotated[Account, Depends(require(Role.COUNTER))]) -> str:
        return user.office

    return router


def sample_app(
    folder: Path,
    *,
    routers: Sequence[APIRouter] = (),
    checks: Sequence[Check] = (),
    secure: bool = False,
    origins: Sequence[str] = (),
) -> FastAPI:
    """Return the application; ``folder`` receives its templates."""
    for name, text in _TEMPLATES.items():
        (folder / name).write_text(text, encoding="utf-8")
    nav = (
        NavItem("Done", "sample", "/apply"),
        NavItem("Waiting", "other", "/desk", frozenset({Role.COUNTER})),
    )
    pages = Pages(
        {"sample": folder},
        secret=SECRET,
        links={"other": "https://other.example/"},
        nav=nav,
        secure=secure,
    )
    pages.commands["SignIn"] = "Staff sign-in"
    return build_app(
        "Sample",
        [sample_router(pages), refusing_router(), *routers],
        pages=pages,
        accounts=accounts(),
        secret=SECRET,
        secure=secure,
        origins=origins,
        checks=checks,
        body_limit=64 * 1024,
        larger_bodies={"/upload/": 256 * 1024},
        csrf_exempt=("/api/", "/upload/"),
    )


def token_in(html: str) -> str:
    """Return the form token of a page."""
    return html.split('name="csrf_token" value="')[1].split('"')[0]


def sign_in(client: TestClient, username: str = "loket", target: str = "/me") -> None:
    """Sign in as a person would: open the page, fill the form, send it."""
    token = token_in(client.get("/login", headers=HTML).text)
    answer = client.post(
        "/login",
        data={"csrf_token": token, "username": username, "password": PASSWORD, "next": target},
        headers=HTML,
        follow_redirects=False,
    )
    assert answer.status_code == 303
