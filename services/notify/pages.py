"""The outbox page: what people were told, as it was sent, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from services.notify.api import Reader
from services.notify.message import DECIDER, Failed, NotQueued, message_stream
from services.notify.views import MessageRow, MessageViews
from services.notify.wording import Templates
from shared.errors import BadConfiguration
from shared.events import from_micros
from shared.handle import Handler
from shared.offices import Catalogue
from shared.privacy import mask
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language
from shared.web.sse import LiveHub, sse_response

PAGE_ROWS = 30
_STATES = {
    "queued": (msg("Waiting"), "waiting"),
    "sending": (msg("Being sent"), "progress"),
    "sent": (msg("Sent"), "info"),
    "delivered": (msg("Delivered"), "success"),
    "read": (msg("Read"), "success"),
    "failed": (msg("Not delivered"), "danger"),
    "digested": (msg("Sent with others"), "info"),
    "superseded": (msg("No longer needed"), "neutral"),
    "unknown": (msg("Outcome unknown"), "warning"),
}
_AUDIENCES = {
    "applicant": msg("Applicant"),
    "officer": msg("Officer"),
    "supervisor": msg("Supervisor"),
    "head": msg("Head of office"),
}
_CHANNELS = {"whatsapp": "WhatsApp", "sms": "SMS", "twilio": "SMS", "8x8": "SMS"}
_OUTBOX = msg("Outbox only")
PageQuery = Annotated[int, Query(ge=1, le=100_000)]


def outbox_key(office: str) -> str:
    """Return the live key of an office's outbox."""
    return f"outbox:{office}"


class OutboxPages:
    """Draws an office's messages. Their words come from their own streams."""

    def __init__(
        self,
        pages: Pages,
        views: MessageViews,
        handler: Handler,
        templates: Templates,
        catalogue: Catalogue,
    ) -> None:
        """The rows say which messages; the streams say what was told to whom."""
        self.pages = pages
        self._views = views
        self._handler = handler
        self._templates = templates
        self._catalogue = catalogue

    async def shown(self, office: str, page: int, lang: str) -> dict[str, Any]:
        """Return what the page shows."""
        rows = await self._views.newest(office, PAGE_ROWS, (page - 1) * PAGE_ROWS)
        count = await self._views.count(office)
        zone = ZoneInfo(self._catalogue.offices[office].zone)
        messages = [await self._message(row, Translator(lang), zone) for row in rows]
        return {
            "messages": [message for message in messages if message],
            "page": page,
            "pages": max(1, -(-count // PAGE_ROWS)),
        }

    async def _message(
        self, row: MessageRow, tr: Translator, zone: ZoneInfo
    ) -> dict[str, str] | None:
        loaded = await self._handler.load(DECIDER, message_stream(row.message_id))
        state = loaded.state
        if isinstance(state, NotQueued):
            return None
        sent = state.message
        try:
            template = self._templates.get(sent.template, sent.template_version)
            text = template.render(sent.language, sent.parameters)
        except (BadConfiguration, KeyError):
            text = tr.t("The wording of this message is no longer on file.")
        word, tone = _STATES[row.state]
        at: datetime = from_micros(row.queued_us)
        return {
            "when": tr.datetime(at, zone),
            "to": f"{tr.t(_AUDIENCES.get(sent.audience, sent.audience))} {mask(sent.recipient)}",
            "channel": _CHANNELS.get(state.channel, "") or tr.t(_OUTBOX),
            "language": sent.language,
            "text": text,
            "state": tr.t(word),
            "tone": tone,
            "reason": state.reason if isinstance(state, Failed) else "",
        }


def pages_router(outbox: OutboxPages, hub: LiveHub) -> APIRouter:
    """Return ``/kotak-keluar`` for the office's people."""
    router = APIRouter(include_in_schema=False)
    pages = outbox.pages

    @router.get("/kotak-keluar")
    async def show(request: Request, account: Reader, page: PageQuery = 1) -> Response:
        shown = await outbox.shown(account.office, page, language(request))
        return pages.render(request, "notify/outbox.html", **shown)

    @router.get("/kotak-keluar/langsung")
    async def live(request: Request, account: Reader) -> Response:
        async def draw(lang: str) -> str:
            shown = await outbox.shown(account.office, 1, lang)
            return pages.fragment(lang, "notify/outbox_body.html", **shown)

        return sse_response(request, hub, outbox_key(account.office), draw)

    return router
