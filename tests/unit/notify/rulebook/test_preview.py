"""What people would read, before they do: the command, the page, and how many SMS it takes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import main
from services.notify.channels.sms import segments
from services.notify.rulebook.preview import EXAMPLES, previews, values
from tests.running import Office, running_office, settings_in
from tests.unit.notify.desk import RULES, TEMPLATES

PAGE, HTML = "/pesan/templat", {"accept": "text/html"}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        # The euro sign takes two places, and is not cut in two at the end of a segment.
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 152, 3),
        # Curly quotes are sent as straight ones; another script doubles the price.
        ("“x”" * 53, 1),
        ("ф" * 70, 1),
        ("ф" * 71, 2),
        ("ф" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),
    ],
)
def test_how_many_sms_a_text_takes(text: str, count: int) -> None:
    assert segments(text) == count


def test_every_parameter_of_every_template_has_an_example() -> None:
    for template in TEMPLATES.all():
        assert set(template.parameters) <= set(EXAMPLES), template.id
        for language in ("id", "en"):
            assert all(values(template, language).values())


def test_what_is_asked_for_is_shown() -> None:
    every = list(previews(TEMPLATES))
    assert len(every) == 2 * len(TEMPLATES.all())
    (one,) = previews(TEMPLATES, name="bill", version=1, language="en")
    assert (one.whatsapp, one.segments, one.alphabet) == ("tagihan_retribusi", 1, "GSM-7")
    assert one.text.startswith("Bogor City Permit Office: the fee for application BGR-2026-000123")
    assert list(previews(TEMPLATES, name="gone")) == []


def run(*args: str) -> tuple[int, str]:
    ended = CliRunner().invoke(main, ["--lang", "id", "notify", "preview", *args])
    return ended.exit_code, ended.output


def test_the_command_previews_a_template() -> None:
    code, said = run("--template", "bill", "--language", "id")
    assert code == 0
    assert "bill.v1" in said
    assert "1 SMS (GSM-7, " in said
    assert "WhatsApp: tagihan_retribusi" in said
    assert "retribusi berkas BGR-2026-000123 sebesar Rp240.000" in said


def test_the_command_answers_programs_and_says_when_there_is_nothing() -> None:
    code, said = run("--json")
    found = json.loads(said)
    assert code == 0
    assert {one["template"] for one in found} == {template.id for template in TEMPLATES.all()}
    assert run("--template", "gone")[0] == 1
    assert run("--language", "fr")[0] == 2


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["notify"]) as running:
        yield running


async def test_the_page_shows_rules_and_words_to_those_who_answer_for_them(office: Office) -> None:
    assert (await office.http.get(PAGE, headers=HTML)).status_code == 303
    await office.sign_in("loket")
    assert (await office.http.get(PAGE, headers=HTML)).status_code == 403
    office.http.cookies.clear()
    await office.sign_in("penyelia")
    page = (await office.http.get(f"{PAGE}?lang=en", headers=HTML)).text
    assert "Quiet hours of your office: 21:00 - 06:00" in page
    for template in TEMPLATES.all():
        assert f"WhatsApp: {template.whatsapp}" in page
    assert page.count("Urgent: also at night") == sum(r.urgent for r in RULES.all.values())
    assert page.count("Joined: stalls") == sum(bool(r.digest) for r in RULES.all.values())
    assert "Bayar ke virtual account 123450012600002011" in page
    assert "Pay to virtual account 123450012600002011" in page
