"""The outbox page: what people were told, as it was sent, newest first."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.notify.log.lists import Wanted
from services.notify.log.pages import LogPages, log_key
from services.notify.log.rights import Reader
from services.notify.sisters import OUTBOX_PAGE
from services.notify.views import MessageViews
from shared.identity import Account
from shared.web.pages import language
from shared.web.sse import sse_response

PAGE_ROWS = 30
PageQuery = Annotated[int, Query(ge=1, le=100_000)]


def pages_router(log: LogPages, views: MessageViews) -> APIRouter:
    """Return ``/kotak-keluar`` for the office's people."""
    router = APIRouter(include_in_schema=False)

    async def shown(account: Account, page: int, lang: str) -> dict[str, Any]:
        rows = await log.lists.messages(account.office, Wanted(), PAGE_ROWS, (page - 1) * PAGE_ROWS)
        count = await views.count(account.office)
        return {
            "messages": await log.draw(rows, account, lang),
            "page": page,
            "pages": max(1, -(-count // PAGE_ROWS)),
        }

    @router.get(OUTBOX_PAGE)
    async def show(request: Request, account: Reader, page: PageQuery = 1) -> Response:
        drawn = await shown(account, page, language(request))
        return log.render(request, "notify/outbox.html", **drawn)

    @router.get(f"{OUTBOX_PAGE}/langsung")
    async def live(request: Request, account: Reader) -> Response:
        async def draw(lang: str) -> str:
            drawn = await shown(account, 1, lang)
            return log.pages.fragment(lang, "notify/outbox_body.html", **drawn)

        return sse_response(request, log.hub, log_key(account.office), draw)

    return router
