"""What people read about the time after the decision, in both languages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.workflow import aftermath
from services.workflow.permit import stream
from services.workflow.wording import Teller
from shared.contracts import workflow as e
from shared.web.i18n import Translator
from tests.unit.workflow.journey import (
    ANNOUNCED,
    ANSWERED,
    ASSIGNED,
    COMPLAINED,
    EXPIRED,
    LIFTED,
    MISMATCHED,
    RENEWED,
    REVOKED,
    about,
    at,
    opd,
)
from tests.unit.workflow.kit import APP
from tests.unit.workflow.office import SmallOffice, registered, small_office, submitted

DEEMED = e.PermitDeemedGranted(**about(office="contoh", number="-", due_at="-"))
LATE = e.ComplaintOverdue(**about(office="contoh", complaint_id="keluhan-1"))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SmallOffice]:
    async with small_office(tmp_path) as made:
        yield made


async def told(office: SmallOffice, *events: Any, **more: Any) -> tuple[Any, Teller, Teller]:
    """Let a permit go through events; return its report, and who tells it in both languages."""
    for event in (submitted(**more), registered()):
        await office.happened(f"application-{APP}", event)
    for event in events:
        await office.happened(stream(APP), event)
    at_office = office.catalogue.offices["contoh"]
    indonesian, english = (Teller(Translator(lang), at_office) for lang in ("id", "en"))
    return await office.report(), indonesian, english


ENDS = [
    (REVOKED, "Kantor mencabut izin ini", "The office took the permit back"),
    (EXPIRED, "Hari terakhir izin, Minggu, 5 Januari 2031", "last day, Sunday, 5 January 2031"),
    (RENEWED, "Izin baru CTH-2030-000001", "The new permit CTH-2030-000001"),
]


@pytest.mark.parametrize(("event", "indonesian", "english"), ENDS)
async def test_how_a_permit_ended_is_said_in_both_languages(
    office: SmallOffice, event: Any, indonesian: str, english: str
) -> None:
    report, told_id, told_en = await told(office, *at("closed"), ANNOUNCED, event)
    assert report.status == "finished"
    assert indonesian in told_id.sentence(report)
    assert english in told_en.sentence(report)
    # What was announced before it ended is history, not a warning.
    assert aftermath.notices(report, told_en) == []


async def test_a_revoked_permit_says_why(office: SmallOffice) -> None:
    report, _, english = await told(office, *at("closed"), ANNOUNCED, REVOKED)
    assert english.reasons(report) == ["Data palsu"]
    assert [step["title"] for step in english.steps(report)][-2:] == [
        "Revocation announced",
        "Permit taken back",
    ]


async def test_a_permit_that_ended_before_it_was_collected_waits_for_nobody(
    office: SmallOffice,
) -> None:
    report, _, english = await told(office, *at("hand"), EXPIRED)
    assert (report.status, report.waits_for, report.stage) == ("finished", "", None)
    steps = english.steps(report)
    assert (steps[-1]["state"], steps[-1]["title"]) == ("stopped", "Permit ended")


async def test_an_announced_revocation_is_said_until_it_is_lifted(office: SmallOffice) -> None:
    report, indonesian, english = await told(office, *at("closed"), ANNOUNCED)
    (notice,) = aftermath.notices(report, english)
    assert "Monday, 2 February 2026: Data palsu. You may object" in notice
    (ada,) = aftermath.notices(report, indonesian)
    assert "Senin, 2 Februari 2026: Data palsu. Anda dapat" in ada
    await office.happened(stream(APP), LIFTED)
    assert aftermath.notices(await office.report(), english) == []


async def test_a_complaint_stands_beside_the_step_that_goes_on(office: SmallOffice) -> None:
    report, _, english = await told(office, *at("verify"), COMPLAINED, LATE)
    steps = [(step["state"], step["title"]) for step in english.steps(report)]
    assert steps[2:5] == [
        ("done", "Complaint filed"),
        ("done", "Answer to the complaint overdue"),
        ("current", "verify"),
    ]
    assert COMPLAINED.text not in str(english.steps(report))
    (complaint,) = aftermath.complaints(report, english)
    assert (complaint["text"], complaint["state"]["label"]) == (COMPLAINED.text, "Answer overdue")
    await office.happened(stream(APP), ANSWERED)
    (complaint,) = aftermath.complaints(await office.report(), english)
    assert (complaint["answer"], complaint["state"]["tone"]) == ("Kami perbaiki", "success")


async def test_deemed_granted_is_a_fact_for_officers_until_somebody_decides(
    office: SmallOffice,
) -> None:
    report, _, public = await told(office, *at("verify"), DEEMED, ASSIGNED)
    staff = Teller(public.tr, public.office, staff=True, name_of=str.upper)
    assert aftermath.deemed(report)
    assert "art. 53" not in str(public.steps(report))
    assert "SITI" not in str(public.steps(report))
    assert "art. 53" in str(staff.steps(report))
    assert "Given to SITI: Beban kerja" in str(staff.steps(report))
    await office.happened(stream(APP), at("hand")[-2])
    assert not aftermath.deemed(await office.report())


async def test_agencies_originals_and_validity_are_told(office: SmallOffice) -> None:
    report, _, english = await told(
        office, *opd("match"), MISMATCHED, permit_type="opd", renews="CTH-2021-000009"
    )
    steps = str(english.steps(report))
    assert "dinas recommends it" in steps
    assert "belum advises against it · from its letter 551/7" in steps
    assert "Jalan sempit" not in steps
    assert "Decree 503/1 · valid until Sunday, 5 January 2031" in steps
    assert aftermath.holds(report, english) == [
        ("Valid until", "Sunday, 5 January 2031"),
        ("Renews", "CTH-2021-000009"),
    ]
