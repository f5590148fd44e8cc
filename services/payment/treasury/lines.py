"""Lines of settlement files by class, and the page where a person says which payment one is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.payment.settlement.by_hand import (
    Aside,
    Match,
    Matcher,
    may_be_explained,
    may_be_held,
    waits,
)
from services.payment.settlement.facts import Class
from services.payment.settlement.views import LineRow, MoneyRow
from services.payment.settlement.wording import CLASSES, WHY
from services.payment.treasury.house import House, Mover, Reader
from services.payment.treasury.lists import PAGE_ROWS
from services.payment.treasury.wording import Teller
from shared.actors import Role
from shared.errors import InvalidInput, NotAllowed, NotFound, Refused
from shared.identity import Account
from shared.ids import derived_id
from shared.text import CleanParagraph, CleanText
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import msg
from shared.web.pages import language, translator

PATH = "/bendahara/baris"
_MATCHED = msg("The line is matched. The reconciliation goes on by itself.")
_ASIDE = msg("The line's money goes to suspense. Its case opens by itself.")
_EXPLAINED = msg("The debit is explained. It waits for nobody any more.")
# What is said of a line that is no payment: the last part of its address -> how, and the answer.
_ALONE = {"titipan": (Matcher.put_aside, _ASIDE), "penjelasan": (Matcher.explain, _EXPLAINED)}
Alone = Literal["titipan", "penjelasan"]
# A payment is in one of these; every other class holds lines.
MONEYS = (Class.CALLBACK_NO_SETTLEMENT, Class.AWAITING_SETTLEMENT)
_TONES = {
    Class.MATCHED: "success",
    Class.SETTLED_NO_CALLBACK: "info",
    Class.PENDING: "waiting",
    Class.AWAITING_SETTLEMENT: "waiting",
    Class.REVERSED: "neutral",
    Class.EXPLAINED: "neutral",
}
Body = TypeVar("Body", bound=BaseModel)
ClassQuery = Annotated[Class, Query(alias="kelas")]
PageQuery = Annotated[int, Query(alias="halaman", ge=1, le=100_000)]


class MatchBody(BaseModel):
    """Which registration number a line is for, which payment (if one was reported), and why."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[CleanText, Field(min_length=1, max_length=40)]
    reference: Annotated[CleanText, Field(max_length=64)] = ""
    reason: Annotated[CleanParagraph, Field(min_length=3, max_length=2000)]


class AsideBody(BaseModel):
    """Why a line is about no bill that is known."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[CleanParagraph, Field(min_length=3, max_length=2000)]


def class_link(partner: str, day: str, name: Class | str) -> str:
    """Return the address of what is in a class, of one value date or (empty) of all."""
    given = {"kelas": str(name)} | ({"hari": day} if day else {})
    return f"{PATH}/{quote(partner)}?{urlencode(given)}"


def class_word(name: str, teller: Teller) -> tuple[str, str]:
    """Return a class's word and tone; a line nobody looked at yet has no class."""
    if name not in Class.__members__:
        return teller.tr.t(CLASSES[Class.PENDING]), "waiting"
    return teller.tr.t(CLASSES[Class(name)]), _TONES.get(Class(name), "warning")


def line_rows(lines: Sequence[LineRow], teller: Teller) -> list[dict[str, Any]]:
    """Return lines as a table shows them."""
    return [_line(row, teller) for row in lines]


def _line(row: LineRow, teller: Teller) -> dict[str, Any]:
    word, tone = class_word(row.name, teller)
    return {
        "line": str(row.line),
        "link": f"{PATH}/{quote(row.settlement_id)}/{row.line}",
        "day": teller.day(row.value_on),
        "amount": teller.rupiah(row.amount),
        "reference": row.reference,
        "account": row.virtual_account,
        "class": word,
        "tone": tone,
        "why": teller.tr.t(WHY[row.why]) if row.why in WHY else row.why,
    }


def _money(row: MoneyRow, teller: Teller) -> dict[str, Any]:
    word, tone = class_word(row.name, teller)
    return {
        "line": row.reference or row.request_id,
        "link": f"/bendahara/jejak/tagihan/{quote(row.application_id)}",
        "day": teller.day(row.paid_on),
        "amount": teller.rupiah(row.amount),
        "reference": row.reference,
        "account": "",
        "class": word,
        "tone": tone,
        "why": "",
    }


def line_pages(house: House) -> APIRouter:
    """Return ``/bendahara/baris/...``."""
    router, page = APIRouter(include_in_schema=False), LinePage(house)

    @router.get(f"{PATH}/{{partner}}")
    async def of_class(
        request: Request,
        partner: str,
        account: Reader,
        kelas: ClassQuery = Class.PENDING,
        hari: Annotated[date | None, Query()] = None,
        halaman: PageQuery = 1,
    ) -> Response:
        if partner not in house.partners(account.office):
            raise NotFound
        teller = house.desk.teller(account.office, language(request))
        day = hari.isoformat() if hari else ""
        rows = await _in_class(house, partner, day, kelas, halaman, teller)
        return house.pages.render(
            request,
            "payment/treasury/lines.html",
            partner=partner,
            day=teller.day(day),
            heading=class_word(kelas, teller)[0],
            rows=rows[:PAGE_ROWS],
            back=f"/bendahara/penutupan/{partner}/{day}" if day else "/bendahara/penutupan",
            page=halaman,
            onward=class_link(partner, day, kelas) if len(rows) > PAGE_ROWS else "",
            link_of=class_link(partner, day, kelas),
        )

    @router.get(f"{PATH}/{{settlement_id}}/{{line}}")
    async def one(request: Request, settlement_id: str, line: int, account: Reader) -> Response:
        return await page.show(request, settlement_id, line, account)

    @router.post(f"{PATH}/{{settlement_id}}/{{line}}")
    async def match(request: Request, settlement_id: str, line: int, account: Mover) -> Response:
        return await page.matched(request, settlement_id, line, account)

    @router.post(f"{PATH}/{{settlement_id}}/{{line}}/{{what}}")
    async def alone(
        request: Request, settlement_id: str, line: int, what: Alone, account: Mover
    ) -> Response:
        return await page.alone(request, (settlement_id, line), what, account)

    return router


