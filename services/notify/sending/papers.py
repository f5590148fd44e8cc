"""The papers that go along with an e-mail, drawn when it is sent from what the store holds.

A paper names no person: whoever reads it has the registration number, and the page behind its QR
code says what is true today. The same events give the same bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table, TableStyle

from services.notify.channels import Paper
from services.notify.message import message_stream
from shared.codec import Codec
from shared.contracts.intake import ApplicationSubmitted
from shared.contracts.notify import MessageQueued
from shared.contracts.payment import BillIssued, BillLine, PaymentReceived
from shared.contracts.workflow import PermitIssued
from shared.events import Recorded
from shared.money import rupiah_text
from shared.offices import Catalogue, LocalText, Office
from shared.sheets import (
    BOLD,
    LINE,
    NUMBER,
    QR_SIDE,
    SMALL,
    TIGHT,
    TITLE,
    WIDTH,
    Qr,
    facts,
    link,
    printed,
    text,
)
from shared.store import EventStore
from shared.web.i18n import Translator, msg

PDF = "application/pdf"
# Each paper's title, and the file name that people see.
PAPERS: Final[Mapping[str, tuple[str, str]]] = {
    "application-receipt": (msg("Receipt of an application"), "tanda-terima"),
    "payment-receipt": (msg("Receipt of a payment"), "bukti-pembayaran"),
    "permit-notice": (msg("Notice of a permit that was issued"), "pemberitahuan-izin"),
}
Rows = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Said:
    """What one paper says: terms, lines with their amounts, and where it is checked."""

    rows: Rows
    lines: Sequence[tuple[str, str]]
    heading: str
    address: str
    note: str


class Papers:
    """Draws papers."""

    def __init__(
        self, store: EventStore, codec: Codec, catalogue: Catalogue, places: Mapping[str, str]
    ) -> None:
        """``places`` maps ``workflow`` and ``payment`` to the address where people reach them."""
        self._store = store
        self._codec = codec
        self._catalogue = catalogue
        self._places = places

    async def of(self, message: MessageQueued) -> tuple[Paper, ...]:
        """Return the papers of a message.

        None for a message without one, or when the store no longer has what it would say.
        """
        if message.attachment not in PAPERS:
            return ()
        cause = await self._cause(message)
        tr = Translator(message.language)
        office = self._catalogue.offices.get(message.office)
        said = await self._said(message, cause, tr, ZoneInfo(office.zone if office else "UTC"))
        if said is None:
            return ()
        title, file_name = PAPERS[message.attachment]
        content = await asyncio.to_thread(_drawn, tr.t(title), said, office, tr)
        number = message.parameters.get("number", "")
        return (Paper(f"{file_name}-{number}.pdf", PDF, content),)

    async def _cause(self, message: MessageQueued) -> str:
        """Return the event that a message tells of; one ordered anew tells of the first one's."""
        queued = await self._store.read_stream(message_stream(message.message_id))
        while message.resend_of and queued:
            queued = await self._store.read_stream(message_stream(message.resend_of))
            message = self._codec.decode(queued[0]) if queued else message
        return queued[0].cause_id if queued else ""

    async def _said(
        self, message: MessageQueued, cause: str, tr: Translator, zone: ZoneInfo
    ) -> _Said | None:
        key = message.application_id
        match message.attachment:
            case "application-receipt":
                return self._application(await self._read(f"application-{key}"), tr, zone)
            case "payment-receipt":
                return self._payment(await self._read(f"bill-{key}"), cause, message, tr, zone)
            case _:
                return self._permit(await self._read(f"permit-{key}"), cause, message, tr, zone)

    async def _read(self, stream: str) -> list[tuple[Recorded, Any]]:
        recorded = await self._store.read_stream(stream)
        return [(one, self._codec.decode(one)) for one in recorded]

    def _application(
        self, events: Sequence[tuple[Recorded, Any]], tr: Translator, zone: ZoneInfo
    ) -> _Said | None:
        found = _last(events, ApplicationSubmitted)
        if found is None:
            return None
        recorded, submitted = found
        kind = self._catalogue.types.get((submitted.permit_type, submitted.permit_version))
        asked = kind.intake.get("requirements", []) if kind else []
        names = {item["id"]: LocalText.model_validate(item["name"]).of(tr.lang) for item in asked}
        rows = [
            (tr.t("Registration number"), submitted.number),
            (tr.t("Permit"), kind.name.of(tr.lang) if kind else submitted.permit_type),
            (tr.t("Handed in on"), tr.datetime(recorded.occurred_at, zone)),
        ]
        documents = [
            (names.get(one.requirement, one.requirement), "") for one in submitted.documents
        ]
        address = f"{self._places['workflow']}/lacak?number={quote(submitted.number)}"
        note = tr.t("Follow the application here, with the code that was given with it:")
        return _Said(rows, documents, tr.t("Documents"), address, note)

    def _payment(
        self,
        events: Sequence[tuple[Recorded, Any]],
        cause: str,
        message: MessageQueued,
        tr: Translator,
        zone: ZoneInfo,
    ) -> _Said | None:
        found = _caused(events, PaymentReceived, cause)
        if found is None:
            return None
        received: PaymentReceived = found[1]
        bills = [event for _, event in events if isinstance(event, BillIssued)]
        bill = next((one for one in bills if one.bill_id == received.bill_id), None)
        if bill is None:
            return None
        rows = [
            (tr.t("Registration number"), bill.number),
            (tr.t("Permit"), message.parameters.get("permit", bill.permit_type)),
            (tr.t("For the bill"), bill.letter or bill.number),
            (tr.t("Paid on"), tr.datetime(datetime.fromisoformat(received.paid_at), zone)),
            (tr.t("Bank reference"), received.reference or "–"),
            (tr.t("Amount"), rupiah_text(received.amount)),
        ]
        lines = [(_label(line, tr.lang), rupiah_text(line.amount)) for line in bill.lines]
        address = f"{self._places['payment']}/tagihan/{quote(bill.number)}"
        note = tr.t("Whether this payment still counts is shown here:")
        return _Said(rows, lines, tr.t("What was paid for"), address, note)

    def _permit(
        self,
        events: Sequence[tuple[Recorded, Any]],
        cause: str,
        message: MessageQueued,
        tr: Translator,
        zone: ZoneInfo,
    ) -> _Said | None:
        found = _caused(events, PermitIssued, cause)
        if found is None:
            return None
        recorded, issued = found
        until = _day(issued.valid_until, tr, zone) if issued.valid_until else tr.t("Without an end")
        rows = [
            (tr.t("Decree number"), issued.document_number),
            (tr.t("Registration number"), issued.number),
            (tr.t("Permit"), message.parameters.get("permit", "")),
            (tr.t("Issued on"), tr.datetime(recorded.occurred_at, zone)),
            (tr.t("Valid until"), until),
        ]
        address = f"{self._places['workflow']}/verifikasi?number={quote(issued.document_number)}"
        note = tr.t("This is a notice, not the permit. Whether the permit holds is shown here:")
        return _Said(rows, (), "", address, note)


