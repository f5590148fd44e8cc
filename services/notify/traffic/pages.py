"""How the channels fare: ``/pesan/saluran``, for those who can call the provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response

from services.notify.channels.routes import OUTBOX
from services.notify.sisters import CHANNELS_PAGE, sisters_of
from services.notify.traffic.circuit import Open, Trouble
from services.notify.traffic.circuits import TemplateTrouble
from services.notify.traffic.counts import LastHour
from services.notify.traffic.gate import Gate
from services.notify.traffic.meanings import meaning
from services.notify.traffic.pace import Speed
from services.notify.views import MessageViews
from shared.actors import Role
from shared.errors import NotFound
from shared.identity import Account
from shared.offices import Catalogue
from shared.web.forms import read_form
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language
from shared.web.session import require
from shared.web.sse import LiveHub, sse_response

PATH = CHANNELS_PAGE
Leader = Annotated[Account, Depends(require(Role.SUPERVISOR, Role.ADMIN))]
# A longer queue is not counted to its end: nobody acts on the difference.
MOST_COUNTED = 10_000
NAMES: Mapping[str, str] = {
    "whatsapp": "WhatsApp",
    "sms": "SMS (Kannel)",
    "twilio": "SMS (Twilio)",
    "8x8": "SMS (8x8)",
    "email": "E-mail",
    OUTBOX: msg("Outbox"),
}
_STATES = {
    None: (msg("Working"), "success"),
    Trouble.PAUSED: (msg("Paused"), "danger"),
    Trouble.UNREACHABLE: (msg("Not reachable"), "danger"),
    Trouble.THROTTLED: (msg("Slowed down"), "warning"),
}


class ChannelPages:
    """Gathers what is known of every channel, and carries out what people press."""

    def __init__(
        self,
        pages: Pages,
        hub: LiveHub,
        gate: Gate,
        views: MessageViews,
        catalogue: Catalogue,
        channels: Collection[str],
        speeds: Mapping[str, Speed],
        now: Callable[[], datetime],
    ) -> None:
        """``channels`` are those that are set up; ``gate`` knows how they fare."""
        self.pages = pages
        self.hub = hub
        self.gate = gate
        self._views = views
        self._catalogue = catalogue
        self._channels = [name for name in NAMES if name in channels]
        self._speeds = speeds
        self._now = now

    def key(self, account: Account) -> str:
        """Return the live key of the page as this account's office sees it."""
        return f"channels:{self._zone(account)}"

    def publish(self) -> None:
        """Draw the page anew for whoever looks at it."""
        for zone in {office.zone for office in self._catalogue.offices.values()}:
            self.hub.publish(f"channels:{zone}")

    def _zone(self, account: Account) -> str:
        office = self._catalogue.offices.get(account.office)
        return office.zone if office is not None else "Asia/Jakarta"

    async def shown(self, account: Account, lang: str) -> dict[str, Any]:
        """Return what the page shows. Raises Unavailable."""
        tr, zone = Translator(lang), ZoneInfo(self._zone(account))
        await self.gate.circuits.refresh()
        hours = await self.gate.counts.last_hour(self._channels)
        waiting = await self._views.waiting(self._channels, MOST_COUNTED)
        troubles = await self.gate.circuits.template_troubles()
        return {
            "channels": [
                self._channel(name, hours[name], waiting[name], tr, zone) for name in self._channels
            ],
            "missing": [tr.t(NAMES[name]) for name in NAMES if name not in self._channels],
            "outbox_only": self._channels == [OUTBOX],
            "templates": [_template(trouble, tr, zone) for trouble in troubles],
        }

    def _channel(
        self, name: str, hour: LastHour, waiting: int, tr: Translator, zone: ZoneInfo
    ) -> dict[str, Any]:
        found = self.gate.circuits.open(name)
        word, tone = _STATES[found.trouble if found else None]
        speed = self._speeds.get(name, Speed())
        return {
            "name": name,
            "label": tr.t(NAMES[name]),
            "state": tr.t(word),
            "tone": tone,
            "open": found is not None,
            "rows": _why(name, found, self._now(), tr, zone),
            "stats": [
                (tr.t(msg("Sent in the last hour")), tr.number(hour.sent), "", ""),
                (tr.t(msg("Refused")), tr.number(hour.failed), "", "warning" * bool(hour.failed)),
                (
                    tr.t(msg("Outcome unknown")),
                    tr.number(hour.unknown),
                    "",
                    "warning" * bool(hour.unknown),
                ),
                (tr.t(msg("Waiting")), _at_most(waiting, tr), "", ""),
            ],
            "later": tr.number(hour.later) if hour.later else "",
            "last": tr.datetime(hour.last_sent, zone) if hour.last_sent else "",
            "per_second": tr.number(int(speed.per_second)) if speed.per_second >= 1 else "",
            "gap": tr.number(int(speed.gap_seconds)) if speed.gap_seconds >= 1 else "",
        }

    async def act(self, account: Account, action: str, form: Mapping[str, Any]) -> str:
        """Do what was pressed; return the sentence to show. Raises NotFound, Unavailable."""
        channel = str(form.get("channel", ""))
        if channel not in self._channels:
            raise NotFound
        if action == "coba":
            await self.gate.circuits.retry(channel)
            told = msg("The next message tries the channel.")
        else:
            await self.gate.circuits.use_again(channel, str(form.get("template", ""))[:600])
            told = msg("The template is used again.")
        await self.gate.circuits.refresh()
        self.publish()
        return told


