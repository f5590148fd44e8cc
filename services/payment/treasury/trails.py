"""The pages that list events: of an application's bills, of a file, of a closing."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from services.payment.bill import bill_stream
from services.payment.treasury.house import House, Reader
from services.payment.treasury.trail import Step, steps
from shared.errors import NotFound
from shared.identity import Account
from shared.web.i18n import msg
from shared.web.pages import language


def trail_pages(house: House) -> APIRouter:
    """Return ``/bendahara/jejak/...``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/bendahara/jejak/tagihan/{application_id}")
    async def bills(request: Request, application_id: str, account: Reader) -> Response:
        told = await of_bills(house, application_id, account, language(request))
        return house.pages.render(
            request,
            "payment/treasury/trail.html",
            title=msg("Events of bill {number}"),
            about=await _number(house, application_id, account.office),
            back="/bendahara/tagihan",
            steps=told,
        )

    @router.get("/bendahara/jejak/penutupan/{partner}/{day}")
    async def closing(request: Request, partner: str, day: date, account: Reader) -> Response:
        told = await of_closing(house, partner, day, account, language(request))
        return house.pages.render(
            request,
            "payment/treasury/trail.html",
            title=msg("Events of the closing of {number}"),
            about=f"{partner}, {day.isoformat()}",
            back=f"/bendahara/penutupan/{partner}/{day.isoformat()}",
            steps=told,
        )

    @router.get("/bendahara/jejak/berkas/{settlement_id}")
    async def file(request: Request, settlement_id: str, account: Reader) -> Response:
        told = await of_file(house, settlement_id, account, language(request))
        row = await house.settlement.views.file(settlement_id)
        return house.pages.render(
            request,
            "payment/treasury/trail.html",
            title=msg("Events of the file {number}"),
            about=row.name if row else "",
            back=f"/bendahara/rekening-koran/{settlement_id}",
            steps=told,
        )

    return router


async def of_bills(house: House, application_id: str, account: Account, lang: str) -> list[Step]:
    """Return the events of an application's bills. Raises NotFound outside of the office."""
    await _number(house, application_id, account.office)
    return await _steps(house, bill_stream(application_id), account, lang)


async def of_closing(
    house: House, partner: str, day: date, account: Account, lang: str
) -> list[Step]:
    """Return the proofs of a partner's day. Raises NotFound for a bank of other offices."""
    if partner not in house.partners(account.office):
        raise NotFound
    return await _steps(house, f"closing-{partner}-{day.isoformat()}", account, lang)


async def of_file(house: House, settlement_id: str, account: Account, lang: str) -> list[Step]:
    """Return the events of a settlement file. Raises NotFound for a bank of other offices."""
    row = await house.settlement.views.file(settlement_id)
    if row is None or row.partner not in house.partners(account.office):
        raise NotFound
    return await _steps(house, f"settlement-{settlement_id}", account, lang)


async def _steps(house: House, stream: str, account: Account, lang: str) -> list[Step]:
    teller = house.desk.teller(account.office, lang)
    found = await steps(house.store, house.codec, stream, teller, account)
    if not found:
        raise NotFound
    return found


async def _number(house: House, application_id: str, office: str) -> str:
    """Return the registration number of bills of the office. Raises NotFound."""
    recorded: Any
    for recorded in await house.store.read_stream(bill_stream(application_id)):
        event = house.codec.decode(recorded)
        if getattr(event, "office", office) != office:
            break
        if getattr(event, "number", ""):
            return str(event.number)
    raise NotFound
