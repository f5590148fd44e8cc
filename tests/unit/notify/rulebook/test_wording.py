"""Templates and rules are checked when they are loaded, and say which file is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.notify.channels.routes import route
from services.notify.rulebook.rules import OFFERED, Rules
from services.notify.rulebook.wording import Template, Templates
from shared.errors import BadConfiguration

HERE = Path(__file__).parents[4] / "services" / "notify" / "rulebook"
SHIPPED = Templates.load(HERE / "texts")
TEMPLATE = """
id: ready
version: 1
whatsapp: siap
parameters: [number]
text:
  id: "Berkas {number} siap."
  en: "File {number} is ready."
"""
RULE = "{id: ready, event: PermitIssued, audience: applicant, template: ready, channels: [sms]}"


def templates(folder: Path, text: str) -> Templates:
    (folder / "ready.v1.yaml").write_text(text, "utf-8")
    return Templates.load(folder)


def rules(folder: Path, *lines: str) -> Rules:
    file = folder / "rules.yml"
    file.write_text("stale_hours: 48\nrules:\n" + "\n".join(f"  - {line}" for line in lines))
    return Rules.load(file, templates(folder, TEMPLATE))


def test_the_shipped_rules_and_texts_belong_together() -> None:
    shipped = Rules.load(HERE / "rules.yaml", SHIPPED)
    assert {rule.event for rule in shipped.all.values()} == set(OFFERED)


def test_shipped_texts_fit_two_sms_in_both_languages() -> None:
    longest = {"office": "X" * 30, "permit": "X" * 40, "due": "X" * 28, "answer_by": "X" * 28}
    for rule in Rules.load(HERE / "rules.yaml", SHIPPED).all.values():
        template = SHIPPED.current(rule.template)
        values = {name: longest.get(name, "X" * 18) for name in template.parameters}
        for language in ("id", "en"):
            assert len(template.render(language, values)) <= 306


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Berkas {number} siap.", "Berkas siap."),
        ("File {number} is ready.", "File {number} of {name} is ready."),
        ("parameters: [number]", "parameters: []"),
        ("version: 1", "version: 0"),
        ("whatsapp: siap", "whatsapp: Siap Diambil"),
        ("id: ready", "id: ready\ncolour: red"),
        ("parameters: [number]", "parameters: [number"),
    ],
)
def test_a_wrong_template_names_its_file(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(BadConfiguration, match=r"ready\.v1\.yaml"):
        templates(tmp_path, TEMPLATE.replace(old, new))


def test_every_version_stays_on_file_and_the_newest_is_used(tmp_path: Path) -> None:
    (tmp_path / "ready.v2.yaml").write_text(TEMPLATE.replace("version: 1", "version: 2"))
    found = templates(tmp_path, TEMPLATE)
    assert (found.current("ready").version, found.get("ready", 1).version) == (2, 1)
    with pytest.raises(BadConfiguration):
        found.get("ready", 3)
    with pytest.raises(BadConfiguration):
        Templates([found.get("ready", 1)] * 2)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("PermitIssued", "PermitLost"),
        ("template: ready", "template: gone"),
        ("applicant", "mayor"),
        ("[sms]", "[]"),
        ("[sms]", "[pigeon]"),
    ],
)
def test_a_wrong_rule_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(BadConfiguration):
        rules(tmp_path, RULE.replace(old, new))


def test_a_template_asks_only_for_what_the_event_can_tell(tmp_path: Path) -> None:
    folder = tmp_path
    text = TEMPLATE.replace("number", "amount")
    file = folder / "rules.yml"
    file.write_text(f"stale_hours: 48\nrules: [{RULE}]")
    with pytest.raises(BadConfiguration, match="can't tell amount"):
        Rules.load(file, templates(folder, text))


def test_a_condition_names_a_field_of_the_event(tmp_path: Path) -> None:
    text = (HERE / "rules.yaml").read_text().replace("when: {to: head}", "when: {ot: head}")
    (tmp_path / "rules.yaml").write_text(text)
    with pytest.raises(BadConfiguration, match="StallEscalated has no ot"):
        Rules.load(tmp_path / "rules.yaml", SHIPPED)


def test_two_rules_never_share_an_id(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="same id"):
        rules(tmp_path, RULE, RULE)


def test_a_text_is_plain_formatting_of_its_parameters() -> None:
    template = Template.model_validate(
        {
            "id": "ready",
            "version": 1,
            "whatsapp": "siap",
            "parameters": ["number"],
            "text": {"id": "{number}", "en": "{number}"},
        }
    )
    assert template.render("id", {"number": "{evil.__class__}"}) == "{evil.__class__}"


def test_the_first_channel_that_is_set_up_is_used_and_else_the_outbox() -> None:
    assert route(("whatsapp", "sms"), frozenset({"sms"})) == ("sms",)
    assert route(("whatsapp", "sms"), frozenset({"sms", "whatsapp"})) == ("whatsapp", "sms")
    assert route(("whatsapp",), frozenset()) == ("outbox",)
