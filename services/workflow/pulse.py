"""The page about live office activity: what came in, went out and stood still, hour by hour."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from services.workflow.activity import Hour, last_hours
from services.workflow.live import activity_key
from services.workflow.pages import Counter
from services.workflow.supervision.watch import Leader, sisters_of
from shared.database import Database
from shared.events import from_micros
from shared.web.i18n import Translator
from shared.web.pages import language
from shared.web.sse import sse_response

HOURS = 24


def activity_pages(counter: Counter, database: Database) -> APIRouter:
    """Return ``/papan/aktivitas``."""
    router = APIRouter(include_in_schema=False)

    async def told(office: str, lang: str) -> dict[str, Any]:
        hours = await last_hours(database, office, counter.desk.now(), HOURS)
        zone = ZoneInfo(counter.catalogue.offices[office].zone)
        return {
            "received": sum(hour.received for hour in hours),
            "finished": sum(hour.finished for hour in hours),
            "stalled": sum(hour.stalled for hour in hours),
            "hours": [_line(hour, lang, zone) for hour in reversed(hours) if any(hour[1:])],
        }

    @router.get("/papan/aktivitas")
    async def show(request: Request, account: Leader) -> Response:
        lang = language(request)
        return counter.pages.render(
            request,
            "workflow/activity.html",
            office=counter.catalogue.offices[account.office].name.of(lang),
            sisters=sisters_of(account),
            **await told(account.office, lang),
        )

    @router.get("/papan/aktivitas/live")
    async def live(request: Request, account: Leader) -> Response:
        async def draw(lang: str) -> str:
            shown = await told(account.office, lang)
            return counter.pages.fragment(lang, "workflow/activity_body.html", **shown)

        key = activity_key(account.office)
        counter.pump.follow(key)
        return sse_response(request, counter.hub, key, draw)

    return router


def _line(hour: Hour, lang: str, zone: ZoneInfo) -> dict[str, str]:
    translator, begin = Translator(lang), from_micros(hour.hour_us)
    counts = {
        name: translator.number(count)
        for name, count in zip(("received", "finished", "stalled"), hour[1:], strict=True)
    }
    return {"hour": translator.datetime(begin, zone), **counts}
