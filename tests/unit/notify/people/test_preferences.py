"""A person's wishes: number and code, then channel, language, and whether there are messages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.notify.people.contact import Silent, Stated
from services.notify.people.contacts import Contacts
from services.notify.people.persons import Persons
from tests.running import Office, running_office, settings_in, until
from tests.unit.notify.test_telling import NUMBER, _with, submit

HTML = {"accept": "text/html"}
CODE = "ABCDEFGHJKMNPQRSTVWXYZ0123"
PHONE = "+6281234567890"
PAGE = f"/kabar/{NUMBER}"
CHOICE = {"messages": "go", "channel": "sms", "language": "en"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["notify"]) as running:
        await submit(running, _with(code_hash=hashlib.sha256(CODE.encode()).hexdigest()))
        yield running


async def post(office: Office, path: str, **fields: str) -> httpx.Response:
    """Send a form with the token of the page that holds one."""
    page = await office.http.get("/kabar", headers=HTML)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[-1]
    return await office.http.post(path, data={**fields, "csrf_token": token}, headers=HTML)


async def enter(office: Office, code: str = CODE.lower()) -> httpx.Response:
    """Open the page once the read model knows the number."""

    async def opened() -> httpx.Response | None:
        answer = await post(office, "/kabar", number=NUMBER.lower(), code=code)
        return answer if answer.status_code == 303 else None

    answer: httpx.Response = await until(opened, what="the page")
    assert answer.headers["location"] == PAGE
    return answer


async def wishes(office: Office) -> Stated | Silent:
    """Return what the person of the number said so far."""
    kernel = office.running.kernel
    return await Contacts(kernel.handler, Persons(kernel.secret("persons")), kernel.now).of(PHONE)


async def test_a_person_chooses_channel_and_language(office: Office) -> None:
    await enter(office)
    page = await office.http.get(f"{PAGE}?lang=en", headers=HTML)
    assert re.search(r"•+890", page.text)
    assert PHONE not in page.text
    assert (await post(office, PAGE, **CHOICE, key="k1")).status_code == 303
    said = await wishes(office)
    assert isinstance(said, Stated)
    assert (said.channel, said.language, said.refused) == ("sms", "en", frozenset())
    drawn = (await office.http.get(f"{PAGE}?lang=en", headers=HTML)).text
    assert 'value="sms" checked' in drawn
    assert "Saved." in drawn


async def test_messages_are_stopped_and_started_again(office: Office) -> None:
    await enter(office)
    await post(office, PAGE, **{**CHOICE, "messages": "stop"}, key="k1")
    said = await wishes(office)
    assert isinstance(said, Stated)
    assert said.refused == {"whatsapp", "sms"}
    assert 'value="stop" checked' in (await office.http.get(PAGE, headers=HTML)).text
    await post(office, PAGE, **CHOICE, key="k2")
    said = await wishes(office)
    assert isinstance(said, Stated)
    assert said.refused == frozenset()


async def test_the_same_form_twice_decides_nothing_more(office: Office) -> None:
    await enter(office)
    store = office.running.kernel.store

    async def consents() -> int:
        events = await store.read_all(0)
        return len([one for one in events if one.stream.startswith("consent-")])

    await post(office, PAGE, **CHOICE, key="k1")
    first = await consents()
    await post(office, PAGE, **CHOICE, key="k1")
    assert first == await consents() == 3


async def test_a_wrong_code_and_an_unknown_number_are_answered_alike(office: Office) -> None:
    await enter(office)
    office.http.cookies.clear()
    wrong = await post(office, "/kabar", number=NUMBER, code="0" * 26)
    unknown = await post(office, "/kabar", number="BGR-2026-999999", code=CODE)
    assert wrong.status_code == unknown.status_code == 404
    assert "e-number" in wrong.text
    assert "e-number" in unknown.text
    assert isinstance(await wishes(office), Silent)


async def test_guessing_ends_soon(office: Office) -> None:
    await enter(office)
    office.http.cookies.clear()
    answers = [await post(office, "/kabar", number=NUMBER, code=f"{n:026}") for n in range(11)]
    assert [one.status_code for one in answers] == [404] * 10 + [429]


async def test_without_the_code_there_is_no_way_to_the_page(office: Office) -> None:
    shown = await office.http.get(PAGE, headers=HTML)
    assert shown.status_code == 303
    assert shown.headers["location"].startswith("/kabar?number=")
    assert (await post(office, PAGE, **CHOICE)).status_code == 404
    assert isinstance(await wishes(office), Silent)


@pytest.mark.parametrize("field", ["messages", "channel", "language"])
async def test_what_is_not_offered_is_refused(office: Office, field: str) -> None:
    await enter(office)
    answer = await post(office, PAGE, **{**CHOICE, field: "pigeon"})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert isinstance(await wishes(office), Silent)


async def test_an_empty_form_says_what_is_missing(office: Office) -> None:
    answer = await post(office, "/kabar", number="", code="")
    assert answer.status_code == 422
    assert {"e-number", "e-code"} <= set(re.findall(r'id="(e-[a-z]+)"', answer.text))
