"""The mapping file: what fits is read, what does not fit is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deploy.importing.mapping import Mapping, load_mapping
from deploy.importing.naming import application_id, officer, registration_number
from shared.errors import BadConfiguration
from tests.unit.importing.kit import CATALOGUE, DEPLOY, OFFICE, mapping

SHIPPED = ("receipt.yaml", "sample.yaml")


def save(folder: Path, **changes: object) -> Path:
    file = folder / "mapping.yaml"
    given = mapping().model_dump(mode="json", exclude_none=True) | changes
    file.write_text(yaml.safe_dump(given), "utf-8")
    return file


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_mappings_fit_their_office(name: str) -> None:
    read = load_mapping(DEPLOY / "imports" / name, OFFICE, CATALOGUE)
    assert read.permit_type == "wabo-receipt"


def test_a_mapping_survives_being_written_and_read(tmp_path: Path) -> None:
    assert load_mapping(save(tmp_path), OFFICE, CATALOGUE) == mapping()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": "red"}, "colour: This word is not known"),
        ({"permit_type": "situ"}, "no permit type 'situ' version 1"),
        ({"permit_version": 9}, "version 9"),
        ({"activities": {"a": "receipt", "b": "dance"}}, "no stage dance"),
        ({"submitted": {}}, "submitted: .*exactly one"),
        ({"closed": {"attribute": "a", "event": "last"}}, "closed: .*exactly one"),
        ({"number": {"prefix": "rcp"}}, "number.prefix"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(BadConfiguration, match=says) as refusal:
        load_mapping(save(tmp_path, **changes), OFFICE, CATALOGUE)
    assert "mapping.yaml" in str(refusal.value)


def test_a_permit_type_that_officers_work_on_takes_no_log(tmp_path: Path) -> None:
    file = save(tmp_path, permit_type="situ", activities={"a": "verify"})
    with pytest.raises(BadConfiguration, match="situ is worked on here"):
        load_mapping(file, CATALOGUE.offices["bogor"], CATALOGUE)


def test_a_mapping_that_is_no_yaml_or_not_there_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [", "utf-8")
    for file in (broken, tmp_path / "none.yaml"):
        with pytest.raises(BadConfiguration, match=file.name):
            load_mapping(file, OFFICE, CATALOGUE)


def test_everything_read_or_ignored_counts_as_covered() -> None:
    read = mapping(
        ignored=["concept:instance"], registered={"activity": "Complete"}, closed={"event": "last"}
    )
    assert read.trace_attributes == {
        "concept:name", "channel", "responsible", "enddate_planned", "department", "startdate",
        "concept:instance",
    }  # fmt: skip
    assert read.event_attributes == {
        "concept:name", "time:timestamp", "org:resource", "lifecycle:transition", "org:group",
        "concept:instance",
    }  # fmt: skip
    assert read.moment_activities == {"Complete"}


@pytest.mark.parametrize(
    ("case", "number"),
    [
        ("case-10011", "RCP-10011"),
        ("case-A.7_b", "RCP-A.7_B-"),
        ("10011", "RCP-10011-"),
        ("case-", "RCP-"),
        ("case-\u4e2d\u6587", "RCP-"),
        ("case-" + "9" * 300, "RCP-" + "9" * 40 + "-"),
    ],
)
def test_a_registration_number_is_short_plain_and_the_same_every_time(
    case: str, number: str
) -> None:
    rule = mapping().number
    made = registration_number(rule, case)
    assert made == registration_number(rule, case)
    assert made.startswith(number)
    assert len(made) <= 60
    assert made.isascii()
    assert made == made.upper()


def test_two_cases_never_share_a_number() -> None:
    names = ["case-1", "1", "case-a", "case-A", "case-1 ", "case-1-", "case-\u00e4", "case-case-1"]
    assert len({registration_number(mapping().number, name) for name in names}) == len(names)


def test_ids_belong_to_the_office_and_the_case() -> None:
    assert application_id("a", "1") == application_id("a", "1")
    assert len({application_id("a", "1"), application_id("b", "1"), application_id("a", "2")}) == 3


def test_resources_become_officers_and_nobody_becomes_the_importer() -> None:
    assert str(officer("Resource06", "receipt")) == "officer:resource06"
    assert str(officer("M\u00fcller & Co", "receipt")) == "officer:muller-co"
    assert str(officer("", "receipt")) == "system:import"


def test_the_mapping_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        mapping().permit_type = "x"
    assert Mapping.model_config["extra"] == "forbid"
