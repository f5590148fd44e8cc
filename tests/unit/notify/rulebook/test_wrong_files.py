"""A template or rule that is wrong is refused at the start, by file and line, in a sentence."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notify.rulebook.rules import OFFERED, Rules
from services.notify.rulebook.wording import Template, Templates
from shared.offices import BadFile
from shared.web.i18n import Translator
from tests.unit.notify.desk import HERE, TEMPLATES

TEMPLATE = """\
id: ready
version: 1
whatsapp: siap
parameters: [number]
text:
  id: "Berkas {number} siap."
  en: "File {number} is ready."
"""
ENGLISH, INDONESIAN = Translator("en"), Translator("id")


def refused(file: Path) -> BadFile:
    with pytest.raises(BadFile) as caught:
        Templates.load(file.parent)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("{number} siap", "{number siap", 6, "A curly brace stands alone here"),
        ("{number} siap", "{number}} siap", 6, "A curly brace stands alone here"),
        ("is ready", "is } ready", 7, "A curly brace stands alone here"),
        ("{number} is", "{number!r} is", 7, "Write only a parameter's name"),
        ("{number} is", "{number.real} is", 7, "Write only a parameter's name"),
        ("{number} is", "{number[0]} is", 7, "Write only a parameter's name"),
        ("{number} is", "{number:>10} is", 7, "Write only a parameter's name"),
        ("{number} is", "{} is", 7, "Write only a parameter's name"),
        ("{number} is", "{0} is", 7, "Write only a parameter's name"),
        ("{number} is", "{Number} is", 7, "Write only a parameter's name"),
        ("{number} is", "{{number}} is", 7, "Write only a parameter's name"),
        ('"Berkas {number} siap."', '" "', 6, "This text is empty"),
        ("Berkas {number}", "Berkas", 5, "The text in id does not use the parameter number"),
        ("File {number}", "File {name} {number}", 5, "The text in en uses name, which is not"),
        ("[number]", "[number, number]", 4, "number is there twice"),
        ("[number]", "[Nomor]", 4, "This is not written in the expected way"),
        ("  en:", "  fr:", 7, "This word is not known here"),
        ("  en:", "  fr:", 5, "text.en: This is missing"),
        ("parameters: [number]\n", "", 1, "parameters: This is missing"),
        ("whatsapp: siap", "whatsapp: Siap Diambil", 3, "not written in the expected way"),
        ("version: 1", "version: satu", 2, "Write a whole number"),
        ("version: 1", "version: 1\nversion: 2", 3, "version is there twice"),
        ("[number]", "[number", 5, "can't be read as YAML"),
        (TEMPLATE, "", 1, "Write names with values here"),
    ],
)
def test_a_wrong_template_is_named_by_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    file = tmp_path / "ready.v1.yaml"
    file.write_text(TEMPLATE.replace(old, new), "utf-8")
    error = refused(file)
    sentences = [mistake.say(ENGLISH) for mistake in error.mistakes]
    expected = [one for one in sentences if one.startswith(f"ready.v1.yaml, line {line}:")]
    assert any(said in one for one in expected), sentences
    assert all(one.say(INDONESIAN) != one.say(ENGLISH) for one in error.mistakes)


def test_two_files_never_hold_the_same_version(tmp_path: Path) -> None:
    for name in ("ready.v1.yaml", "ready.yaml"):
        (tmp_path / name).write_text(TEMPLATE, "utf-8")
    (mistake,) = refused(tmp_path / "ready.yaml").mistakes
    assert mistake.say(ENGLISH).startswith("ready.yaml, line 2: version: ready has version 1")


def test_a_line_for_digests_may_leave_parameters_out_but_brings_none(tmp_path: Path) -> None:
    file = tmp_path / "ready.v1.yaml"
    longer = TEMPLATE.replace("[number]", "[number, due]").replace("{number}", "{number} {due}")
    file.write_text(longer + 'line: {id: "{number}", en: "{number}"}\n')
    values = {"number": "BGR-1", "due": "besok"}
    template = Templates.load(tmp_path).current("ready")
    assert template.render_line("id", values) == "BGR-1"
    assert template.render("en", values) == "File BGR-1 besok is ready."
    file.write_text(longer + 'line: {id: "{number}", en: "{name}"}\n')
    (mistake,) = refused(file).mistakes
    assert mistake.line == 8
    assert "The text in en uses name" in mistake.reason()


PIECES = st.sampled_from(
    ["{number}", "{", "}", "{}", "{number!r}", "{a.b}", "{x:>10}", "{{", "}}", "{name}", "%s", "\\"]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=8).map("".join)


@settings(deadline=None)  # each example is a file
@given(TEXTS, TEXTS, st.text())
@example("{number}", "{number}", "{evil.__class__}")
@example("{number!r}", "{number}", "")
def test_any_text_is_refused_or_can_be_rendered(indonesian: str, english: str, value: str) -> None:
    content = {
        "id": "ready",
        "version": 1,
        "whatsapp": "siap",
        "parameters": ["number"],
        "text": {"id": indonesian, "en": english},
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ready.v1.yaml"
        file.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8", "surrogatepass")
        try:
            template = Templates.load(Path(folder)).current("ready")
        except BadFile:
            return
    for language in ("id", "en"):
        text = template.render(language, {"number": value})
        assert text == template.text.of(language).replace("{number}", value)
        with pytest.raises(KeyError):
            template.render(language, {})


RULES = """\
stale_hours: 48
quiet_hours: "21:00-06:00"
digests:
  stalls: {template: stalls-digest, channels: [whatsapp, sms], minutes: 5, most: 10}
