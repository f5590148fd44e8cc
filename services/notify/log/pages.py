"""The messages of one application, what did not arrive, and sending again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response

from services.notify.log import rights
from services.notify.log.drawing import Drawing
from services.notify.log.lists import UNFINISHED, Lists, LogRow, Wanted
from services.notify.log.reasons import reason_of
from services.notify.log.resend import Resending
from services.notify.log.rights import Reader, Resender
from services.notify.log.words import CHANNELS
from services.notify.people.applications import Applications
from services.notify.sisters import FAILED, sisters_of
from shared.errors import NotFound, Refused
from shared.identity import Account
from shared.ids import new_id
from shared.web.forms import Form, read_form
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language
from shared.web.session import current_user
from shared.web.sse import LiveHub, sse_response

PAGE_ROWS, LOG_ROWS, AT_ONCE = 30, 200, 500
_AGAIN = msg("It is sent again. The new message stands above the old one.")
_MANY = msg("Sent again: {done}. Not sent again: {refused}.")
_Page = Annotated[int, Query(ge=1, le=100_000)]
_Back = Annotated[str, Query(max_length=200)]
_Word = Annotated[str, Query(max_length=40)]


def log_key(office: str) -> str:
    """Return the live key under which an office's messages change."""
    return f"outbox:{office}"