async def _in_class(
    house: House, partner: str, day: str, name: Class, page: int, teller: Teller
) -> list[dict[str, Any]]:
    """Return one page of a class, and one row more when there are more."""
    views, start = house.settlement.views, (page - 1) * PAGE_ROWS
    if name in MONEYS:
        moneys = await views.moneys(
            partner=partner, day=day, name=name, limit=PAGE_ROWS + 1, offset=start
        )
        return [_money(row, teller) for row in moneys]
    lines = await views.lines(
        partner=partner, day=day, name=name, limit=PAGE_ROWS + 1, offset=start
    )
    return line_rows(lines, teller)


class LinePage:
    """One line: what the bank says, where it was put, and the form to place it by hand."""

    def __init__(self, house: House) -> None:
        """Draw with the house's pages, match with the settlement's matcher."""
        self._house = house

    async def _row(self, settlement_id: str, line: int, office: str) -> LineRow:
        row = await self._house.settlement.views.line(settlement_id, line)
        if row is None or row.partner not in self._house.partners(office):
            raise NotFound
        return row

    async def show(
        self,
        request: Request,
        settlement_id: str,
        line: int,
        account: Account,
        *,
        form: Form | None = None,
        refusal: str = "",
        status_code: int = 200,
    ) -> Response:
        """Draw the page. Raises NotFound for a line of other offices' banks."""
        row = await self._row(settlement_id, line, account.office)
        teller = self._house.desk.teller(account.office, language(request))
        mine = waits(row) and account.has(Role.TREASURER)
        candidates = await self._house.settlement.views.candidates(row) if mine else []
        return self._house.pages.render(
            request,
            "payment/treasury/line.html",
            status_code=status_code,
            line=_line(row, teller) | {"text": row.text, "file": row.settlement_id},
            trail=f"/bendahara/jejak/tagihan/{row.application_id}" if row.application_id else "",
            case=f"/bendahara/titipan/{row.suspense_id}" if row.suspense_id else "",
            waits=mine,
            may_be_held=mine and may_be_held(row),
            debit=mine and may_be_explained(row),
            candidates=[_money(one, teller) for one in candidates],
            form=form if form and not form.scope else Form(),
            aside=form if form and form.scope else Form(scope="aside"),
            refusal=refusal,
            key=uuid4().hex,
        )

    async def matched(
        self, request: Request, settlement_id: str, line: int, account: Account
    ) -> Response:
        """Record which payment the line is, or draw the page again with the reason why not."""

        async def say(said: MatchBody, cause: str) -> None:
            bill = await self._house.desk.bill(account.office, said.number)
            told = Match(
                settlement_id=settlement_id,
                line=line,
                application_id=bill.application_id,
                reference=said.reference,
                reason=said.reason,
            )
            await self._house.settlement.matcher.match(told, account.actor, cause)

        return await self._said(request, (settlement_id, line), account, MatchBody, say, _MATCHED)

    async def alone(
        self, request: Request, about: tuple[str, int], what: Alone, account: Account
    ) -> Response:
        """Record what is said of a line that is no payment, or draw the page again with why not."""
        tell, done = _ALONE[what]

        async def say(said: AsideBody, cause: str) -> None:
            told = Aside(settlement_id=about[0], line=about[1], reason=said.reason)
            await tell(self._house.settlement.matcher, told, account.actor, cause)

        return await self._said(request, about, account, AsideBody, say, done)

    async def _said(
        self,
        request: Request,
        about: tuple[str, int],
        account: Account,
        body: type[Body],
        say: Callable[[Body, str], Awaitable[None]],
        done: str,
    ) -> Response:
        await self._row(*about, account.office)
        data = await read_form(request)
        scope = "" if body is MatchBody else "aside"
        own = {name: str(data.get(name, "")) for name in body.model_fields}
        parsed = parse_form(body, own)
        form = Form(parsed.form.values, parsed.form.errors, scope)
        if parsed.value is None:
            return await self.show(request, *about, account, form=form, status_code=422)
        key = str(data.get("key", ""))[:64]
        cause = derived_id("match", account.username, key, parsed.value.model_dump_json())
        try:
            await say(parsed.value, cause)
        except (Refused, InvalidInput, NotAllowed) as error:
            refusal = translator(request).t(error.message(), **error.params)
            return await self.show(
                request, *about, account, form=form, refusal=refusal, status_code=error.status
            )
        return self._house.pages.redirect(request, f"{PATH}/{about[0]}/{about[1]}", flash=done)
