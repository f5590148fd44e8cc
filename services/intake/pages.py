"""Pages for everybody: the start, the catalogue, and the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from services.intake.catalogue import ONLINE, IntakeSection, Offer, PublicCatalogue
from services.intake.door import Visit
from services.intake.forms import (
    ApplyFields,
    Draft,
    FormReader,
    Kept,
    empty_form,
    with_new_key,
)
from services.intake.mail.opening import opened
from services.intake.mail.room import MailRoom
from services.intake.refusals import NotOnlineYet
from services.intake.submission import Accepted, Handed, Submissions
from services.intake.views import Applications
from shared.actors import APPLICANT, Actor, Role
from shared.errors import KeyReused, NotFound
from shared.identity import Account
from shared.offices import Level, Office
from shared.service import Now
from shared.web.forms import Form, read_form
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language, translator
from shared.web.session import current_user

_CHOOSE = msg("Choose one of the options.")
_SENT_BEFORE = msg(
    "This form was already sent with other content. Send it again only if you want a second "
    "application."
)
CHANNELS: Mapping[str, str] = {
    ONLINE: msg("Online"),
    "counter": msg("At the counter"),
    "email": msg("By e-mail"),
    "phone": msg("By telephone"),
}
LEVELS: Mapping[Level, str] = {
    Level.KELURAHAN: msg("Village (kelurahan)"),
    Level.KECAMATAN: msg("District (kecamatan)"),
    Level.KOTA: msg("City (kota)"),
    Level.PROVINSI: msg("Province (provinsi)"),
}
LABELS: Mapping[str, str] = {
    "name": msg("Full name"),
    "nik": msg("NIK"),
    "phone": msg("Mobile number"),
    "email": msg("E-mail"),
    "address": msg("Home address"),
    "office": msg("Permit office"),
    "channel": msg("How it came in"),
    "renews": msg("Number of the permit to renew"),
}


@dataclass(frozen=True)
class Front:
    """What the public pages are drawn from."""

    pages: Pages
    catalogue: PublicCatalogue
    submissions: Submissions
    applications: Applications
    reader: FormReader
    visit: Visit
    now: Now
    room: MailRoom

    def permit(self, offer: Offer, lang: str) -> dict[str, Any]:
        """Return what a page says of a permit type before anybody applies."""
        tr = Translator(lang)
        return {
            "id": offer.kind.id,
            "name": offer.kind.name.of(lang),
            "summary": offer.section.summary.of(lang),
            "days": offer.kind.promise.working_days,
            "cost": offer.kind.promise.cost.of(lang),
            "requirements": offer.section.requirements,
            "offices": offer.offices,
            "online": offer.online,
            "places": [
                (office, [channel_word(channel, tr) for channel in ways(offer, office)])
                for office in offer.offices
            ],
            "decides": decides(offer, tr),
            "renewable": offer.kind.renewable,
            "assumed": "assumed" in offer.kind.source,
        }

    def permits(self, lang: str) -> list[dict[str, Any]]:
        """Return every permit type that can be applied for, by name."""
        shown = [self.permit(offer, lang) for offer in self.catalogue.offers(self.now())]
        return sorted(shown, key=lambda permit: str(permit["name"]))

    def track_link(self, number: str) -> str:
        """Return where an application is followed; the code is typed there, never linked."""
        return self.pages.link("workflow", f"/lacak?number={number}")

    def draw_form(
        self, request: Request, offer: Offer, form: Form, kept: Mapping[str, Kept], status: int
    ) -> Response:
        """Return the form as a page."""
        lang, account = language(request), current_user(request)
        channels = self.by_hand(offer, account, translator(request))
        # Whoever enters it for somebody does so for their own office.
        own = offer.office(account.office) if channels and account else None
        open_to = (own,) if own else offer.online
        return self.pages.render(
            request,
            "intake/apply.html",
            status_code=status,
            permit=self.permit(offer, lang),
            section=offer.section,
            form=form,
            kept=kept,
            labels=labels(offer.section, translator(request)),
            offices=[(office.id, office.name.of(lang)) for office in open_to],
            channels=channels,
        )

    def by_hand(
        self, offer: Offer, account: Account | None, tr: Translator
    ) -> list[tuple[str, str]]:
        """Return the ways an officer at the counter may enter an application for somebody."""
        office = offer.office(account.office) if account else None
        if account is None or office is None or not account.has(Role.COUNTER):
            return []
        others = [channel for channel in office.channels if channel != ONLINE]
        return [(channel, channel_word(channel, tr)) for channel in others]

    async def hand_in(self, request: Request, offer: Offer, draft: Draft) -> Accepted:
        """Submit what the form holds. Raises the decider's refusals."""
        fields: ApplyFields = draft.fields
        office = offer.office(fields.office)
        if office is None:
            raise NotFound
        kind = offer.kind
        handed = Handed(
            office=office,
            kind=kind,
            section=offer.section,
            authority=self.catalogue.authority(office.id, kind.id, kind.version, draft.answers),
            channel=fields.channel,
            renews=fields.renews,
            applicant=fields.applicant(language(request)),
            answers=draft.answers,
            documents=await self.submissions.documents(offer.section, draft.named),
        )
        who = self._who(request, fields)
        if fields.mail:
            await self.room.may_file(fields.mail, who, fields.key)
        accepted = await self.submissions.submit(handed, who, fields.key)
        if fields.mail:
            await self.room.file(fields.mail, accepted.application_id, who)
        return accepted

    def _who(self, request: Request, fields: ApplyFields) -> Actor:
        account = current_user(request)
        return APPLICANT if fields.channel == ONLINE or account is None else account.actor