@dataclass(frozen=True)
class LogPages:
    """What the pages stand on."""

    pages: Pages
    hub: LiveHub
    applications: Applications
    lists: Lists
    drawing: Drawing
    resending: Resending

    async def draw(self, rows: list[LogRow], account: Account, lang: str) -> list[dict[str, Any]]:
        """Return what is told of rows to an account."""
        tr, zone, right = Translator(lang), self.drawing.zone(account.office), rights.of(account)
        told = [await self.drawing.told(row, right, tr, zone) for row in rows]
        return [one for one in told if one is not None]

    async def of_file(self, number: str, account: Account, lang: str) -> dict[str, Any]:
        """Return the messages of an application. Raises NotFound where the office has none of it.

        An application that was handed on leaves its messages with the office that sent them.
        """
        found = await self.applications.find(number.strip().upper()[:40])
        if found is None:
            raise NotFound
        wanted = Wanted(application_id=found.application_id)
        rows = await self.lists.messages(account.office, wanted, LOG_ROWS)
        if not rows and found.office != account.office:
            raise NotFound
        return {
            "number": found.number,
            "messages": await self.draw(rows, account, lang),
            "live": f"/pesan/berkas/{quote(found.number)}/langsung",
            "back": f"/pesan/berkas/{quote(found.number)}",
        }

    async def failed(
        self, account: Account, lang: str, channel: str, reason: str, page: int
    ) -> dict[str, Any]:
        """Return what did not arrive, narrowed down."""
        wanted = Wanted(UNFINISHED, channel, reason, open_only=True)
        count = await self.lists.count(account.office, wanted)
        rows = await self.lists.messages(account.office, wanted, PAGE_ROWS, (page - 1) * PAGE_ROWS)
        chosen = {name: v for name, v in (("channel", channel), ("reason", reason)) if v}
        return {
            "messages": await self.draw(rows, account, lang),
            "count": count,
            "page": page,
            "pages": max(1, -(-count // PAGE_ROWS)),
            "query": urlencode(chosen),
            "back": f"{FAILED}?{urlencode(chosen)}" if chosen else FAILED,
            "bulk": bool(reason) and rights.of(account).resend and reason_of(reason).again,
            "reason": reason,
        }

    def render(self, request: Request, name: str, **context: Any) -> Response:
        """Return a page with the way to its sisters."""
        return self.pages.render(
            request,
            name,
            sisters=sisters_of(current_user(request)),
            key=new_id(),
            **context,
        )


def log_pages(log: LogPages) -> APIRouter:
    """Return ``/pesan/berkas`` and ``/pesan/gagal`` for the office's people."""
    router = APIRouter(include_in_schema=False)
    _add_file_pages(router, log)
    _add_failed_page(router, log)
    _add_questions(router, log)
    _add_resends(router, log)
    return router


def _add_file_pages(router: APIRouter, log: LogPages) -> None:
    @router.get("/pesan/berkas/{number}")
    async def of_file(request: Request, account: Reader, number: str) -> Response:
        shown = await log.of_file(number, account, language(request))
        return log.render(request, "notify/log.html", **shown)

    @router.get("/pesan/berkas/{number}/langsung")
    async def live(request: Request, account: Reader, number: str) -> Response:
        await log.of_file(number, account, language(request))

        async def draw(lang: str) -> str:
            shown = await log.of_file(number, account, lang)
            return log.pages.fragment(lang, "notify/log_body.html", **shown)

        return sse_response(request, log.hub, log_key(account.office), draw)


def _add_failed_page(router: APIRouter, log: LogPages) -> None:
    @router.get(FAILED)
    async def failed(
        request: Request,
        account: Reader,
        channel: _Word = "",
        reason: _Word = "",
        page: _Page = 1,
    ) -> Response:
        lang = language(request)
        tr = Translator(lang)
        codes = await log.lists.codes(account.office)
        return log.render(
            request,
            "notify/failed.html",
            form=Form({"channel": channel, "reason": reason}),
            channels=[(name, tr.t(word)) for name, word in CHANNELS.items()],
            reasons=[(code, _offered(code, count, tr)) for code, count in codes],
            **await log.failed(account, lang, channel, reason, page),
        )


def _add_questions(router: APIRouter, log: LogPages) -> None:
    """Add the pages that ask before anything is sent again."""

    @router.get(f"{FAILED}/kirim-ulang")
    async def ask(
        request: Request, account: Resender, reason: _Word, channel: _Word = ""
    ) -> Response:
        wanted = Wanted(UNFINISHED, channel, reason, open_only=True)
        count = await log.lists.count(account.office, wanted)
        return log.render(
            request,
            "notify/resend.html",
            count=min(count, AT_ONCE),
            why=Translator(language(request)).t(reason_of(reason).why),
            action=f"{FAILED}/kirim-ulang",
            back=FAILED,
            message=None,
            reason=reason,
            channel=channel,
        )

    @router.get("/pesan/{message_id}/kirim-ulang")
    async def ask_one(
        request: Request, account: Resender, message_id: str, back: _Back = FAILED
    ) -> Response:
        rows = await log.lists.messages(account.office, Wanted(message_id=message_id[:64]), 1)
        drawn = await log.draw(rows, account, language(request))
        if not drawn:
            raise NotFound
        return log.render(
            request,
            "notify/resend.html",
            count=1,
            why="",
            action=f"/pesan/{drawn[0]['id']}/kirim-ulang",
            back=_ours(back),
            message=drawn[0],
            reason="",
            channel="",
        )


def _add_resends(router: APIRouter, log: LogPages) -> None:
    @router.post(f"{FAILED}/kirim-ulang")
    async def many(request: Request, account: Resender) -> Response:
        data = await read_form(request)
        channel, reason, key = (str(data.get(n, ""))[:64] for n in ("channel", "reason", "key"))
        wanted = Wanted(UNFINISHED, channel, reason, open_only=True)
        rows = await log.lists.messages(account.office, wanted, AT_ONCE) if reason else []
        done, refused = await log.resending.many(
            (row.message_id for row in rows), account, key or new_id()
        )
        return log.pages.redirect(request, FAILED, flash=_MANY, done=done, refused=refused)

    @router.post("/pesan/{message_id}/kirim-ulang")
    async def again(request: Request, account: Resender, message_id: str) -> Response:
        data = await read_form(request)
        key, back = str(data.get("key", ""))[:64], str(data.get("back", ""))
        back = _ours(back)
        try:
            await log.resending.again(message_id[:64], account, key or new_id())
        except Refused as error:
            return log.pages.redirect(request, back, flash=error.message(), tone="warning")
        return log.pages.redirect(request, back, flash=_AGAIN)


def _ours(back: str) -> str:
    """Return ``back`` if it is a page of ours: what a form sends may come from elsewhere."""
    return back if back.startswith("/pesan/") else FAILED


def _offered(code: str, count: int, tr: Translator) -> str:
    return f"{tr.t(reason_of(code).why)} ({code}: {tr.number(count)})"
