"""An example of every published event, and the golden files made from them.

::

    example(FeeAssessed)                      # a plausible one
    example(FeeAssessed, office="mataram")    # with a field of your own
    python -m tests.examples write            # write the golden files that are missing

A golden file, ``tests/golden/<Type>.v<version>.json``, is what the store holds for the example at
that version. It must decode for ever, so it is never overwritten: a changed event gets a version
of its own and an upcaster (or another name), and with it another file. A field is filled by its
name, from ``VALUES``; an event that needs another value has it in ``OWN``.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any, TypeVar

from shared.codec import Codec
from shared.contracts import BY_NAME, EventType, intake, notify, payment, workflow
from shared.events import NewEvent
from shared.ids import derived_id

E = TypeVar("E")

GOLDEN = Path(__file__).parent / "golden"
APPLICATION = derived_id("example", "application")
OCCURRED_US = 1_767_575_000_000_000

VALUES: dict[str, Any] = {
    "absence_id": derived_id("example", "absence"),
    "account": "verifikator",
    "account_holder": "Pemohon Contoh",
    "account_number": "0012345678",
    "agency": "dinkes",
    "allocation_id": derived_id("example", "allocation"),
    "amount": 250_000,
    "answer": "Berkas Anda sudah diteruskan ke tim teknis.",
    "answer_by": "2026-01-09T08:30:00+07:00",
    "answered": True,
    "answers": {"business-name": "Warung Contoh", "business-address": "Jl. Contoh No. 2 — Bogor"},
    "applicant": intake.Applicant(
        name="Pemohon Contoh",
        nik="3271046504930002",
        phone="+6281200000009",
        email="pemohon@example.org",
        address="Jl. Contoh No. 3, Bogor",
    ),
    "application_id": APPLICATION,
    "applications": (APPLICATION,),
    "asked": "verifikator",
    "assignee": "verifikator",
    "attempt": 1,
    "audience": "applicant",
    "bank": "Bank Contoh",
    "bill_id": derived_id("example", "bill"),
    "by": derived_id("example", "another bill"),
    "channel": "online",
    "classes": (payment.ClassTotal(name="MATCHED", count=1, amount=250_000),),
    "closing": 1_250_000,
    "collected": True,
    "code_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "complaint_id": derived_id("example", "complaint"),
    "count": 20,
    "credits": 250_000,
    "day": "2026-01-06",
    "days": 30,
    "debits": 0,
    "deputy": "verifikator-dua",
    "digest": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "document_number": "503/0042/BPPTPM/2026",
    "documents": (
        intake.Document(
            requirement="ktp",
            name="ktp pemohon.pdf",
            sha256="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            size=81_920,
            media_type="application/pdf",
        ),
    ),
    "due_at": "2026-01-08T15:00:00+07:00",
    "due_on": "2026-02-04",
    "effective_on": "2026-02-02",
    "explanation": "Menunggu berita acara dari kecamatan.",
    "first": 41,
    "first_day": "2026-01-06",
    "from_office": "bogor",
    "in_reply_to": derived_id("example", "message"),
    "into": derived_id("example", "another message"),
    "kind": "skrd",
    "language": "id",
    "last": "2026-01-09",
    "last_day": "2026-01-06",
    "letter": "503/12/DINKES/2026",
    "level": "kota",
    "line": 1,
    "lines": (
        payment.BillLine(label="Luas bangunan", calculation="50 m2 x Rp5.000", amount=250_000),
    ),
    "mail_id": derived_id("example", "mail"),
    "measures": {"area_m2": 50},
    "message_id": derived_id("example", "message"),
    "name": "BANK-CONTOH-2026-01-06.csv",
    "not_before": "2026-01-06T07:00:00+07:00",
    "note": "Lengkap.",
    "number": "BGR-2026-000042",
    "numbers": ("BGR-2026-000042", "BGR-2026-000043"),
    "office": "bogor",
    "on": "2026-01-07",
    "on_behalf": True,
    "opening": 1_000_000,
    "outcome": "done",
    "paid_at": "2026-01-06T10:15:00+07:00",
    "paid_on": "2026-01-12",
    "parameters": {"number": "BGR-2026-000042"},
    "partner": "bank-contoh",
    "permit_type": "situ",
    "permit_version": 1,
    "person": "8a7f2c26b46b68ffc68ff99b453c1d30",
    "planned_end": "2026-01-20T16:00:00+07:00",
    "previous": "verifikator-dua",
    "principal": 250_000,
    "promised": "2026-01-12",
    "proof": "KTP",
    "provider_id": "wamid.contoh",
    "reason": "Denah lokasi belum dilampirkan.",
    "received_at": "2026-01-06T10:16:00+07:00",
    "receiver": "Pemohon Contoh",
    "recipient": "+6281200000009",
    "recommended": True,
    "reference": "NTB000000000042",
    "refused": (intake.RefusedAttachment(name="berkas.zip", reason="not-a-document"),),
    "refund_id": derived_id("example", "refund"),
    "renewed_by": "BGR-2026-000043",
    "renews": "",
    "replaces": "",
    "reply_id": derived_id("example", "reply"),
    "report": "Lokasi sesuai dengan denah.",
    "request_id": "202601061015000001",
    "requirement": "ktp",
    "reversed_at": "2026-01-06T11:00:00+07:00",
    "role": "verifier",
    "rule": "ready-to-collect",
    "sender": "+6281200000009",
    "settled": 250_000,
    "settlement_id": derived_id("example", "settlement"),
    "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "shortcomings": (intake.Shortcoming(requirement="ktp", reason="Tidak terbaca."),),
    "source": "callback",
    "stage": "verify",
    "stall_id": derived_id("example", "stall"),
    "subject": "Permohonan SITU",
    "suspense_id": derived_id("example", "suspense"),
    "tariff": "perda-2026-1",
    "template": "ready-to-collect",
    "template_version": 1,
    "text": "Sudah dua minggu tidak ada kabar.",
    "to": "supervisor",
    "valid_until": "2031-01-05",
    "value_on": "2026-01-06",
    "virtual_account": "988260000000042",
    "warnings": ("spf-failed",),
    "year": 2026,
}
OWN: dict[type[Any], dict[str, Any]] = {
    payment.SettlementLinesRecorded: {
        "lines": (
            payment.SettlementLine(
                line=1,
                amount=250_000,
                value_on="2026-01-06",
                reference="NTB000000000042",
                virtual_account="988260000000042",
            ),
        )
    },
    payment.SettlementFileOpened: {"lines": 1},
    payment.SettlementFileAccepted: {"lines": 1},
    payment.SettlementDayProved: {"lines": 1},
    payment.SettlementFileRejected: {"reason": "unbalanced", "line": 0},
    payment.PaymentSetAside: {"reason": "underpaid"},
    payment.SuspenseOpened: {"reason": "orphan"},
    workflow.AbsenceRecorded: {"first": "2026-01-07", "reason": "Cuti tahunan"},
    workflow.OriginalMatched: {"stage": "match-originals"},
    workflow.OriginalMismatched: {"stage": "match-originals"},
    workflow.StallReplyRejected: {"reason": "stall-already-explained"},
    workflow.PermitRenewalRejected: {"renews": "BGR-2021-000042", "reason": "other-applicant"},
    workflow.RecommendationGiven: {"stage": "recommend"},
    intake.ApplicationForwarded: {"office": "bogor-tengah", "level": "kecamatan"},
    intake.MailReceived: {
        "sender": "pemohon@example.org",
        "text": "Terlampir berkas saya.",
        "documents": (
            intake.MailDocument(
                name="ktp pemohon.pdf",
                sha256="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
                size=81_920,
                media_type="application/pdf",
            ),
        ),
    },
    intake.MailSetAside: {"reason": "Iklan."},
    intake.ApplicantPhoneCorrected: {
        "phone": "+6281234567891",
        "reason": "Pemohon datang ke loket.",
    },
    notify.MessageQueued: {
        "channel": "whatsapp",
        "not_before": "",
        "digest": "stalls",
        "attachment": "",
        "resend_of": "",
        "gathers": (),
    },
    notify.ContactPreferenceStated: {"channel": "sms", "language": "en"},
    notify.ReplyReceived: {"channel": "whatsapp"},
    notify.ConsentGiven: {"channel": "whatsapp"},
    notify.ConsentWithdrawn: {"channel": "whatsapp", "reason": "stop"},
    notify.MessageAttempted: {"channel": "whatsapp"},
    notify.MessageSent: {"channel": "whatsapp"},
    notify.MessageFellBack: {"channel": "sms"},
    notify.MessageDeferred: {"reason": "quiet-hours"},
    workflow.SurveyScheduled: {"stage": "survey"},
    workflow.SurveyReported: {"stage": "survey"},
    workflow.SurveySkipped: {"stage": "survey", "reason": "Lokasi sudah pernah disurvei."},
}


def example(event: type[E], **changes: Any) -> E:
    """Return the example of an event class, with ``changes`` to its fields.

    Raises KeyError for a field that ``VALUES`` has no example for: add it there.
    """
    fields: Any = dataclasses.fields(event)  # type: ignore[arg-type]
    own = OWN.get(event, {})
    given = {
        field.name: own[field.name] if field.name in own else VALUES[field.name]
        for field in fields
        if field.name not in changes
    }
    return event(**given, **changes)


def examples() -> list[Any]:
    """Return one example of every published event."""
    return [example(kind.cls) for kind in BY_NAME.values()]


def enveloped(event: object, codec: Codec | None = None) -> NewEvent:
    """Return ``event`` as it goes into a store."""
    name = type(event).__name__
    return (codec or Codec()).envelope(
        event,
        derived_id("example", name),
        OCCURRED_US,
        "officer:verifikator",
        derived_id("cause", name),
        APPLICATION,
    )


def golden_file(kind: EventType) -> Path:
    """Return where the golden file of an event's current version is."""
    return GOLDEN / f"{kind.name}.v{kind.version}.json"


def write() -> int:
    """Write the golden files that are missing; return 1 when one is there and says otherwise."""
    codec, result = Codec(), 0
    for kind in BY_NAME.values():
        file, data = golden_file(kind), enveloped(example(kind.cls), codec).data + b"\n"
        if not file.exists():
            file.write_bytes(data)
            print(f"written: {file.name}")
        elif file.read_bytes() != data:
            print(f"NOT overwritten: {file.name} differs. A published event never changes: give it")
            print("a new version with an upcaster, or make it an event of another name.")
            result = 1
    return result


if __name__ == "__main__":
    if sys.argv[1:] != ["write"]:
        sys.exit("usage: python -m tests.examples write")
    sys.exit(write())
