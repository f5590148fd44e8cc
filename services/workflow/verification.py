"""Does this permit hold? For anybody: a bank, a neighbour, an inspector.

``/verifikasi`` takes a number that everybody may know, and shows what is public. The code on a
letter (``/verifikasi/{token}``) proves that one has the letter, so its holder's name and what was
asked for are shown to compare; a code that is not ours says that the letter may be forged. A number
that is unknown and one without a signed permit get the same answer: never issued.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from services.workflow.grant import Grant, Standing, grant_of
from services.workflow.letter import Letters, asked, day_text, ended_on
from services.workflow.refusals import LetterNotGenuine
from services.workflow.status import Tracker
from services.workflow.views import Views
from shared.errors import NotFound
from shared.offices import PermitType
from shared.service import Now
from shared.web.forms import Form
from shared.web.i18n import Translator, msg
from shared.web.login import FailedTries
from shared.web.pages import translator

_MISSES_PER_ADDRESS: Final = 30
# Offices number decrees themselves: as many as may share one number and still be shown.
_MOST: Final = 10
_LONGEST: Final = 400
_STANDINGS: dict[Standing, tuple[str, str, str]] = {
    "in-force": (msg("In force"), "success", msg("This permit is in force.")),
    "expired": (
        msg("Ended"),
        "danger",
        msg("This permit is no longer in force: it ended on {day}."),
    ),
    "revoked": (
        msg("Taken back"),
        "danger",
        msg("This permit is no longer in force: the office took it back on {day}."),
    ),
    "renewed": (
        msg("Replaced"),
        "warning",
        msg("This permit is no longer in force: permit {number} has taken its place."),
    ),
}
# What stands in the address of a letter's code and of a receipt's, when somebody pastes one.
_LETTER = re.compile(r"/verifikasi/([A-Za-z0-9_-]{1,64})/?(?:\?.*)?$", re.ASCII)
_RECEIPT = re.compile(r"/terima/([A-Za-z0-9-]{1,40})/([A-Za-z0-9_-]{1,64})/?(?:\?.*)?$", re.ASCII)

Token = Annotated[str, Path(max_length=200)]
Number = Annotated[str, Query(max_length=_LONGEST)]


class Verified(BaseModel):
    """One permit as it stands. Days are ISO 8601 in the office's own zone; empty means none.

    ``state`` is ``in-force``, ``expired``, ``revoked`` or ``renewed``. ``genuine`` says that the
    letter's own code was given; without it ``holder`` is masked. ``revocation_on`` is the day on
    which the office means to take it back.
    """

    state: str
    genuine: bool
    number: str
    document_number: str
    permit_type: str
    permit: str
    office: str
    office_name: str
    holder: str
    issued_on: str
    valid_until: str
    ended_on: str
    renewed_by: str
    revocation_on: str
    fingerprint: str


class Answer(BaseModel):
    """What is known under a number.

    ``state`` is ``never-issued`` when there is no such permit, that of the permit when there is
    one, and ``several`` when offices gave one decree number more than once.
    """

    state: str
    permits: list[Verified]


@dataclass(frozen=True)
class Verification:
    """What the public page and its API stand on."""

    letters: Letters
    views: Views
    tracker: Tracker
    now: Now
    tries: FailedTries

    async def by_token(self, token: str) -> Grant:
        """Return the permit of a letter's code. Raises LetterNotGenuine."""
        application_id = self.letters.seal.opened(token)
        grant = await self._grant(application_id) if application_id is not None else None
        if grant is None:
            raise LetterNotGenuine
        return grant

    async def by_number(self, number: str, request: Request) -> list[Grant]:
        """Return the permits under a registration or decree number. Raises TooManyRequests."""
        address = f"address {request.client.host if request.client else ''}"
        self.tries.check(address, _MISSES_PER_ADDRESS)
        found = [await self._grant(one) for one in await self.views.decided(number, _MOST)]
        grants = [grant for grant in found if grant is not None]
        if not grants:
            self.tries.failed(address)
        return grants

    async def _grant(self, application_id: str) -> Grant | None:
        try:
            case = await self.tracker.case(application_id)
        except NotFound:
            return None
        return grant_of(self.tracker.report(case, self.now()))

    def kind(self, grant: Grant) -> PermitType | None:
        """Return the permit type at the version that the permit keeps."""
        return self.letters.catalogue.types.get((grant.permit_type, grant.permit_version))

    def zone(self, grant: Grant) -> ZoneInfo:
        """Return the zone of the office's days."""
        return ZoneInfo(self.letters.catalogue.offices[grant.office].zone)

    def verified(self, grant: Grant, *, genuine: bool) -> Verified:
        """Return what programs read of a permit."""
        kind, zone = self.kind(grant), self.zone(grant)
        ended = grant.valid_until if grant.standing == "expired" else ""
        if grant.standing in ("revoked", "renewed") and grant.ended_at is not None:
            ended = grant.ended_at.astimezone(zone).date().isoformat()
        return Verified(
            state=grant.standing,
            genuine=genuine,
            number=grant.number,
            document_number=grant.document_number,
            permit_type=grant.permit_type,
            permit=kind.name.id if kind is not None else grant.permit_type,
            office=grant.office,
            office_name=self.letters.catalogue.offices[grant.office].name.id,
            holder=grant.holder if genuine else initials(grant.holder),
            issued_on=grant.issued_at.astimezone(zone).date().isoformat(),
            valid_until=grant.valid_until,
            ended_on=ended,
            renewed_by=grant.renewed_by,
            revocation_on=grant.revocation_on,
            fingerprint=grant.fingerprint,
        )

    def told(self, grant: Grant, tr: Translator, *, genuine: bool) -> dict[str, Any]:
        """Return what the page says of a permit."""
        state, tone, sentence = _STANDINGS[grant.standing]
        zone, kind = self.zone(grant), self.kind(grant)
        day = ended_on(grant, zone, tr)
        office = self.letters.catalogue.offices[grant.office]
        until = day_text(grant.valid_until, zone, tr) if grant.valid_until else ""
        rows = [
            (tr.t("Permit"), kind.name.of(tr.lang) if kind is not None else grant.permit_type),
            (tr.t("Permit office"), office.name.of(tr.lang)),
            (tr.t("Decree number"), grant.document_number),
            (tr.t("Registration number"), grant.number),
            (tr.t("Granted to"), grant.holder if genuine else initials(grant.holder)),
            (tr.t("Issued on"), tr.date(grant.issued_at, zone)),
            (tr.t("Valid until"), until or tr.t("Without an end")),
        ]
        if genuine:
            rows += [(label.of(tr.lang) or label.id, value) for label, value in asked(grant, kind)]
        rows.append((tr.t("Fingerprint"), grant.fingerprint))
        revocation = grant.standing == "in-force" and grant.revocation_on
        return {
            "label": tr.t(state),
            "tone": tone,
            "sentence": tr.t(sentence, day=day, number=grant.renewed_by),
            "rows": rows,
            "revocation": day_text(grant.revocation_on, zone, tr) if revocation else "",
        }


