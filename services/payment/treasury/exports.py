"""Lists as files: CSV of any length, streamed, and PDF for paper.

CSV is UTF-8 and RFC 4180: comma, double quotes where needed, CRLF. Amounts are whole rupiah,
instants ISO 8601 UTC, codes as they are stored.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from services.payment.treasury import papers
from services.payment.treasury.closings import closing_told
from services.payment.treasury.columns import COLUMNS, Cell
from services.payment.treasury.house import House, Reader
from services.payment.treasury.lists import LISTS, Listing, ListQuery
from services.payment.treasury.pages import Asked, filters
from services.payment.treasury.wording import LISTS as NAMES
from shared.errors import NotFound
from shared.events import to_micros
from shared.web.pages import language

_CSV = "text/csv; charset=utf-8; header=present"
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_line(cells: Sequence[Cell]) -> str:
    """Return one record. A text that a spreadsheet would compute is kept a text by a quote mark."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([_safe(cell) for cell in cells])
    return buffer.getvalue()


def _safe(cell: Cell) -> Cell:
    # A number of ours may begin with a minus: it is a number, not something somebody typed.
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA):
        return "'" + cell
    return cell


async def csv_lines(
    house: House, listing: Listing, office: str, query: ListQuery
) -> AsyncIterator[str]:
    """Yield a list as CSV, its batches one by one, the header first."""
    columns = COLUMNS[listing.name]
    yield csv_line([column.key for column in columns])
    zone = house.desk.zone(office)
    async for rows in house.desk.views.every(listing, office, zone, query):
        yield "".join(csv_line([column.raw(row) for column in columns]) for row in rows)


def export_pages(house: House) -> APIRouter:
    """Return ``/bendahara/ekspor/{list}.csv`` and ``.pdf``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/bendahara/ekspor/{name}.csv")
    async def as_csv(name: str, account: Reader, query: Asked) -> Response:
        return streamed_csv(house, _listing(name), account.office, query)

    @router.get("/bendahara/ekspor/{name}.pdf")
    async def as_pdf(request: Request, name: str, account: Reader, query: Asked) -> Response:
        listing, office = _listing(name), account.office
        body = await printed(house, listing, office, query, language(request))
        return Response(
            body, media_type="application/pdf", headers=download(f"jejak-{office}-{name}.pdf")
        )

    @router.get("/bendahara/penutupan/{partner}/{day}.csv")
    async def closing_csv(request: Request, partner: str, day: date, account: Reader) -> Response:
        _, rows = await _closing(house, partner, day, account.office, language(request))
        lines = [csv_line(["class", "rows", "amount"]), *[csv_line(raw) for raw, _ in rows]]
        return Response(
            "".join(lines), media_type=_CSV, headers=download(f"jejak-{partner}-{day}.csv")
        )

    @router.get("/bendahara/penutupan/{partner}/{day}.pdf")
    async def closing_pdf(request: Request, partner: str, day: date, account: Reader) -> Response:
        lang = language(request)
        lead, rows = await _closing(house, partner, day, account.office, lang)
        tr = house.desk.teller(account.office, lang).tr
        heads = [(tr.t("Class"), False), (tr.t("Rows"), True), (tr.t("Amount"), True)]
        said = [told for _, told in rows]
        page = tr.t("Page {page}", page="{page}")
        body = await asyncio.to_thread(papers.paper, lead[0], lead[1:], heads, said, page, lang)
        return Response(
            body,
            media_type="application/pdf",
            headers=download(f"jejak-{partner}-{day}.pdf"),
        )

    return router


_Row = tuple[list[Cell], list[str]]


async def _closing(
    house: House, partner: str, day: date, office: str, lang: str
) -> tuple[list[str], list[_Row]]:
    """Return title and lead of a day's closing, and its classes for programs and for people."""
    told = await closing_told(house, partner, day, office, lang)
    tr, proof = house.desk.teller(office, lang).tr, told["proof"]
    lead = [tr.t("Closing of {day}", day=told["day"]), partner]
    if proof is not None:
        lead += [proof["state"], proof["failed"]]
        proved = [("Settled", "settled"), ("Lines", "lines"), ("Digest", "digest")]
        lead += [f"{tr.t(label)}: {proof[key]}" for label, key in proved if proof[key]]
    rows: list[_Row] = [
        ([one["name"], one["count"], one["sum"]], [one["label"], one["rows"], one["amount"]])
        for one in told["classes"]
    ]
    return [line for line in lead if line], rows


async def printed(
    house: House, listing: Listing, office: str, query: ListQuery, lang: str
) -> bytes:
    """Return a list as PDF. Raises TooLongForPaper."""
    teller, views = house.desk.teller(office, lang), house.desk.views
    total = await views.sum(listing, office, teller.zone, query)
    if total.rows > papers.MAX_ROWS:
        raise papers.TooLongForPaper(limit=papers.MAX_ROWS)
    columns, rows = COLUMNS[listing.name], []
    async for batch in views.every(listing, office, teller.zone, query):
        rows += [[column.told(row, teller) for column in columns] for row in batch]
    tr = teller.tr
    lead = [
        house.desk.catalogue.offices[office].name.of(lang),
        tr.t("Printed {when}", when=teller.when(to_micros(house.desk.now()))),
        f"{teller.rupiah(total.amount)} · {tr.t('{n} rows', n=tr.number(total.rows))}",
        ", ".join(filters(query, teller)),
    ]
    return await asyncio.to_thread(
        papers.paper,
        tr.t(NAMES[listing.name]),
        [line for line in lead if line],
        [(tr.t(column.label), column.numeric) for column in columns],
        rows,
        # Filled in page by page, when it is known which.
        tr.t("Page {page}", page="{page}"),
        lang,
    )


def streamed_csv(house: House, listing: Listing, office: str, query: ListQuery) -> Response:
    """Answer with a list as a CSV file."""
    return StreamingResponse(
        csv_lines(house, listing, office, query),
        media_type=_CSV,
        headers=download(f"jejak-{office}-{listing.name}.csv"),
    )


def download(name: str) -> dict[str, str]:
    """Return the headers that make a browser save what it gets."""
    return {"content-disposition": f'attachment; filename="{name}"'}


def _listing(name: str) -> Listing:
    if name not in LISTS:
        raise NotFound
    return LISTS[name]
