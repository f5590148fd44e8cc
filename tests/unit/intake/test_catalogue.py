"""The shipped catalogue, and what a file may say."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.answers import ApplicantData, read_answers
from services.intake.catalogue import IntakeSection, PublicCatalogue, as_json
from shared.errors import NotFound
from shared.offices import Catalogue
from shared.settings import Settings

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TEXT = {"id": "Teks", "en": "Text"}


@pytest.fixture(scope="module")
def catalogue() -> PublicCatalogue:
    return PublicCatalogue(Catalogue.load(Settings().config))


def section(**changes: Any) -> IntakeSection:
    fields = [
        {"id": "business-name", "kind": "text", "label": TEXT},
        {"id": "story", "kind": "long-text", "label": TEXT, "required": False},
        {"id": "area", "kind": "number", "label": TEXT},
        {"id": "since", "kind": "date", "label": TEXT, "required": False},
    ]
    return IntakeSection.model_validate({"summary": TEXT, "fields": fields, **changes})


def test_every_shipped_permit_type_of_bogor_can_be_applied_for(catalogue: PublicCatalogue) -> None:
    bogor = catalogue.office("bogor")
    for permit_type in bogor.permit_types:
        offer = catalogue.offer(permit_type, NOW)
        assert offer.office("bogor") == bogor
        assert offer.section.required
        assert offer.kind.promise.working_days > 0


def test_the_json_holds_what_people_must_know_before_applying(catalogue: PublicCatalogue) -> None:
    shown = as_json(catalogue, NOW)
    situ = next(kind for kind in shown["permit_types"] if kind["id"] == "situ")
    assert situ["working_days"] == 5
    assert {"id", "en"} == set(situ["cost"])
    assert next(item["id"] for item in situ["requirements"]) == "ktp"
    assert "bogor" in situ["offices"]
    assert "contacts" not in shown["offices"][0]


def test_a_permit_type_nobody_gives_is_not_found(catalogue: PublicCatalogue) -> None:
    with pytest.raises(NotFound):
        catalogue.offer("izin-terbang", NOW)


def test_a_permit_type_is_not_offered_before_its_day(catalogue: PublicCatalogue) -> None:
    with pytest.raises(NotFound):
        catalogue.offer("situ", datetime(2025, 12, 31, 16, 59, tzinfo=UTC))
    # Midnight in Bogor is 17:00 UTC the day before.
    assert catalogue.offer("situ", datetime(2025, 12, 31, 17, 0, tzinfo=UTC)).kind.version == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"fees": []},
        {"fields": [{"id": "x1", "kind": "money", "label": TEXT}]},
        {"requirements": [{"id": "ktp", "name": TEXT}, {"id": "ktp", "name": TEXT}]},
        {"requirements": [{"id": "KTP", "name": TEXT}]},
        {"summary": {"id": "Teks"}},
    ],
)
def test_a_wrong_section_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        section(**wrong)


def test_a_wrong_file_is_not_offered_and_stops_nothing_else(tmp_path: Path) -> None:
    config = Settings().config
    for folder in ("offices", "permits"):
        (tmp_path / folder).mkdir()
    shutil.copy(config / "offices" / "bogor.yaml", tmp_path / "offices")
    shutil.copy(config / "permits" / "siup.yaml", tmp_path / "permits")
    text = (config / "permits" / "situ.yaml").read_text().replace("kind: number", "kind: money")
    (tmp_path / "permits" / "situ.yaml").write_text(text)
    found = PublicCatalogue(Catalogue.load(tmp_path)).offers(NOW)
    assert [offer.kind.id for offer in found] == ["siup"]


def test_answers_are_kept_as_text() -> None:
    given = {"business-name": " Warung  Contoh ", "story": "a\r\nb", "area": 120}
    assert read_answers(section(), given | {"since": "2026-01-05"}) == {
        "business-name": "Warung  Contoh",
        "story": "a\nb",
        "area": "120",
        "since": "2026-01-05",
    }
    assert read_answers(section(), {"business-name": "x", "area": "7"}) == {
        "business-name": "x",
        "area": "7",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "approved"},
        {"amount": 0},
        {"business-name": None},
        {"business-name": "   "},
        {"business-name": 12},
        {"business-name": ["x"]},
        {"business-name": "a\x00b"},
        {"business-name": "a\nb"},
        {"business-name": "a\u202eb"},
        {"business-name": "x" * 201},
        {"business-name": "x" * 1_000_000},
        {"story": "a\x1bb"},
        {"area": -1},
        {"area": 1.5},
        {"area": True},
        {"area": 10**10},
        {"area": "٣"},
        {"area": "1e3"},
        {"since": "05/01/2026"},
        {"since": "2026-02-30"},
    ],
)
def test_wrong_answers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read_answers(section(), {"business-name": "x", "area": 1} | wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nik": "3271"},
        {"nik": "0000000000000000"},
        {"nik": "3271046504930000"},
        {"phone": "0251 8321 075"},
        {"email": "nama"},
        {"email": "a@b.id\r\nBcc: c@d.id"},
        {"language": "fr"},
        {"name": ""},
        {"role": "admin"},
        {"address": "x" * 2001},
    ],
)
def test_a_wrong_applicant_is_refused(wrong: dict[str, Any]) -> None:
    right = {"name": "Pemohon Contoh", "nik": "3271046504930002", "phone": "081212345678"}
    ApplicantData.model_validate(right)
    with pytest.raises(ValidationError):
        ApplicantData.model_validate(right | wrong)