def initials(name: str) -> str:
    """Return a name that only who knows it recognises: ``Siti Aminah -> S••• A•••``.

    As many dots for every word: the length of a name says more than it should.
    """
    return " ".join(f"{word[0]}•••" for word in name.split())


def verification_pages(verification: Verification) -> APIRouter:
    """Return ``/verifikasi``."""
    router, pages = APIRouter(include_in_schema=False), verification.letters.pages

    def page(request: Request, status_code: int = 200, **said: Any) -> Response:
        empty = {"asked_for": "", "permits": None, "genuine": False, "forged": False}
        form = Form({"number": str(said.get("asked_for", ""))})
        said = empty | said
        return pages.render(
            request, "workflow/verify.html", status_code=status_code, form=form, **said
        )

    @router.get("/verifikasi")
    async def ask(request: Request, number: Number = "") -> Response:
        number = number.strip()
        if not number:
            return page(request)
        elsewhere = _pasted(pages.link("intake", ""), number)
        if elsewhere:
            return pages.redirect(request, elsewhere)
        grants, tr = await verification.by_number(number, request), translator(request)
        permits = [verification.told(grant, tr, genuine=False) for grant in grants]
        return page(request, asked_for=number, permits=permits)

    @router.get("/verifikasi/{token}")
    async def check(request: Request, token: Token) -> Response:
        try:
            grant = await verification.by_token(token)
        except LetterNotGenuine as refusal:
            return page(request, refusal.status, forged=True)
        told = verification.told(grant, translator(request), genuine=True)
        answer = page(request, permits=[told], genuine=True)
        # Whoever has the letter may look; a search engine that finds the address may not.
        answer.headers["x-robots-tag"] = "noindex"
        return answer

    return router


def _pasted(intake: str, typed: str) -> str:
    """Return where the address of a letter or of a receipt leads, empty for a number."""
    if found := _LETTER.search(typed):
        return f"/verifikasi/{found[1]}"
    if found := _RECEIPT.search(typed):
        return f"{intake}/terima/{quote(found[1])}/{found[2]}"
    return ""


def verification_api(verification: Verification) -> APIRouter:
    """Return ``/api/verifikasi``, for a bank's own program."""
    router = APIRouter(prefix="/api/verifikasi", tags=["verification"])

    @router.get("", summary="Whether a permit holds, by its registration or decree number")
    async def ask(
        request: Request, number: Annotated[str, Query(min_length=1, max_length=_LONGEST)]
    ) -> Answer:
        grants = await verification.by_number(number, request)
        permits = [verification.verified(grant, genuine=False) for grant in grants]
        if len(permits) > 1:
            return Answer(state="several", permits=permits)
        return Answer(state=permits[0].state if permits else "never-issued", permits=permits)

    @router.get("/{token}", summary="Whether a letter is genuine and holds, by its own code")
    async def check(token: Token) -> Verified:
        return verification.verified(await verification.by_token(token), genuine=True)

    return router