def _drawn(title: str, said: _Said, office: Office | None, tr: Translator) -> bytes:
    name = office.name.of(tr.lang) if office else ""
    place = office.address if office else ""
    story = list(_story(title, name, place, said))
    return printed(story, title=title, author=name, lang=tr.lang)


def _story(title: str, office: str, place: str, said: _Said) -> Iterator[Flowable]:
    words = [text(office, BOLD), text(place), Spacer(1, 6 * mm), text(title, TITLE)]
    left = WIDTH - QR_SIDE - 4 * mm
    head = Table([[words, Qr(said.address)]], colWidths=[left, WIDTH - left])
    head.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "BOTTOM")]))
    yield from (head, Spacer(1, 2 * mm))
    yield facts([(text(term), text(value, BOLD)) for term, value in said.rows])
    yield Spacer(1, 5 * mm)
    if said.lines:
        yield text(said.heading, BOLD)
        lines = [[text(label), text(amount, NUMBER)] for label, amount in said.lines]
        table = Table(lines, colWidths=[WIDTH * 0.76, WIDTH * 0.24])
        table.setStyle(TableStyle([*TIGHT, ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE)]))
        yield from (table, Spacer(1, 5 * mm))
    yield from (text(said.note), link(said.address, SMALL))


def _last(events: Sequence[tuple[Recorded, Any]], kind: type) -> tuple[Recorded, Any] | None:
    return next((pair for pair in reversed(events) if isinstance(pair[1], kind)), None)


def _caused(
    events: Sequence[tuple[Recorded, Any]], kind: type, cause: str
) -> tuple[Recorded, Any] | None:
    """Return the event that is told about, else the last of its kind."""
    told = (pair for pair in events if pair[0].event_id == cause and isinstance(pair[1], kind))
    return next(told, None) or _last(events, kind)


def _label(line: BillLine, lang: str) -> str:
    return line.label_en if lang == "en" and line.label_en else line.label


def _day(iso: str, tr: Translator, zone: ZoneInfo) -> str:
    return tr.date(datetime.combine(date.fromisoformat(iso), time(12), zone), zone)
