"""The treasurer's overview and lists: every figure leads to its rows, every row to its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.payment.treasury import figures
from services.payment.treasury.columns import COLUMNS, Column
from services.payment.treasury.figures import Figure
from services.payment.treasury.house import ADDRESSES, House, Reader
from services.payment.treasury.lists import LISTS, PAGE_ROWS, PROBLEMS, Listing, ListQuery
from services.payment.treasury.wording import LISTS as NAMES
from services.payment.treasury.wording import STATES, Teller
from shared.web.i18n import Translator, msg
from shared.web.pages import language

Asked = Annotated[ListQuery, Query()]
DayQuery = Annotated[date | None, Query()]
GROUPS: Mapping[str, str] = {
    "open": msg("Waits for somebody"),
    "billed": msg("1. Billed"),
    "reported": msg("2. Reported by banks"),
    "settled": msg("3. Settled on the account"),
    "aside": msg("Differences for people"),
}
_EMPTY: Mapping[str, tuple[str, str]] = {
    "bills": (
        msg("No bills here"),
        msg("A bill appears by itself as soon as a fee is assessed."),
    ),
    "payments": (
        msg("No payments here"),
        msg("A payment appears as soon as a bank reports it or a settlement file holds it."),
    ),
    "suspense": (
        msg("No money in suspense here"),
        msg("Money that no bill can take is held here until somebody decides."),
    ),
    "refunds": (
        msg("No refunds here"),
        msg("A refund is asked for on the page of the money in suspense."),
    ),
    "problems": (
        msg("Nothing to look into here"),
        msg("What banks contradict or never settle, and fees without a bill, would stand here."),
    ),
}


def overview_pages(house: House) -> APIRouter:
    """Return ``/bendahara``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/bendahara")
    async def show(request: Request, account: Reader, day: DayQuery = None) -> Response:
        asked = day or house.today(account.office)
        told = await pictured(house, account.office, asked, language(request))
        return house.pages.render(request, "payment/treasury/overview.html", **told, live=not day)

    @router.get("/bendahara/langsung")
    async def live(request: Request, account: Reader) -> Response:
        office = account.office

        async def draw(lang: str) -> str:
            told = await pictured(house, office, house.today(office), lang)
            return house.pages.fragment(lang, "payment/treasury/overview_body.html", **told)

        return house.live(request, office, "", draw)

    return router


async def pictured(house: House, office: str, day: date, lang: str) -> dict[str, Any]:
    """Return the figures of a day in one language, each with the address of its list."""
    teller = house.desk.teller(office, lang)
    shown = (*figures.standing(), *figures.of_day(day))
    told = [await _figure(house, office, figure, teller) for figure in shown]
    settling = house.settlement.views
    days = [await settling.day(one, day.isoformat()) for one in house.partners(office)]
    return {
        "doubts": len(await house.doubts.of_office(office)),
        "day": day.isoformat(),
        "day_said": teller.day(day.isoformat()),
        "groups": [
            (teller.tr.t(GROUPS[group]), group, list(items))
            for group, items in groupby(told, key=lambda one: one["group"])
        ],
        "closings": [
            {
                "link": f"/bendahara/penutupan/{row.partner}/{row.day}",
                "partner": row.partner,
                "settled": teller.rupiah(row.settled),
            }
            for row in days
            if row is not None and row.digest
        ],
    }


async def _figure(house: House, office: str, figure: Figure, teller: Teller) -> dict[str, Any]:
    total = await house.desk.views.sum(figure.listing, office, teller.zone, figure.query)
    return {
        "group": figure.group,
        "name": figure.name,
        "label": teller.tr.t(figure.label),
        "rows": teller.tr.number(total.rows),
        "amount": teller.rupiah(total.amount),
        "link": f"/bendahara/{ADDRESSES[figure.listing.name]}{figure.query.link()}",
        "tone": figure.tone if total.rows else "",
    }


def list_pages(house: House) -> APIRouter:
    """Return the lists: bills, payments, suspense, refunds, problems."""
    router = APIRouter(include_in_schema=False)
    for name, address in ADDRESSES.items():
        _add_list(router, house, LISTS[name], f"/bendahara/{address}")
    return router


