"""The permit's letter (surat izin) as PDF: Bahasa Indonesia, with the English words below.

Drawn from the permit's and the application's own facts each time somebody asks. The same facts give
the same bytes; a permit that no longer holds says so across every page.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, HRFlowable, KeepTogether, Spacer, Table, TableStyle

from services.workflow.grant import Grant, Standing, grant_of
from services.workflow.refusals import LetterNotReady
from services.workflow.seal import Seal
from services.workflow.status import Report
from services.workflow.wording import ROLE
from shared.offices import Catalogue, LocalText, PermitType
from shared.sheets import (
    BOLD,
    INK,
    LINE,
    QR_SIDE,
    SMALL,
    TITLE,
    WIDTH,
    Qr,
    facts,
    link,
    printed,
    stamp,
    text,
)
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages

_ID, _EN = Translator("id"), Translator("en")
_VOID: dict[Standing, str] = {
    "expired": msg("NO LONGER VALID: the permit ended on {day}."),
    "revoked": msg("NO LONGER VALID: the office took the permit back on {day}."),
    "renewed": msg("NO LONGER VALID: permit {number} has taken its place."),
}
_ACROSS: Final = msg("NO LONGER VALID")
_COUNTS: Final = msg(
    "Made by the office's system; what counts is what the address behind this code says. Compare "
    "number, name and fingerprint with this sheet."
)
# What a table's cell keeps free on each side.
_PAD: Final = 6
# What a file name may hold on every system; registration numbers are made of nothing else.
_FILE_NAME = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True)
class Letters:
    """Draws the letters of permits. ``name_of`` gives an account's display name."""

    catalogue: Catalogue
    pages: Pages
    seal: Seal
    name_of: Callable[[str], str]

    async def answer(self, request: Request, report: Report, *, officer: bool = False) -> Response:
        """Return the letter as a download. Raises LetterNotReady.

        The counter has it as soon as it is signed; the applicant once nothing is left to do there.
        """
        grant = grant_of(report)
        if grant is None or not (grant.ready or officer):
            raise LetterNotReady
        address = self.address(request, grant)
        # Drawing takes some hundredths of a second: not on the loop that answers everybody.
        pdf = await asyncio.to_thread(self.drawn, grant, address)
        name = _FILE_NAME.sub("-", grant.number)
        headers = {
            "content-disposition": f'attachment; filename="surat-izin-{name}.pdf"',
            # It may be void tomorrow, and it names a person: no copy is kept on the way.
            "cache-control": "no-store",
        }
        return Response(pdf, media_type="application/pdf", headers=headers)

    def address(self, request: Request, grant: Grant) -> str:
        """Return the page that says what is true of this very letter."""
        path = self.pages.link("workflow", f"/verifikasi/{self.seal.token(grant.application_id)}")
        return path if "://" in path else str(request.base_url).rstrip("/") + path

    def drawn(self, grant: Grant, address: str) -> bytes:
        """Return the letter as PDF; the same facts and address give the same bytes."""
        office = self.catalogue.offices[grant.office]
        kind = self.catalogue.types.get((grant.permit_type, grant.permit_version))
        zone = ZoneInfo(office.zone)
        void = _void(grant, zone)
        story: list[Flowable] = [
            text(office.name.id, TITLE),
            text(office.name.en, SMALL),
            text(office.address),
            HRFlowable(width=WIDTH, color=INK, spaceBefore=2 * mm, spaceAfter=6 * mm),
            *void,
            text(_ID.t("Permit letter").upper(), TITLE),
            text(_EN.t("Permit letter"), SMALL),
            Spacer(1, 4 * mm),
            facts(_rows(grant, kind, zone)),
            Spacer(1, 8 * mm),
            KeepTogether([self._foot(grant, address, zone)]),
        ]
        return printed(
            story,
            title=f"{_ID.t('Permit letter')} {grant.document_number}",
            author=office.name.id,
            lang="id",
            across=_ID.t(_ACROSS) if void else "",
        )

    def _foot(self, grant: Grant, address: str, zone: ZoneInfo) -> Table:
        """Return the signature, and the code with what to do with it."""
        signed = [
            *_both(msg("Signed by")),
            text(self._signer(grant), BOLD),
            *(_both(ROLE[grant.signed_as]) if grant.signed_as in ROLE else []),
            text(_ID.datetime(grant.issued_at, zone)),
            Spacer(1, 5 * mm),
            *_both(msg("Fingerprint")),
            *(text(half, BOLD) for half in _halves(grant.fingerprint)),
        ]
        check = [
            *_both(msg("Check this letter")),
            link(address),
            Spacer(1, 2 * mm),
            *_both(_COUNTS),
        ]
        left, right = WIDTH * 0.36, QR_SIDE + 2 * _PAD
        foot = Table([[signed, check, Qr(address)]], colWidths=[left, WIDTH - left - right, right])
        foot.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LINEABOVE", (0, 0), (-1, 0), 0.4, LINE),
                    ("TOPPADDING", (0, 0), (-1, -1), 3 * mm),
                ]
            )
        )
        return foot

    def _signer(self, grant: Grant) -> str:
        kind, _, account = grant.signed_by.partition(":")
        return self.name_of(account) if kind == "officer" and account else grant.signed_by