def _why(
    name: str, found: Open | None, now: datetime, tr: Translator, zone: ZoneInfo
) -> list[tuple[str, str]]:
    """Return term and value of what is known about a channel that is not called."""
    if found is None:
        return []
    meant = meaning(name, found.reason)
    why = f"{tr.t(meant)} ({found.reason})" if meant else found.reason
    soon = tr.t(msg("With the next message"))
    return [
        (tr.t(msg("Why")), why),
        (tr.t(msg("Since")), tr.datetime(found.since, zone)),
        (tr.t(msg("Tried again")), tr.datetime(found.until, zone) if found.until > now else soon),
    ]


def _template(trouble: TemplateTrouble, tr: Translator, zone: ZoneInfo) -> dict[str, Any]:
    meant = meaning(trouble.channel, trouble.reason)
    return {
        "channel": trouble.channel,
        "label": tr.t(NAMES.get(trouble.channel, trouble.channel)),
        "template": trouble.template,
        "why": f"{tr.t(meant)} ({trouble.reason})" if meant else trouble.reason,
        "since": tr.datetime(trouble.since, zone),
        "stopped": trouble.stopped,
    }


def _at_most(count: int, tr: Translator) -> str:
    if count < MOST_COUNTED:
        return tr.number(count)
    return tr.t(msg("{count} or more"), count=tr.number(count))


def channel_router(channels: ChannelPages) -> APIRouter:
    """Return ``/pesan/saluran`` for supervisors and administrators."""
    router, pages = APIRouter(include_in_schema=False), channels.pages

    @router.get(PATH)
    async def show(request: Request, account: Leader) -> Response:
        shown = await channels.shown(account, language(request))
        return pages.render(request, "notify/channels.html", sisters=sisters_of(account), **shown)

    @router.get(PATH + "/langsung")
    async def live(request: Request, account: Leader) -> Response:
        async def draw(lang: str) -> str:
            shown = await channels.shown(account, lang)
            return pages.fragment(lang, "notify/channels_body.html", **shown)

        return sse_response(request, channels.hub, channels.key(account), draw)

    async def press(request: Request, account: Account, action: str) -> Response:
        told = await channels.act(account, action, await read_form(request))
        return pages.redirect(request, PATH, flash=told)

    @router.post(PATH + "/coba")
    async def retry(request: Request, account: Leader) -> Response:
        return await press(request, account, "coba")

    @router.post(PATH + "/templat")
    async def use_again(request: Request, account: Leader) -> Response:
        return await press(request, account, "templat")

    return router