def _add_list(router: APIRouter, house: House, listing: Listing, path: str) -> None:
    async def show(request: Request, account: Reader, query: Asked) -> Response:
        told = await listed(house, listing, account.office, query, language(request))
        return house.pages.render(request, "payment/treasury/list.html", **told)

    async def live(request: Request, account: Reader) -> Response:
        office = account.office

        async def draw(lang: str) -> str:
            told = await listed(house, listing, office, ListQuery(), lang)
            return house.pages.fragment(lang, "payment/treasury/list_body.html", **told)

        return house.live(request, office, listing.name, draw)

    router.add_api_route(path, show)
    router.add_api_route(f"{path}/langsung", live)


async def listed(
    house: House, listing: Listing, office: str, query: ListQuery, lang: str
) -> dict[str, Any]:
    """Return what a list's page shows."""
    teller, views = house.desk.teller(office, lang), house.desk.views
    total = await views.sum(listing, office, teller.zone, query)
    rows = await views.rows(listing, office, teller.zone, query)
    path = f"/bendahara/{ADDRESSES[listing.name]}"
    columns = [column for column in COLUMNS[listing.name] if column.on_page]
    title, lead = _EMPTY[listing.name]
    return {
        "path": path,
        "title": teller.tr.t(NAMES[listing.name]),
        "total": total,
        "total_said": teller.rupiah(total.amount),
        "columns": [_head(column, teller.tr) for column in columns],
        "rows": [cells(row, columns, teller) for row in rows],
        "query": query,
        "live": query == ListQuery(),
        "tabs": _tabs(listing, query, teller.tr),
        "filters": filters(query, teller),
        "exports": f"/bendahara/ekspor/{listing.name}",
        "pages": max(1, -(-total.rows // PAGE_ROWS)),
        "empty": (teller.tr.t(title), teller.tr.t(lead)),
        "doubts": await _doubts(house, office, teller) if listing is PROBLEMS else (),
    }


async def _doubts(house: House, office: str, teller: Teller) -> list[dict[str, str]]:
    """Return the accounts of which a bank does not say whether they were paid."""
    return [
        {
            "account": doubt.virtual_account,
            "bank": doubt.partner,
            "since": teller.when(doubt.since_us),
            "attempts": teller.tr.number(doubt.attempts),
        }
        for doubt in await house.doubts.of_office(office)
    ]


def cells(row: Any, columns: Sequence[Column], teller: Teller) -> dict[str, dict[str, str]]:
    """Return a row's cells: text, address and tone (both may be empty), by column."""
    return {
        column.key: {
            "text": column.told(row, teller),
            "link": column.link(row) if column.link else "",
            "tone": column.tone(row, teller) if column.tone else "",
        }
        for column in columns
    }


def _head(column: Column, tr: Translator) -> dict[str, Any]:
    return {
        "key": column.key,
        "label": tr.t(column.label),
        "numeric": column.numeric,
        "shape": column.shape,
    }


def _tabs(listing: Listing, query: ListQuery, tr: Translator) -> list[tuple[str, str, bool]]:
    """Return label, address and whether it is here, of every state of a list."""
    path = f"/bendahara/{ADDRESSES[listing.name]}"
    states = ["", *(state for name, state in STATES if name == listing.name)]
    return [
        (
            tr.t(STATES[listing.name, state][0]) if state else tr.t("All"),
            path + query.model_copy(update={"state": state}).link(),
            query.state == state,
        )
        for state in states
    ]


def filters(query: ListQuery, teller: Teller) -> list[str]:
    """Return in words what a query narrows down, so that a total is never misread."""
    said = [
        teller.tr.t("of {day}", day=teller.day(query.day.isoformat())) if query.day else "",
        teller.tr.t("value date {day}", day=teller.day(query.settled_on.isoformat()))
        if query.settled_on
        else "",
        teller.kind(query.kind) if query.kind else "",
        teller.tr.t("beginning with {text}", text=query.search) if query.search else "",
    ]
    return [one for one in said if one]
