"""The channels' page: what it says, who sees it, and what its buttons do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.notify.channels import Sent
from services.notify.traffic.circuit import Trouble, Troubled
from services.notify.traffic.counts import Counts
from services.notify.traffic.gate import Gate
from services.notify.traffic.meanings import meaning
from tests.running import Office, running_office, settings_in
from tests.spec import START
from tests.unit.notify.standins import PHONE_ID, TOKEN, closed_address

HTML = {"accept": "text/html"}
PAGE = "/pesan/saluran"
SUPERVISOR, COUNTER = "penyelia", "loket"


async def text(office: Office, lang: str = "id") -> str:
    answer = await office.http.get(f"{PAGE}?lang={lang}", headers=HTML)
    assert answer.status_code == 200
    return answer.text


async def press(office: Office, path: str, **form: str) -> int:
    token = re.search(r'name="csrf_token" value="([^"]+)"', await text(office))
    assert token
    answer = await office.http.post(path, data={"csrf_token": token[1], **form})
    return answer.status_code


async def test_without_a_provider_the_page_says_so(tmp_path: Path) -> None:
    async with running_office(settings_in(tmp_path), ["notify"]) as office:
        assert (await office.http.get(PAGE, headers=HTML)).status_code == 303
        await office.sign_in(COUNTER)
        assert (await office.http.get(PAGE, headers=HTML)).status_code == 403
        await office.sign_in(SUPERVISOR)
        page = await text(office)
        assert "Belum ada penyedia yang dipasang" in page
        assert "No provider is set up" in await text(office, "en")
        assert "WhatsApp</h2>" not in page


async def test_a_paused_channel_is_shown_with_its_cause_and_tried_when_people_say_so(
    tmp_path: Path,
) -> None:
    given = {
        "whatsapp_url": closed_address(),
        "whatsapp_phone_id": PHONE_ID,
        "whatsapp_token": TOKEN,
        "kannel_url": closed_address(),
    }
    async with running_office(settings_in(tmp_path, **given), ["notify"]) as office:
        await office.sign_in(SUPERVISOR)
        kernel, database = office.running.kernel, office.running.databases["notify"]
        gate = Gate(database, kernel.now)
        await gate.circuits.refresh()
        assert "Berfungsi" in await text(office)
        await gate.circuits.hear("whatsapp", Troubled(Trouble.PAUSED, "190"))
        await gate.circuits.note_template("whatsapp", "izin_terbit", "132015", stopped=True)
        page = await text(office)
        assert "Token akses tidak berlaku lagi. (190)" in page
        assert "izin_terbit" in page
        assert "Belum dipasang: SMS (Twilio), SMS (8x8), E-mail" not in page
        assert "SMS (Twilio)" in page
        assert await press(office, f"{PAGE}/coba", channel="whatsapp") == 303
        await gate.circuits.refresh()
        assert await gate.circuits.claim("whatsapp")
        form = {"channel": "whatsapp", "template": "izin_terbit"}
        assert await press(office, f"{PAGE}/templat", **form) == 303
        assert await gate.circuits.template_troubles() == []
        assert await press(office, f"{PAGE}/coba", channel="fax") == 404
        unsigned = await office.http.post(f"{PAGE}/coba", data={"channel": "whatsapp"})
        assert unsigned.status_code == 403


async def test_the_last_hour_is_counted_over_processes(tmp_path: Path) -> None:
    async with running_office(settings_in(tmp_path), ["notify"]) as office:
        database = office.running.databases["notify"]
        one, other = (Counts(database, lambda: START) for _ in range(2))
        for counts in (one, other, other):
            counts.count("sms", Sent())
        assert await one.write(at_once=True)
        assert await other.write(at_once=True)
        assert not await other.write(at_once=True)
        found = (await one.last_hour(["sms", "whatsapp"]))["sms"]
        assert (found.sent, found.failed) == (3, 0)
        assert found.last_sent is not None


@pytest.mark.parametrize(
    ("channel", "reason", "words"),
    [
        ("whatsapp", "368", "The account is in trouble: look at the provider's console."),
        ("whatsapp", "131026", "The number has no WhatsApp."),
        ("twilio", "21211", "The number can't receive messages: ask the person for another one."),
        ("twilio", "twilio-account", "The account is in trouble: look at the provider's console."),
        ("sms", "ReadTimeout", "The provider does not answer."),
        ("sms", "http-502", "The provider does not answer."),
        ("sms", "dlr-2", ""),
    ],
)
def test_codes_have_words_where_people_can_do_something(
    channel: str, reason: str, words: str
) -> None:
    assert meaning(channel, reason) == words
