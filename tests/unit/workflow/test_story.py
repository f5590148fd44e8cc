"""What applicants and officers read: the trail, the sentence, and nothing they need not know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.workflow import commands as c
from services.workflow.folder import Folder
from services.workflow.status import Report
from services.workflow.tracking import tell
from services.workflow.wording import Teller
from shared.actors import Role
from shared.contracts import intake, payment
from shared.contracts import workflow as e
from shared.events import Fact
from shared.identity import Account
from shared.ids import derived_id
from shared.web.i18n import Translator
from tests.examples import example
from tests.unit.workflow.kit import APP, NUMBER, give, local, officer, opening
from tests.unit.workflow.office import SmallOffice, registered, small_office, submitted

BILL = derived_id("bill", APP)
UP_TO_THE_BILL = (c.CompleteStage, c.SkipSurvey, c.AssessFee)
BY = officer(*Role, name="loket")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SmallOffice]:
    async with small_office(tmp_path) as made:
        yield made


async def registered_permit(office: SmallOffice, *given: type[Any], **changes: Any) -> None:
    answers, documents = {"luas": "40"}, (example_document(),)
    await office.happened(
        f"application-{APP}", submitted(answers=answers, documents=documents, **changes)
    )
    await office.happened(f"application-{APP}", registered(), by=BY)
    await office.give(opening(now=office.at))
    for command in given:
        office.at = office.at.replace(minute=office.at.minute + 1)
        await office.give(give(command, now=office.at, **({"by": BY} if _asks(command) else {})))


def example_document() -> intake.Document:
    return intake.Document(
        requirement="ktp", name="k.pdf", sha256="ab" * 32, size=1, media_type="application/pdf"
    )


def _asks(command: type[Any]) -> bool:
    return command not in (c.SettleFee, c.WithdrawPermit, c.ResumePermit)


def teller(office: SmallOffice, lang: str = "en", **more: Any) -> Teller:
    return Teller(Translator(lang), office.catalogue.offices["contoh"], **more)


def trail(told: Teller, report: Report) -> list[tuple[str, str]]:
    return [(step["state"], step["title"]) for step in told.steps(report)]


async def test_the_trail_from_submission_to_hand_over(office: SmallOffice) -> None:
    await registered_permit(office, *UP_TO_THE_BILL)
    told = teller(office)
    assert trail(told, await office.report()) == [
        ("done", "Application submitted"),
        ("done", "Complete and registered"),
        ("done", "verify"),
        ("done", "survey"),
        ("done", "assess"),
        ("waiting", "pay"),
        ("upcoming", "sign"),
        ("upcoming", "hand"),
    ]
    for command in (c.SettleFee, c.SignPermit):
        await office.give(give(command, now=office.at))
    assert trail(told, await office.report())[-2:] == [("done", "sign"), ("waiting", "hand")]
    await office.give(give(c.HandOver, now=office.at))
    report = await office.report()
    assert {state for state, _ in trail(told, report)} == {"done"}
    assert told.sentence(report) == "The permit was handed over."
    assert "Pemohon Contoh" not in str(told.steps(report))


async def test_an_applicant_reads_roles_and_an_officer_names(office: SmallOffice) -> None:
    await registered_permit(office, c.CompleteStage)
    report = await office.report()
    public = str(teller(office).steps(report))
    assert "loket" not in public
    assert "Verification officer" in public
    assert "Lengkap" not in public
    staff = str(teller(office, staff=True, name_of=str.upper).steps(report))
    assert "LOKET" in staff
    assert "Lengkap" in staff


@pytest.mark.parametrize("lang", ["id", "en"])
async def test_every_status_has_a_sentence_in_both_languages(
    office: SmallOffice, lang: str
) -> None:
    told, said = teller(office, lang), set()

    async def note(status: str) -> None:
        report = await office.report()
        assert report.status == status
        assert told.status(report.status)["label"]
        said.add(told.sentence(report))

    await office.happened(f"application-{APP}", submitted())
    await note("submitted")
    shortcoming = intake.Shortcoming(requirement="ktp", reason="KTP buram")
    returned = intake.ApplicationReturned(application_id=APP, shortcomings=(shortcoming,), note="-")
    await office.happened(f"application-{APP}", returned)
    await note("returned")
    assert told.reasons(await office.report()) == ["KTP buram", "-"]
    await office.happened(f"application-{APP}", registered())
    await note("registered")
    await office.give(opening(now=office.at))
    await note("in-process")
    await office.give(give(c.ReturnPermit, now=office.at))
    await note("awaiting-correction")
    assert told.reasons(await office.report()) == ["KTP buram"]
    await office.give(give(c.ResumePermit, now=office.at))
    for command in UP_TO_THE_BILL:
        await office.give(give(command, now=office.at))
    await note("awaiting-payment")
    bill = example(payment.BillIssued, application_id=APP, bill_id=BILL, amount=80_000)
    await office.happened(f"bill-{BILL}", bill)
    await note("awaiting-payment")
    await office.give(give(c.SettleFee, now=office.at))
    await office.give(give(c.SignPermit, now=office.at))
    await note("issued")
    await office.give(give(c.HandOver, now=office.at))
    await note("finished")
    assert len(said) == 9


async def test_a_bill_shows_amount_account_and_how_long(office: SmallOffice) -> None:
    await registered_permit(office, *UP_TO_THE_BILL)
    bill = example(payment.BillIssued, application_id=APP, bill_id=BILL, amount=80_000)
    await office.happened(f"bill-{BILL}", bill)
    told = tell(await office.report(), teller(office))
    assert told["bill"]["amount"] == "Rp80.000"
    assert told["bill"]["account"] == bill.virtual_account
    assert "stopped: waiting for payment" in told["clock"]
    paid = example(payment.PaymentReceived, application_id=APP, bill_id=BILL)
    await office.happened(f"bill-{BILL}", paid)
    assert tell(await office.report(), teller(office))["bill"] is None


async def test_a_survey_is_announced_and_its_report_is_for_officers(office: SmallOffice) -> None:
    await registered_permit(office, c.CompleteStage, c.ScheduleSurvey)
    told = teller(office)
    assert "Wednesday, 7 January 2026" in told.sentence(await office.report())
    await office.give(give(c.ReportSurvey, now=office.at, by=BY))
    report = await office.report()
    assert "Survey held, recommended" in str(told.steps(report))
    assert "Sesuai" not in str(told.steps(report))
    assert "Sesuai" in str(teller(office, staff=True).steps(report))


async def test_a_rejection_says_why_and_how_to_object(office: SmallOffice) -> None:
    await registered_permit(office, c.RejectPermit)
    told = tell(await office.report(), teller(office))
    assert told["reasons"] == ["Tidak sesuai tata ruang"]
    assert "21 working days" in told["objection"]
    assert told["steps"][-1]["state"] == "stopped"
    assert told["waits_for"] == ""


async def test_a_foreign_log_is_told_as_it_was(office: SmallOffice) -> None:
    opened = e.PermitOpened(
        application_id=APP, number=NUMBER, office="contoh", permit_type="izin", permit_version=1
    )
    for event in (opened, e.StageCompleted(application_id=APP, stage="t02", note="Group 1")):
        await office.happened(f"permit-{APP}", event, by=officer(name="resource21"))
    await office.happened(f"permit-{APP}", e.PermitClosed(application_id=APP))
    report = await office.report()
    assert trail(teller(office, staff=True), report) == [("done", "t02"), ("done", "File closed")]
    assert report.status == "finished"


async def test_personal_data_is_masked_for_roles_without_need(office: SmallOffice) -> None:
    await registered_permit(office)
    report = await office.report()

    def shown(*roles: Role) -> str:
        account = Account("a", "A", frozenset(roles), "contoh")
        told = Folder(report, teller(office), account, office.catalogue).told()
        return str([told[name] for name in ("applicant", "answers", "documents", "suggested")])

    for role in (Role.AUDITOR, Role.SUPERVISOR, Role.TREASURER):
        seen = shown(role)
        assert not any(
            word in seen for word in ("Pemohon", "3271046504930002", "+62812", "/dokumen")
        )
    assert "3271046504930002" in shown(Role.VERIFIER)
    assert "3271046504930002" not in shown(Role.SIGNER)
    assert "Pemohon Contoh" in shown(Role.SIGNER)


async def test_the_file_offers_what_is_possible_and_the_next_step_first(
    office: SmallOffice,
) -> None:
    await registered_permit(office, c.CompleteStage)
    report = await office.report()

    def offered(*roles: Role) -> tuple[list[str], list[str]]:
        account = Account("a", "A", frozenset(roles), "contoh")
        told = Folder(report, teller(office), account, office.catalogue).told()
        return [a.name for a in told["main"]], [a.name for a in told["others"]]

    assert offered(Role.SURVEYOR) == (["schedule-survey"], ["skip-survey", "return-permit"])
    assert offered(Role.SIGNER) == ([], ["reject-permit"])
    assert offered(Role.VERIFIER) == ([], [])


async def test_a_report_never_reads_a_clock_that_is_behind_its_facts(office: SmallOffice) -> None:
    office.at = local(6, 10)
    await registered_permit(office)
    office.at = local(5, 8)
    report = await office.report()
    assert report.at == local(6, 10)
    assert isinstance(report.case.facts[-1], Fact)
