"""From an event to an e-mail with its paper, in a notify service that really runs."""

from __future__ import annotations

import email
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import Templates
from services.notify.sending.papers import Papers
from shared.contracts.intake import Document
from shared.contracts.notify import MessageQueued
from shared.contracts.payment import BillIssued, PaymentReceived
from shared.contracts.workflow import PermitIssued
from shared.errors import BadConfiguration
from tests.examples import example
from tests.running import Office, running_office, settings_in, until
from tests.unit.notify.desk import HERE, TEMPLATES
from tests.unit.notify.mail_server import MailServer, mail_server
from tests.unit.notify.test_telling import APPLICATION, NUMBER, SUBMITTED, permit, submit

ADDRESS = "pemohon@example.org"
KTP = Document(
    requirement="ktp", name="ktp.pdf", sha256="0" * 64, size=1, media_type="application/pdf"
)
WRITING = replace(
    SUBMITTED, applicant=replace(SUBMITTED.applicant, email=ADDRESS), documents=(KTP,)
)
BILL = example(BillIssued, application_id=APPLICATION, number=NUMBER, bill_id="b-1")
PAID = example(PaymentReceived, application_id=APPLICATION, bill_id="b-1", reference="NTB42")


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest.fixture
async def office(tmp_path: Path, server: MailServer) -> AsyncIterator[Office]:
    settings = settings_in(
        tmp_path,
        mail_url=f"smtp://127.0.0.1:{server.port}",
        mail_sender="izin@bogor.example.org",
        notify_url="https://izin.example.org",
    )
    async with running_office(settings, ["notify"]) as running:
        yield running


async def taken(server: MailServer, count: int) -> Any:
    """Return the last of ``count`` e-mails."""

    async def enough() -> bool:
        return len(server.taken) >= count

    await until(enough, seconds=20, what=f"e-mail {count}")
    assert len(server.taken) == count
    return email.message_from_bytes(server.taken[-1], policy=default)


def paper(mail: Any) -> tuple[str, str]:
    """Return the attachment's name and what it says."""
    [attachment] = mail.iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    pages = PdfReader(io.BytesIO(attachment.get_content())).pages
    return attachment.get_filename(), " ".join(page.extract_text() for page in pages)


async def test_an_applicant_who_gave_an_address_gets_the_receipt(
    office: Office, server: MailServer
) -> None:
    await submit(office, WRITING)
    mail = await taken(server, 1)
    assert (server.recipients, mail["To"]) == ([ADDRESS], ADDRESS)
    assert mail["Subject"] == f"Permohonan diterima: {NUMBER}"
    assert NUMBER in mail.get_body().get_content()
    name, said = paper(mail)
    assert name == f"tanda-terima-{NUMBER}.pdf"
    assert NUMBER in said
    assert f"https://izin.example.org/lacak?number={NUMBER}" in said
    # Who reads the paper learns nobody's name, number or address.
    for secret in ("Pemohon", "3271046504930002", "812345", ADDRESS):
        assert secret not in said


async def test_a_payment_and_a_permit_bring_their_papers(
    office: Office, server: MailServer
) -> None:
    english = replace(WRITING, applicant=replace(WRITING.applicant, language="en"))
    await submit(office, english)
    await taken(server, 1)
    await office.happened(f"bill-{APPLICATION}", BILL, PAID, application=APPLICATION)
    mail = await taken(server, 2)
    assert mail["Subject"] == f"Payment received: {NUMBER}"
    name, said = paper(mail)
    assert name == f"bukti-pembayaran-{NUMBER}.pdf"
    for shown in ("Receipt of a payment", "Rp250.000", "NTB42", f"/tagihan/{NUMBER}"):
        assert shown in said
    issued = PermitIssued(
        application_id=APPLICATION, number=NUMBER, document_number="503/1/2026", collected=False
    )
    await permit(office, issued)
    mail = await taken(server, 3)
    name, said = paper(mail)
    assert name == f"pemberitahuan-izin-{NUMBER}.pdf"
    for shown in ("503/1/2026", "not the permit", "/verifikasi?number=503/1/2026"):
        assert shown in said


async def test_who_gave_no_address_gets_no_mail(office: Office, server: MailServer) -> None:
    await submit(office)
    other = replace(WRITING, application_id="a-2", number="BGR-2026-000202")
    await submit(office, other)
    await taken(server, 1)
    assert server.recipients == [ADDRESS]


async def test_the_same_message_has_the_same_paper(office: Office, server: MailServer) -> None:
    await submit(office, WRITING)
    await taken(server, 1)
    kernel = office.running.kernel
    papers = Papers(kernel.store, kernel.codec, kernel.catalogue, {"workflow": "", "payment": ""})
    queued = [
        kernel.codec.decode(one)
        for one in await kernel.store.read_all(0)
        if one.type == "MessageQueued"
    ]
    [message] = [one for one in queued if one.attachment]
    assert isinstance(message, MessageQueued)
    assert await papers.of(message) == await papers.of(message) != ()


async def test_a_message_that_was_ordered_anew_brings_the_paper_of_the_first(
    office: Office, server: MailServer
) -> None:
    await submit(office, WRITING)
    await taken(server, 1)
    await office.happened(f"bill-{APPLICATION}", BILL, PAID, application=APPLICATION)
    await taken(server, 2)
    later = replace(PAID, request_id="r-2", reference="NTB43")
    await office.happened(f"bill-{APPLICATION}", later, application=APPLICATION)
    await taken(server, 3)
    kernel = office.running.kernel
    papers = Papers(kernel.store, kernel.codec, kernel.catalogue, {"workflow": "", "payment": ""})
    queued = [
        kernel.codec.decode(one)
        for one in await kernel.store.read_all(0)
        if one.type == "MessageQueued"
    ]
    first = next(one for one in queued if one.attachment == "payment-receipt")
    anew = replace(first, message_id="m-anew", resend_of=first.message_id)
    await office.happened("message-m-anew", anew, application=APPLICATION)
    [drawn] = await papers.of(anew)
    assert "NTB42" in PdfReader(io.BytesIO(drawn.content)).pages[0].extract_text()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("audience: applicant, template: received-mail, channels: [email, sms]", "of its own"),
        ("audience: officer, template: received-mail, channels: [email]", "Only applicants"),
        ("audience: applicant, template: received, channels: [email]", "no subject"),
        ("audience: applicant, template: received-mail, channels: [sms]", "WhatsApp"),
        (
            "audience: applicant, template: received, channels: [sms], attachment: payment-receipt",
            "attachment",
        ),
    ],
)
def test_a_rule_that_no_mail_could_follow_is_refused(
    tmp_path: Path, rule: str, reason: str
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        f"stale_hours: 48\nrules:\n  - {{id: mail-rule, event: ApplicationSubmitted, {rule}}}\n"
    )
    with pytest.raises(BadConfiguration, match=reason):
        Rules.load(file, TEMPLATES)


def test_a_subject_names_parameters_of_its_text(tmp_path: Path) -> None:
    text = (HERE / "texts" / "received-mail.v1.yaml").read_text()
    (tmp_path / "x.yaml").write_text(text.replace("diterima: {number}", "diterima: {amount}"))
    with pytest.raises(BadConfiguration, match="amount"):
        Templates.load(tmp_path)
