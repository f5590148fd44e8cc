"""The daily closing: what arrived, by class, and the proof that all of it is accounted for."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from services.payment.settlement.facts import Class
from services.payment.settlement.views import DayRow
from services.payment.settlement.wording import FAILED
from services.payment.treasury.house import House, Reader
from services.payment.treasury.lines import class_link, class_word
from services.payment.treasury.wording import Teller
from shared.errors import NotFound
from shared.web.i18n import msg
from shared.web.pages import language

PATH = "/bendahara/penutupan"
_DAYS = 31
_STATES = {
    "proved": (msg("Proved"), "success"),
    "changed": (msg("Changed since its proof"), "waiting"),
    "failed": (msg("The sums do not agree"), "danger"),
    "open": (msg("Not proved yet"), "waiting"),
}


def closing_pages(house: House) -> APIRouter:
    """Return ``/bendahara/penutupan`` and a day's page."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def listed(request: Request, account: Reader) -> Response:
        teller = house.desk.teller(account.office, language(request))
        days = [
            _day(row, teller)
            for partner in house.partners(account.office)
            for row in await house.settlement.views.days(partner, _DAYS)
        ]
        waiting = [
            (partner, class_link(partner, "", Class.PENDING))
            for partner in house.partners(account.office)
        ]
        return house.pages.render(
            request, "payment/treasury/closings.html", days=days, waiting=waiting
        )

    @router.get(f"{PATH}/{{partner}}/{{day}}")
    async def one(request: Request, partner: str, day: date, account: Reader) -> Response:
        told = await closing_told(house, partner, day, account.office, language(request))
        return house.pages.render(request, "payment/treasury/closing.html", **told)

    @router.get(f"{PATH}/{{partner}}/{{day}}/langsung")
    async def live(request: Request, partner: str, day: date, account: Reader) -> Response:
        office = account.office
        await closing_told(house, partner, day, office, language(request))

        async def draw(lang: str) -> str:
            told = await closing_told(house, partner, day, office, lang)
            return house.pages.fragment(lang, "payment/treasury/closing_body.html", **told)

        return house.live(request, office, f"day:{partner}:{day.isoformat()}", draw)

    return router


async def closing_told(
    house: House, partner: str, day: date, office: str, lang: str
) -> dict[str, Any]:
    """Return what a day's page shows. Raises NotFound for other offices' banks."""
    if partner not in house.partners(office):
        raise NotFound
    views, teller = house.settlement.views, house.desk.teller(office, lang)
    iso = day.isoformat()
    row, totals = await views.day(partner, iso), await views.totals(partner, iso)
    return {
        "partner": partner,
        "day": teller.day(iso),
        "path": f"{PATH}/{partner}/{iso}",
        "proof": _day(row, teller) if row is not None else None,
        "trail": f"/bendahara/jejak/penutupan/{partner}/{iso}",
        "classes": [
            {
                "name": total.name or str(Class.PENDING),
                "label": class_word(total.name, teller)[0],
                "tone": class_word(total.name, teller)[1],
                "count": total.count,
                "sum": total.amount,
                "rows": teller.tr.number(total.count),
                "amount": teller.rupiah(total.amount),
                "link": class_link(partner, iso, total.name or Class.PENDING),
            }
            for total in totals
        ],
    }


def _day(row: DayRow, teller: Teller) -> dict[str, Any]:
    word, tone = _STATES[_state(row)]
    return {
        "link": f"{PATH}/{row.partner}/{row.day}",
        "partner": row.partner,
        "day": teller.day(row.day),
        "state": teller.tr.t(word),
        "tone": tone,
        "settled": teller.rupiah(row.settled) if row.digest else "",
        "lines": teller.tr.number(row.lines) if row.digest else "",
        "digest": row.digest,
        "proved": teller.when(row.proved_us) if row.digest else "",
        "failed": teller.tr.t(FAILED[row.failed]) if row.failed in FAILED else row.failed,
    }


def _state(row: DayRow) -> str:
    if row.failed:
        return "failed"
    if not row.digest:
        return "open"
    return "changed" if row.changed else "proved"