def letter_link(
    report: Report, base: str, tr: Translator, *, officer: bool = False
) -> dict[str, str] | None:
    """Return the download's address under ``base`` and its words, None when there is none yet."""
    grant = grant_of(report)
    if grant is None or not (grant.ready or officer):
        return None
    holds = grant.standing == "in-force"
    label = tr.t("Download the permit letter") if holds else tr.t("The letter, no longer valid")
    return {"href": f"{base}/surat.pdf", "label": label, "kind": "primary" if holds else "quiet"}


def _rows(grant: Grant, kind: PermitType | None, zone: ZoneInfo) -> list[tuple[Any, Any]]:
    permit = kind.name if kind is not None else LocalText(id=grant.permit_type, en="")
    until = day_text(grant.valid_until, zone, _ID) if grant.valid_until else _ID.t("Without an end")
    rows = [
        (_both(msg("Decree number")), text(grant.document_number, BOLD)),
        (_both(msg("Registration number")), text(grant.number, BOLD)),
        (_both(msg("Permit")), [text(permit.id, BOLD), text(permit.en, SMALL)]),
        (_both(msg("Granted to")), text(grant.holder or "–", BOLD)),
    ]
    rows += [
        ([text(label.id), text(label.en, SMALL)], text(value, BOLD))
        for label, value in asked(grant, kind)
    ]
    rows += [
        (_both(msg("Issued on")), text(_ID.date(grant.issued_at, zone), BOLD)),
        (_both(msg("Valid until")), text(until, BOLD)),
    ]
    return rows


def asked(grant: Grant, kind: PermitType | None) -> Sequence[tuple[LocalText, str]]:
    """Return what was asked for, under the words of the office's own catalogue, in its order."""
    fields = kind.intake.get("fields", []) if kind is not None else []
    labels = {field["id"]: LocalText.model_validate(field["label"]) for field in fields}
    order = [*labels, *(name for name in grant.answers if name not in labels)]
    return [
        (labels.get(name, LocalText(id=name, en="")), grant.answers[name])
        for name in order
        if name in grant.answers
    ]


def _halves(fingerprint: str) -> tuple[str, str]:
    """Return eight groups as two lines, easier to compare than one that breaks anywhere."""
    groups = fingerprint.split(" ")
    middle = len(groups) // 2
    return " ".join(groups[:middle]), " ".join(groups[middle:])


def _both(msgid: str) -> list[Flowable]:
    return [text(_ID.t(msgid)), text(_EN.t(msgid), SMALL)]


def _void(grant: Grant, zone: ZoneInfo) -> list[Flowable]:
    """Return the band over a letter that no longer counts, nothing over one that does."""
    if grant.standing == "in-force":
        return []
    by_language = [
        tr.t(_VOID[grant.standing], day=ended_on(grant, zone, tr), number=grant.renewed_by)
        for tr in (_ID, _EN)
    ]
    return [stamp(by_language[0]), text(by_language[1], SMALL), Spacer(1, 4 * mm)]


def ended_on(grant: Grant, zone: ZoneInfo, tr: Translator) -> str:
    """Return the day on which a permit ended: the last day for one that ran out."""
    if grant.standing == "expired":
        return day_text(grant.valid_until, zone, tr)
    return tr.date(grant.ended_at, zone) if grant.ended_at is not None else ""


def day_text(iso: str, zone: ZoneInfo, tr: Translator) -> str:
    """Return a date (ISO 8601) in words."""
    return tr.date(datetime.combine(date.fromisoformat(iso), time(12), zone), zone)