rules:
  - id: first
    event: StallEscalated
    audience: head
    template: escalated
    channels: [whatsapp, sms]
    when: {to: head}
  - id: second
    event: PermitIssued
    audience: applicant
    template: permit-ready
    channels: [sms]
    when: {collected: true}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("21:00-06:00", "9 malam", 2, "Write quiet hours such as 21:00-06:00"),
        ("21:00-06:00", "25:00-06:00", 2, "Write quiet hours such as 21:00-06:00"),
        ("21:00-06:00", "21:00", 2, "Write quiet hours such as 21:00-06:00"),
        ('"21:00-06:00"', "21:00", 2, "Write quiet hours such as 21:00-06:00"),
        ("21:00-06:00", "21:00-21:00", 2, "The quiet hours end when they begin"),
        ("minutes: 5", "minutes: 0", 4, "Write 1 or more"),
        ("stalls-digest", "stalls-gone", 4, "There is no message template stalls-gone"),
        ("stalls-digest", "escalated", 4, "needs the parameters count, lines, and no other"),
        ("StallEscalated", "StallClimbed", 7, "Nothing can be told about StallClimbed"),
        ("audience: head", "audience: mayor", 8, "This is not known here. Allowed: 'applicant'"),
        ("template: escalated", "template: gone", 9, "There is no message template gone"),
        ("template: escalated", "template: bill", 9, "StallEscalated can't tell account, which"),
        ("channels: [sms]", "channels: [pigeon]", 16, "Allowed: 'whatsapp'"),
        ("channels: [sms]", "channels: [sms, sms]", 16, "sms is there twice"),
        ("channels: [sms]", "channels: []", 16, "Give at least 1"),
        ("{to: head}", "{ot: head}", 11, "StallEscalated has no ot. It has: application_id,"),
        ("{to: head}", "{to: true}", 11, "to of StallEscalated can't be True"),
        ("{collected: true}", '{collected: "true"}', 17, "collected of PermitIssued can't be true"),
        ("audience: head", "audience: head\n    digest: nobody", 9, "There is no digest nobody"),
        (
            "audience: head",
            "audience: head\n    digest: stalls\n    urgent: true",
            10,
            "either urgent or part of a digest",
        ),
        ("id: second", "id: first", 12, "Two rules or digests have the same id first"),
        ("id: second", "id: stalls", 12, "Two rules or digests have the same id stalls"),
        ("audience: head", "audience: head\n    urgency: high", 9, "This word is not known here"),
        ("stale_hours: 48", "stale_hours: 0", 1, "Write 1 or more"),
    ],
)
def test_a_wrong_rule_is_named_by_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    assert Rules.load(file, TEMPLATES).quiet_hours == "21:00-06:00"
    assert old in RULES
    file.write_text(RULES.replace(old, new))
    with pytest.raises(BadFile) as caught:
        Rules.load(file, TEMPLATES)
    sentences = [mistake.say(ENGLISH) for mistake in caught.value.mistakes]
    expected = [one for one in sentences if one.startswith(f"rules.yaml, line {line}:")]
    assert any(said in one for one in expected), sentences
    assert all(one.say(INDONESIAN) != one.say(ENGLISH) for one in caught.value.mistakes)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES.replace("escalated", "gone").replace("{to: head}", "{ot: head}"))
    with pytest.raises(BadFile) as caught:
        Rules.load(file, TEMPLATES)
    assert [mistake.line for mistake in caught.value.mistakes] == [9, 11]


def test_what_a_digest_lists_says_so_in_few_words() -> None:
    rules = Rules.load(HERE / "rules.yaml", TEMPLATES)
    for rule in rules.all.values():
        template = TEMPLATES.current(rule.template)
        assert (template.line is not None) == bool(rule.digest), template.id
    assert {rule.event for rule in rules.all.values()} == set(OFFERED)


def test_no_two_templates_have_one_name_at_the_provider() -> None:
    # A text with a subject goes out by e-mail alone, and has no name there.
    names = [template.whatsapp for template in TEMPLATES.all() if template.subject is None]
    assert len(set(names)) == len(names)
    assert all(names)


def test_a_template_that_a_program_makes_is_checked_as_well() -> None:
    with pytest.raises(ValueError, match="A curly brace stands alone"):
        Template.model_validate(yaml.safe_load(TEMPLATE.replace("{number} is", "{number is")))
