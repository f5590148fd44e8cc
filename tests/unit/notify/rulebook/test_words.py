"""Events and rules in people's words, on the page about rules and in the log of a message."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from services.notify.rulebook.rules import OFFERED, Rule
from services.notify.rulebook.words import EVENTS, event_words, reason_words, title
from shared.contracts import BY_NAME
from shared.web.i18n import LANGUAGES, Translator
from tests.running import Office, running_office, settings_in, until
from tests.unit.notify.desk import RULES, TEMPLATES
from tests.unit.notify.test_telling import NUMBER, submit

HTML = {"accept": "text/html"}
EN, ID = Translator("en"), Translator("id")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["notify"]) as running:
        yield running


def seen(page: str) -> str:
    """Return what a reader sees of a page: its text without tags."""
    return unescape(re.sub(r"<[^>]+>", " ", page))


def test_every_event_that_a_rule_may_name_has_words() -> None:
    assert EVENTS.keys() == OFFERED.keys()


@pytest.mark.parametrize("rule", RULES.all.values(), ids=RULES.all)
def test_every_rule_is_told_in_both_languages_without_the_names_of_fields(rule: Rule) -> None:
    english, indonesian = event_words(rule, EN), event_words(rule, ID)
    assert english != indonesian
    for said in (english, indonesian):
        assert rule.event not in said
        assert ":" not in said


def test_a_condition_of_an_installations_own_is_shown_as_it_is() -> None:
    rule = RULES.all["bill"].model_copy(update={"when": {"channel": "counter"}})
    assert event_words(rule, EN) == "Bill issued (channel: counter)"


def test_why_a_message_was_queued() -> None:
    assert reason_words(RULES, "permit-download", EN) == "Permit issued (to be downloaded)"
    assert reason_words(RULES, "stalls", ID) == "Beberapa peringatan dalam satu pesan"
    assert reason_words(RULES, "reply-status", EN) == "Answer: where the application stands"
    assert reason_words(RULES, "a-rule-of-last-year", EN) == "a-rule-of-last-year"


def test_every_text_has_a_title_that_is_not_its_files_name() -> None:
    for name in {template.id for template in TEMPLATES.all()}:
        assert title(RULES, name, EN) not in (name, "")


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_page_about_rules_shows_no_name_from_the_code(office: Office, lang: str) -> None:
    await office.sign_in("penyelia")
    page = seen((await office.http.get(f"/pesan/templat?lang={lang}", headers=HTML)).text)
    assert [name for name in BY_NAME if re.search(rf"\b{name}\b", page)] == []
    assert Translator(lang).t(EVENTS["StallEscalated"]) in page


async def test_the_log_says_what_a_message_was_told_for(office: Office) -> None:
    await office.sign_in("loket")
    await submit(office)

    async def there() -> bool:
        answer = await office.http.get(f"/pesan/berkas/{NUMBER}?lang=en", headers=HTML)
        return "Told because of: Application submitted" in seen(answer.text)

    await until(there, what="the message in the log")
