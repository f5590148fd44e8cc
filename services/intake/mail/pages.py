"""The counter's pages of the mail room: what waits, one mail, and its documents put in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import StringConstraints

from services.intake.answers import Strict
from services.intake.catalogue import PublicCatalogue
from services.intake.inspection import EXTENSIONS
from services.intake.mail.letter import Filed, Letter, Waiting
from services.intake.mail.room import MailRoom, document_of
from services.intake.mail.views import MailRow, Mails
from services.intake.uploads import LIMIT_TEXT, Uploads
from services.intake.views import Applications
from shared.actors import Role
from shared.errors import JejakError, NotFound
from shared.identity import Account
from shared.offices import Channel
from shared.privacy import mask
from shared.service import Now
from shared.text import CleanParagraph
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, translator
from shared.web.session import require

ROWS = 50
MAIL_PATH = "/pendaftaran/surat"
STATES: Mapping[str, tuple[str, str]] = {
    "waiting": (msg("To be looked at"), "info"),
    "filed": (msg("Made into an application"), "success"),
    "aside": (msg("Set aside"), "neutral"),
}
WARNINGS: Mapping[str, str] = {
    "spf-failed": msg("Our mail server says: this did not come from a server of the address."),
    "dkim-failed": msg("Our mail server says: the signature of this e-mail is wrong."),
    "dmarc-failed": msg("Our mail server says: the address is probably forged."),
    "cut-off": msg("The end of this e-mail is missing. Ask for it again."),
    "text-shortened": msg("Only the beginning of the text is shown."),
}
_NO_SUBJECT = msg("(no subject)")
_SET_ASIDE = msg("The e-mail was set aside.")
Counter = Annotated[Account, Depends(require(Role.COUNTER))]
MailId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]
StatusQuery = Annotated[str, Query(pattern="^(waiting|filed|aside)$")]
PageQuery = Annotated[int, Query(ge=1, le=100_000)]


class AsideFields(Strict):
    """Why nothing comes of a mail."""

    reason: Annotated[CleanParagraph, StringConstraints(min_length=1)]


@dataclass(frozen=True)
class MailDesk:
    """What the pages are drawn from."""

    pages: Pages
    catalogue: PublicCatalogue
    room: MailRoom
    mails: Mails
    applications: Applications
    uploads: Uploads
    now: Now

    async def queue(self, office: str, status: str, page: int, tr: Translator) -> dict[str, Any]:
        """Return what the list shows."""
        counts = await self.mails.counts(office)
        rows = await self.mails.queue(office, status, ROWS, (page - 1) * ROWS)
        return {
            "status": status,
            "tabs": [(name, tr.t(word), counts.get(name, 0)) for name, (word, _) in STATES.items()],
            "rows": [await self._row(row, office, tr) for row in rows],
            "page": page,
            "pages": max(1, -(-counts.get(status, 0) // ROWS)),
            "address": self.catalogue.office(office).email,
        }

    async def _row(self, row: MailRow, office: str, tr: Translator) -> dict[str, Any]:
        letter = await self.room.find(row.mail_id, office)
        mail = letter.mail
        return {
            "id": row.mail_id,
            "subject": mail.subject or tr.t(_NO_SUBJECT),
            "sender": masked_address(mail.sender),
            "documents": tr.number(len(mail.documents)),
            "age": age(self.now() - letter.received_at, tr),
            "warned": _warned(letter),
            "refused": len(mail.refused),
        }

    async def draw(
        self, request: Request, letter: Letter, account: Account, form: Form, status: int = 200
    ) -> Response:
        """Return the page of one mail."""
        tr, mail = translator(request), letter.mail
        office = self.catalogue.office(mail.office)
        word, tone = STATES[letter.status]
        return self.pages.render(
            request,
            "intake/mail.html",
            status_code=status,
            id=mail.mail_id,
            mail=mail,
            subject=mail.subject or tr.t(_NO_SUBJECT),
            received=tr.datetime(letter.received_at, ZoneInfo(office.zone)),
            warnings=[tr.t(WARNINGS[code]) for code in mail.warnings if code in WARNINGS],
            refused=[
                (one.name, tr.t(reason_of(one.reason), limit=LIMIT_TEXT)) for one in mail.refused
            ],
            state=tr.t(word),
            tone=tone,
            open=isinstance(letter, Waiting),
            takes=Channel.EMAIL in office.channels,
            number=await self._number(letter),
            reason=getattr(letter, "reason", ""),
            permits=self._permits(account.office, tr.lang),
            form=form,
        )

    async def _number(self, letter: Letter) -> str:
        if not isinstance(letter, Filed):
            return ""
        row = await self.applications.by_id(letter.application_id)
        return row.number if row else ""

    def _permits(self, office: str, lang: str) -> list[tuple[str, str]]:
        offers = self.catalogue.offers(self.now())
        own = [one.kind for one in offers if one.office(office) is not None]
        return sorted(((kind.id, kind.name.of(lang)) for kind in own), key=lambda kind: kind[1])


def masked_address(address: str) -> str:
    """Return an address with most of its name hidden; it may be no address at all."""
    name, at, domain = address.rpartition("@")
    return mask(name) + at + domain if at else mask(address)


def age(passed: timedelta, tr: Translator) -> str:
    """Return how long something waits, in minutes, hours or days."""
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 60:
        return tr.n("{n} minute", "{n} minutes", minutes)
    if minutes < 48 * 60:
        return tr.n("{n} hour", "{n} hours", minutes // 60)
    return tr.n("{n} day", "{n} days", minutes // (24 * 60))


def reason_of(code: str) -> str:
    """Return the sentence (a msgid) of a refusal by its code."""
    found = _sentences(JejakError)
    return found.get(code, code)


def _sentences(kind: type[JejakError]) -> dict[str, str]:
    found = {kind.code: kind.text}
    for below in kind.__subclasses__():
        found |= _sentences(below)
    return found


def _warned(letter: Letter) -> bool:
    return any(code.endswith("-failed") for code in letter.mail.warnings)


def mail_list_pages(desk: MailDesk) -> APIRouter:
    """Return the list of mails."""
    router = APIRouter(include_in_schema=False)

    @router.get(MAIL_PATH)
    async def mails(
        request: Request, account: Counter, status: StatusQuery = "waiting", page: PageQuery = 1
    ) -> Response:
        shown = await desk.queue(account.office, status, page, translator(request))
        return desk.pages.render(request, "intake/mails.html", **shown)

    return router


def mail_pages(desk: MailDesk) -> APIRouter:
    """Return one mail, its documents, and setting it aside."""
    router = APIRouter(include_in_schema=False)

    @router.get(MAIL_PATH + "/{mail_id}")
    async def look(request: Request, mail_id: MailId, account: Counter) -> Response:
        letter = await desk.room.find(mail_id, account.office)
        return await desk.draw(request, letter, account, Form())

    @router.get(MAIL_PATH + "/{mail_id}/dokumen/{sha256}")
    async def document(mail_id: MailId, sha256: str, account: Counter) -> Response:
        letter = await desk.room.find(mail_id, account.office)
        found = document_of(letter, sha256)
        path = desk.uploads.path(found.sha256)
        if not path.is_file():
            raise NotFound
        place = letter.mail.documents.index(found) + 1
        return FileResponse(
            path,
            media_type=found.media_type,
            filename=f"surat-{place}.{EXTENSIONS[found.media_type][0]}",
            content_disposition_type="attachment",
            headers={"content-security-policy": "default-src 'none'; sandbox"},
        )

    @router.post(MAIL_PATH + "/{mail_id}/sisihkan")
    async def aside(request: Request, mail_id: MailId, account: Counter) -> Response:
        letter = await desk.room.find(mail_id, account.office)
        parsed = parse_form(AsideFields, await read_form(request))
        if parsed.value is None:
            return await desk.draw(request, letter, account, parsed.form, 422)
        await desk.room.set_aside(mail_id, parsed.value.reason, account.actor)
        return desk.pages.redirect(request, MAIL_PATH, flash=_SET_ASIDE)

    return router
