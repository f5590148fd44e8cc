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
    "amount": 250_000,
    "answer_by": "2026-01-09T08:30:00+07:00",
    "answers": {"business-name": "Warung Contoh", "business-address": "Jl. Contoh No. 2 — Bogor"},
    "applicant": intake.Applicant(
        name="Pemohon Contoh",
        nik="3271046504930002",
        phone="+6281200000009",
        email="pemohon@example.org",
        address="Jl. Contoh No. 3, Bogor",
    ),
    "application_id": APPLICATION,
    "asked": "verifikator",
    "assignee": "verifikator",
    "attempt": 1,
    "audience": "applicant",
    "bill_id": derived_id("example", "bill"),
    "channel": "online",
    "code_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "count": 20,
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
    "explanation": "Menunggu berita acara dari kecamatan.",
    "first": 41,
    "language": "id",
    "lines": (
        payment.BillLine(label="Luas bangunan", calculation="50 m2 x Rp5.000", amount=250_000),
    ),
    "measures": {"area_m2": 50},
    "message_id": derived_id("example", "message"),
    "not_before": "2026-01-06T07:00:00+07:00",
    "note": "Lengkap.",
    "number": "BGR-2026-000042",
    "office": "bogor",
    "on": "2026-01-07",
    "outcome": "done",
    "parameters": {"number": "BGR-2026-000042"},
    "paid_at": "2026-01-06T10:15:00+07:00",
    "partner": "bank-contoh",
    "permit_type": "situ",
    "permit_version": 1,
    "planned_end": "2026-01-20T16:00:00+07:00",
    "promised": "2026-01-12",
    "proof": "KTP",
    "provider_id": "wamid.contoh",
    "reason": "Denah lokasi belum dilampirkan.",
    "receiver": "Pemohon Contoh",
    "recipient": "+6281200000009",
    "recommended": True,
    "reference": "NTB000000000042",
    "report": "Lokasi sesuai dengan denah.",
    "request_id": "202601061015000001",
    "role": "verifier",
    "rule": "ready-to-collect",
    "shortcomings": (intake.Shortcoming(requirement="ktp", reason="Tidak terbaca."),),
    "stage": "verify",
    "stall_id": derived_id("example", "stall"),
    "tariff": "perda-2026-1",
    "template": "ready-to-collect",
    "template_version": 1,
    "virtual_account": "988260000000042",
    "year": 2026,
}
OWN: dict[type[Any], dict[str, Any]] = {
    notify.MessageQueued: {"channel": "whatsapp"},
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