def labels(section: IntakeSection, tr: Translator) -> dict[str, str]:
    """Return field name -> label, for the list of what needs correcting."""
    found = {name: tr.t(label) for name, label in LABELS.items()}
    found |= {f"answer-{item.id}": item.label.of(tr.lang) for item in section.fields}
    return found | {f"document-{item.id}": item.name.of(tr.lang) for item in section.requirements}


def ways(offer: Offer, office: Office) -> list[str]:
    """Return how an application for a permit type may come in at an office."""
    online = office.takes_online(offer.kind.id)
    return [channel for channel in office.channels if channel != ONLINE or online]


def decides(offer: Offer, tr: Translator) -> list[str]:
    """Return which level of government decides, one sentence per rule of authority."""
    names = {item.id: item.label.of(tr.lang) for item in offer.section.fields}
    said = []
    for rule in offer.kind.authority:
        level = tr.t(LEVELS[rule.level])
        if rule.when is None:
            said.append(level)
        else:
            limit = tr.number(rule.when.max)
            field = names.get(rule.when.field, rule.when.field)
            said.append(
                tr.t("{level}: {field} up to {limit}", level=level, field=field, limit=limit)
            )
    return said


def channel_word(channel: str, tr: Translator) -> str:
    """Return how an application came in, in words; a foreign log's own word stays."""
    return tr.t(CHANNELS[channel]) if channel in CHANNELS else channel


def catalogue_pages(front: Front) -> APIRouter:
    """Return the start page and the catalogue."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def home(request: Request) -> Response:
        permits = front.permits(language(request))
        return front.pages.render(request, "intake/home.html", permits=permits)

    @router.get("/izin")
    async def catalogue(request: Request) -> Response:
        permits = front.permits(language(request))
        return front.pages.render(request, "intake/catalogue.html", permits=permits)

    @router.get("/izin/{permit_type}")
    async def permit(request: Request, permit_type: str) -> Response:
        offer = front.catalogue.offer(permit_type, front.now())
        shown = front.permit(offer, language(request))
        return front.pages.render(request, "intake/permit.html", permit=shown)

    return router


def _check_online(offer: Offer, asked: Office | None) -> None:
    """Raise NotOnlineYet, naming the other ways, before anybody fills in a form in vain."""
    if offer.online and (asked is None or asked in offer.online):
        return
    offices = offer.offices if asked is None else (asked,)
    raise NotOnlineYet(
        allowed=list(dict.fromkeys(way for one in offices for way in ways(offer, one)))
    )


def apply_pages(front: Front) -> APIRouter:
    """Return the form; the page with number and code follows it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/ajukan/{permit_type}")
    async def form(request: Request, permit_type: str) -> Response:
        offer = front.catalogue.offer(permit_type, front.now())
        asked = offer.office(request.query_params.get("office"))
        account = current_user(request)
        if not front.by_hand(offer, account, translator(request)):
            _check_online(offer, asked)
        channel = request.query_params.get("channel", "")
        values, kept = await opened(front.room, front.reader, request, offer.section, account)
        typed = empty_form(office=asked.id if asked else "", channel=channel, **values)
        return front.draw_form(request, offer, typed, kept, 200)

    @router.post("/ajukan/{permit_type}")
    async def hand_in(request: Request, permit_type: str) -> Response:
        offer = front.catalogue.offer(permit_type, front.now())
        data = await read_form(request)
        by_hand = data.get("channel", ONLINE) != ONLINE
        draft = await front.reader.read(
            request, ApplyFields, offer.section, () if by_hand else None
        )
        form = draft.form
        if draft.fields and offer.office(draft.fields.office) is None:
            form = form.with_error("office", _CHOOSE)
        if "channel" not in data and front.by_hand(
            offer, current_user(request), translator(request)
        ):
            # An officer who does not say so would hand in as if they were the applicant.
            form = form.with_error("channel", _CHOOSE)
        if not form.errors:
            try:
                accepted = await front.hand_in(request, offer, draft)
            except KeyReused:
                form = with_new_key(form).with_error("name", _SENT_BEFORE)
            else:
                answer = front.pages.redirect(request, "/diterima")
                front.visit.begin(answer, accepted.application_id)
                return answer
        return front.draw_form(request, offer, form, draft.kept, 422)

    return router
