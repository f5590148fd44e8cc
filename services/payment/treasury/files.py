"""Settlement files: bring one, watch it being read, see why and where it was refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.datastructures import UploadFile
from starlette.datastructures import UploadFile as Sent

from services.payment.settlement.keeping import Slip, shown_name
from services.payment.settlement.reading import REASONS
from services.payment.settlement.views import FileRow
from services.payment.treasury.house import House, Mover, Reader
from services.payment.treasury.lines import line_rows
from services.payment.treasury.lists import PAGE_ROWS
from services.payment.treasury.wording import Teller
from shared.errors import InvalidInput, NotFound
from shared.identity import Account
from shared.web.forms import Form, read_form
from shared.web.i18n import msg
from shared.web.pages import language

PATH = "/bendahara/rekening-koran"
_CHUNK = 1024 * 1024
_CHOOSE = msg("Choose the bank's file.")
_BROUGHT = msg("The file is here and is being read. It counts once it is accepted.")


def file_pages(house: House) -> APIRouter:
    """Return ``/bendahara/rekening-koran`` and the page of one file."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def listed(request: Request, account: Reader) -> Response:
        return await _list_page(house, request, account.office, Form())

    @router.get(f"{PATH}/langsung")
    async def live(request: Request, account: Reader) -> Response:
        office = account.office

        async def draw(lang: str) -> str:
            told = await _files(house, office, lang)
            return house.pages.fragment(lang, "payment/treasury/files_body.html", **told)

        return house.live(request, office, "files", draw)

    @router.post(PATH)
    async def bring(request: Request, account: Mover) -> Response:
        return await _bring(house, request, account)

    @router.get(f"{PATH}/{{settlement_id}}")
    async def one(request: Request, settlement_id: str, account: Reader) -> Response:
        told = await file_told(house, settlement_id, account.office, language(request))
        return house.pages.render(request, "payment/treasury/file.html", **told)

    @router.get(f"{PATH}/{{settlement_id}}/langsung")
    async def live_one(request: Request, settlement_id: str, account: Reader) -> Response:
        office = account.office
        await file_told(house, settlement_id, office, language(request))

        async def draw(lang: str) -> str:
            told = await file_told(house, settlement_id, office, lang)
            return house.pages.fragment(lang, "payment/treasury/file_body.html", **told)

        return house.live(request, office, f"file:{settlement_id}", draw)

    return router


async def _bring(house: House, request: Request, account: Account) -> Response:
    form = await read_form(request)
    partner, file = str(form.get("partner", "")), form.get("file")
    if partner not in house.partners(account.office):
        raise NotFound
    if not isinstance(file, Sent) or not file.filename:
        wrong = Form({"partner": partner}).with_error("file", _CHOOSE)
        return await _list_page(house, request, account.office, wrong, status_code=422)
    try:
        sha256 = await house.settlement.files.keep(_chunks(file))
    except InvalidInput as error:
        wrong = Form({"partner": partner}).with_error("file", error.message(), **error.params)
        return await _list_page(house, request, account.office, wrong, status_code=error.status)
    name = shown_name(file.filename)
    slip = Slip(partner, sha256, name, account.username, account.office)
    settlement_id = house.settlement.intake.submit(slip)
    await _known(house, settlement_id)
    return house.pages.redirect(request, f"{PATH}/{settlement_id}", flash=_BROUGHT)


async def _list_page(
    house: House, request: Request, office: str, form: Form, status_code: int = 200
) -> Response:
    told = await _files(house, office, language(request))
    return house.pages.render(
        request, "payment/treasury/files.html", status_code=status_code, form=form, **told
    )


async def _files(house: House, office: str, lang: str) -> dict[str, Any]:
    teller, partners = house.desk.teller(office, lang), house.partners(office)
    rows = await house.settlement.views.files(partners, PAGE_ROWS)
    return {"partners": partners, "files": [_told(row, teller) for row in rows]}


async def file_told(house: House, settlement_id: str, office: str, lang: str) -> dict[str, Any]:
    """Return what a file's page shows. Raises NotFound for a file of other offices' banks."""
    views, teller = house.settlement.views, house.desk.teller(office, lang)
    row = await views.file(settlement_id)
    if row is None or row.partner not in house.partners(office):
        raise NotFound
    lines = await views.lines(settlement_id=settlement_id, limit=PAGE_ROWS)
    days = sorted({line.value_on for line in lines})
    return {
        "file": _told(row, teller),
        "lines": line_rows(lines, teller),
        "more": row.lines > PAGE_ROWS,
        "days": [(teller.day(day), f"/bendahara/penutupan/{row.partner}/{day}") for day in days],
    }


def _told(row: FileRow, teller: Teller) -> dict[str, Any]:
    word, tone = teller.state("files", row.state)
    reason = teller.tr.t(REASONS[row.reason]) if row.reason in REASONS else row.reason
    return {
        "id": row.settlement_id,
        "name": row.name,
        "partner": row.partner,
        "state": word,
        "tone": tone,
        "reading": row.state == "taking",
        "recorded": row.recorded,
        "lines": row.lines,
        "reason": reason,
        "row": row.line,
        "about": [
            (teller.tr.t("Bank"), row.partner),
            (teller.tr.t("From"), teller.day(row.first_day)),
            (teller.tr.t("Until"), teller.day(row.last_day)),
            (teller.tr.t("Opening balance"), teller.rupiah(row.opening)),
            (teller.tr.t("Credits"), teller.rupiah(row.credits)),
            (teller.tr.t("Debits"), teller.rupiah(row.debits)),
            (teller.tr.t("Closing balance"), teller.rupiah(row.closing)),
            (teller.tr.t("SHA-256"), row.sha256),
        ],
        "when": teller.when(row.changed_us),
        "who": teller.person(row.actor) if row.actor else "",
    }


async def _chunks(file: UploadFile | Sent) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


async def _known(house: House, settlement_id: str) -> None:
    """Wait a moment for the file to be on the list: whoever brought it is shown it next."""
    await house.desk.until(lambda: house.settlement.views.file(settlement_id))
