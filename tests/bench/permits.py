"""Sample permits: commands for the store's rows, whole histories for replay and read models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from services.intake.commands import (
    ApplicationCommand,
    CorrectApplication,
    RegisterApplication,
    ReturnApplication,
    SubmitApplication,
    WithdrawApplication,
)
from shared.actors import APPLICANT, Actor, Role
from shared.codec import Codec
from shared.contracts import intake, notify, payment, workflow
from shared.events import NewEvent, Recorded, to_micros
from shared.ids import derived_id, event_id

OFFICER = Actor("officer", "loket", "bogor", frozenset({Role.COUNTER}))
START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)

_APPLICANT = intake.Applicant(
    name="Pemohon Contoh",
    nik="3271046504930002",
    phone="+6281212345678",
    email="pemohon@example.id",
    address="Jalan Contoh 1, Bogor",
)
_ANSWERS = {"business-name": "Warung Contoh", "business-address": "Jalan Contoh 1", "area": "24"}
_REQUIRED = ("ktp", "proof")


def _document(requirement: str, letter: str) -> intake.Document:
    return intake.Document(
        requirement=requirement,
        name=f"{requirement}.pdf",
        sha256=letter * 64,
        size=180_000,
        media_type="application/pdf",
    )


_KTP, _NEW_KTP, _PROOF = _document("ktp", "a"), _document("ktp", "c"), _document("proof", "b")

# One permit is a start and four more transitions, as for the engines in the specification.
STEPS = 5


def command(step: int, application_id: str, number: str) -> ApplicationCommand:
    """Return the ``step``-th (from 0) of the five commands that an application goes through."""
    now = datetime.now(UTC)
    match step:
        case 0:
            return SubmitApplication(
                now=now,
                by=APPLICANT,
                application_id=application_id,
                number=number,
                office="bogor",
                permit_type="situ",
                permit_version=1,
                channel="online",
                channels=("online", "counter"),
                applicant=_APPLICANT,
                answers=_ANSWERS,
                documents=(_KTP, _PROOF),
                code_hash="c" * 64,
            )
        case 1:
            blurred = intake.Shortcoming(requirement="ktp", reason="Foto buram.")
            return ReturnApplication(now=now, by=OFFICER, shortcomings=(blurred,))
        case 2:
            documents = (_NEW_KTP, _PROOF)
            return CorrectApplication(
                now=now, by=APPLICANT, answers=_ANSWERS, documents=documents, required=_REQUIRED
            )
        case 3:
            return RegisterApplication(now=now, by=OFFICER, required=_REQUIRED)
        case _:
            return WithdrawApplication(now=now, by=APPLICANT, reason="Batal.")


class Step(NamedTuple):
    """One event of a history and the stream it belongs to."""

    stream: str
    event: object


def history(number: int) -> list[Step]:
    """Return the whole life of the ``number``-th permit, from application to hand-over."""
    application = derived_id("bench", number)
    registration = f"BGR-2026-{number:06d}"
    stream = f"application-{application}"
    return [
        *(Step(stream, event) for event in applied(application, registration)),
        *_worked_on(application, registration),
        *(Step(f"message-{derived_id('message', application)}", e) for e in _told(application)),
        Step(
            f"permit-{application}",
            workflow.PermitHandedOver(application_id=application, receiver="Pemohon Contoh"),
        ),
    ]


def applied(
    application: str, registration: str, code_hash: str = "c" * 64
) -> Iterator[intake.ApplicationSubmitted | intake.ApplicationRegistered]:
    """Yield what intake says of an application that was complete at once."""
    common: dict[str, Any] = {
        "application_id": application,
        "number": registration,
        "office": "bogor",
        "permit_type": "situ",
        "permit_version": 1,
    }
    yield intake.ApplicationSubmitted(
        **common,
        channel="online",
        applicant=_APPLICANT,
        answers=_ANSWERS,
        documents=(_KTP, _PROOF),
        code_hash=code_hash,
    )
    yield intake.ApplicationRegistered(**common)


def _worked_on(application: str, registration: str) -> Iterator[Step]:
    permit, bill = f"permit-{application}", derived_id("bill", application)
    common: dict[str, Any] = {
        "application_id": application,
        "number": registration,
        "office": "bogor",
        "permit_type": "situ",
    }
    opened = workflow.PermitOpened(**common, permit_version=1)
    assessed = workflow.FeeAssessed(**common, permit_version=1, measures={"area_m2": 24})
    yield Step(permit, opened)
    yield from _stage(permit, application, "verification", "verifier")
    yield from _stage(permit, application, "survey", "surveyor")
    yield Step(
        permit, workflow.StageStarted(application_id=application, stage="fee", role="assessor")
    )
    yield Step(permit, assessed)
    yield from _paid(common, bill)
    yield Step(
        permit,
        workflow.FeeSettled(
            application_id=application, bill_id=bill, amount=240_000, paid_at=START.isoformat()
        ),
    )
    yield Step(permit, workflow.StageCompleted(application_id=application, stage="fee"))
    yield from _stage(permit, application, "signing", "signer")
    yield Step(
        permit,
        workflow.PermitIssued(
            application_id=application, number=registration, document_number="503/1/SITU/2026"
        ),
    )


def _stage(permit: str, application: str, stage: str, role: str) -> Iterator[Step]:
    started = workflow.StageStarted(
        application_id=application, stage=stage, role=role, assignee=role
    )
    yield Step(permit, started)
    yield Step(permit, workflow.StageCompleted(application_id=application, stage=stage))


def _paid(common: dict[str, Any], bill: str) -> Iterator[Step]:
    line = payment.BillLine(label="Retribusi", calculation="24 m2 x Rp10.000", amount=240_000)
    yield Step(
        f"bill-{bill}",
        payment.BillIssued(
            **common,
            bill_id=bill,
            virtual_account=f"8808{common['number'][-6:]}",
            amount=240_000,
            lines=(line,),
            tariff="perda-2026",
            due_on="2026-02-05",
        ),
    )
    yield Step(
        f"bill-{bill}",
        payment.PaymentReceived(
            application_id=common["application_id"],
            bill_id=bill,
            amount=240_000,
            partner="bjb",
            request_id=derived_id("request", bill),
            reference="NTB0001",
            paid_at=START.isoformat(),
        ),
    )


def _told(application: str) -> Iterator[object]:
    common = {"application_id": application, "message_id": derived_id("message", application)}
    yield notify.MessageQueued(
        application_id=common["application_id"],
        message_id=common["message_id"],
        office="bogor",
        rule="permit-issued",
        audience="applicant",
        channel="whatsapp",
        recipient="+6281212345678",
        language="id",
        template="permit-ready",
        template_version=1,
        parameters={"number": "BGR-2026-000001", "office": "Bogor"},
    )
    yield notify.MessageAttempted(**common, channel="whatsapp", attempt=1)
    yield notify.MessageSent(**common, channel="whatsapp", provider_id="wamid.1")
    yield notify.MessageDelivered(**common)


def log(permits: int, codec: Codec) -> list[Recorded]:
    """Return the whole log of ``permits`` permits, as an office would have written it.

    Permits run in waves of 64 side by side, so that neighbours in the log belong to different ones.
    """
    rows: list[Recorded] = []
    for first in range(0, permits, 64):
        rows += wave(first, codec, min(64, permits - first), len(rows))
    return rows


def wave(first: int, codec: Codec, permits: int = 64, after: int = 0) -> list[Recorded]:
    """Return the log of some permits side by side, the ``first`` and those after it.

    ``after`` is the position that the log has reached before them.
    """
    rows: list[Recorded] = []
    versions: dict[str, int] = {}
    lives = [history(number) for number in range(first, first + permits)]
    for index in range(len(lives[0])):
        for life in lives:
            position = after + len(rows) + 1
            rows.append(_recorded(life[index], first, position, versions, codec))
    return rows


def _recorded(
    step: Step, wave: int, position: int, versions: dict[str, int], codec: Codec
) -> Recorded:
    version = versions[step.stream] = versions.get(step.stream, 0) + 1
    event: Any = step.event
    cause = derived_id("cause", step.stream, version)
    at = to_micros(START + timedelta(minutes=wave, seconds=position))
    new = codec.envelope(
        event,
        event_id(cause, step.stream, 0),
        at,
        str(OFFICER),
        cause,
        event.application_id,
    )
    return _placed(new, position, step.stream, version, at)


def _placed(new: NewEvent, position: int, stream: str, version: int, at: int) -> Recorded:
    return Recorded(
        position,
        stream,
        version,
        new.event_id,
        new.type,
        new.schema_version,
        new.data,
        new.occurred_us,
        at,
        new.actor,
        new.cause_id,
        new.correlation_id,
    )


def as_new(row: Recorded) -> NewEvent:
    """Return a recorded event as it was on its way into the store."""
    return NewEvent(
        row.event_id,
        row.type,
        row.schema_version,
        row.data,
        row.occurred_us,
        row.actor,
        row.cause_id,
        row.correlation_id,
    )


def sizes(rows: Sequence[Recorded]) -> float:
    """Return the mean size of the rows' data in bytes."""
    return sum(len(row.data) for row in rows) / len(rows)
