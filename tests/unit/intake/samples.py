"""Sample applications for intake's tests. Everybody in them is made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.intake.commands import (
    CorrectApplication,
    CorrectPhone,
    RegisterApplication,
    ReopenForCorrection,
    ReturnApplication,
    SubmitApplication,
    WithdrawApplication,
)
from shared.actors import APPLICANT, Actor, Role, system
from shared.contracts.intake import (
    Applicant,
    ApplicantPhoneCorrected,
    ApplicationCorrected,
    ApplicationRegistered,
    ApplicationReturned,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    Document,
    Shortcoming,
)
from tests.spec import at

COUNTER = Actor("officer", "loket", "bogor", frozenset({Role.COUNTER}))
ELSEWHERE = Actor("officer", "loket.mataram", "mataram", frozenset({Role.COUNTER}))
VERIFIER = Actor("officer", "verifikator", "bogor", frozenset({Role.VERIFIER}))
WORKFLOW = system("intake")

PERSON = Applicant(name="Pemohon Contoh", nik="3271046504930002", phone="+6281212345678")
KTP = Document(
    requirement="ktp", name="ktp.pdf", sha256="a" * 64, size=10, media_type="application/pdf"
)
PROOF = replace(KTP, requirement="bukti-tempat", name="bukti.pdf", sha256="b" * 64)
ANSWERS = {"business-name": "Warung Contoh"}
REQUIRED = ("ktp", "bukti-tempat")
BLURRED = Shortcoming(requirement="ktp", reason="Foto buram.")

SUBMIT = SubmitApplication(
    now=at(),
    by=APPLICANT,
    application_id="app-1",
    number="BGR-2026-000001",
    office="bogor",
    permit_type="situ",
    permit_version=1,
    channel="online",
    channels=("online", "counter"),
    applicant=PERSON,
    answers=ANSWERS,
    documents=(KTP, PROOF),
    code_hash="c" * 64,
)
SUBMITTED = ApplicationSubmitted(
    application_id="app-1",
    number="BGR-2026-000001",
    office="bogor",
    permit_type="situ",
    permit_version=1,
    channel="online",
    applicant=PERSON,
    answers=ANSWERS,
    documents=(KTP, PROOF),
    code_hash="c" * 64,
)
RETURN = ReturnApplication(now=at(hours=1), by=COUNTER, shortcomings=(BLURRED,), note="")
RETURNED = ApplicationReturned(application_id="app-1", shortcomings=(BLURRED,), note="")
NEW_KTP = replace(KTP, sha256="d" * 64)
CORRECT = CorrectApplication(
    now=at(hours=2),
    by=APPLICANT,
    answers=ANSWERS,
    documents=(NEW_KTP, PROOF),
    required=REQUIRED,
)
CORRECTED = ApplicationCorrected(
    application_id="app-1", answers=ANSWERS, documents=(NEW_KTP, PROOF)
)
CORRECT_PHONE = CorrectPhone(
    now=at(hours=2), by=COUNTER, phone="+6281298765432", reason="Pemohon datang."
)
PHONE_CORRECTED = ApplicantPhoneCorrected(
    application_id="app-1", office="bogor", phone="+6281298765432", reason="Pemohon datang."
)
REGISTER = RegisterApplication(now=at(hours=3), by=COUNTER, required=REQUIRED)
REGISTERED = ApplicationRegistered(
    application_id="app-1",
    number="BGR-2026-000001",
    office="bogor",
    permit_type="situ",
    permit_version=1,
)
REOPEN = ReopenForCorrection(now=at(days=1), by=WORKFLOW, reason="Alamat belum jelas.")
REOPENED = ApplicationReturned(application_id="app-1", shortcomings=(), note="Alamat belum jelas.")
WITHDRAW = WithdrawApplication(now=at(days=2), by=APPLICANT, reason="Batal.")
WITHDRAWN = ApplicationWithdrawn(application_id="app-1", reason="Batal.")


def but(command: Any, **changes: Any) -> Any:
    """Return ``command`` with some fields changed."""
    return replace(command, **changes)
