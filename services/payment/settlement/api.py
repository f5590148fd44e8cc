"""``/api/settlement``: bring files, see what became of them, place lines by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.payment.settlement.by_hand import Aside, Match, Matcher
from services.payment.settlement.facts import Class
from services.payment.settlement.keeping import Files, Slip, shown_name
from services.payment.settlement.taking_in import Intake
from services.payment.settlement.views import DayRow, FileRow, LineRow, SettlementViews
from services.payment.views import BillViews
from shared.actors import Role
from shared.contracts.payment import ClassTotal
from shared.errors import NotFound
from shared.identity import Account
from shared.ids import new_id
from shared.text import CleanText
from shared.web.session import require

Reader = Annotated[Account, Depends(require(Role.TREASURER, Role.SUPERVISOR, Role.AUDITOR))]
Treasurer = Annotated[Account, Depends(require(Role.TREASURER))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Page = Annotated[int, Query(ge=1, le=100_000)]
Day = Annotated[str, Query(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class FileIn(BaseModel):
    """The answer to a file that was brought: it is kept, and will be taken in or refused."""

    settlement_id: str
    sha256: str


class MatchIn(BaseModel):
    """Which payment a line belongs to. ``reference`` is empty for money nobody reported."""

    number: Annotated[str, Field(max_length=20)]
    reference: Annotated[str, Field(max_length=64)] = ""
    reason: CleanText


class AsideIn(BaseModel):
    """Why a line is about no bill that is known."""

    reason: CleanText


class Matched(BaseModel):
    """The position of the event that recorded what was said."""

    position: int


class Picture(BaseModel):
    """A partner's day: its present classes, and its last proof."""

    partner: str
    day: str
    classes: list[ClassTotal]
    proved: DayRow | None


def settlement_router(
    files: Files, intake: Intake, views: SettlementViews, matcher: Matcher, bills: BillViews
) -> APIRouter:
    """Return the routes. A treasurer sees the partners whose account their office holds."""
    router = APIRouter(prefix="/api/settlement", tags=["settlement"])
    _files(router, files, intake, views)
    _days(router, views)
    _match(router, matcher=matcher, bills=bills)
    return router


def _files(router: APIRouter, files: Files, intake: Intake, views: SettlementViews) -> None:

    @router.post("/{partner}/files", status_code=202)
    async def bring(
        request: Request,
        partner: str,
        account: Treasurer,
        name: Annotated[str, Query(max_length=200)] = "settlement",
    ) -> FileIn:
        """Bring a settlement file as the request's body. It counts only once it was accepted."""
        _own(views, account, partner)
        sha256 = await files.keep(request.stream())
        slip = Slip(partner, sha256, shown_name(name), account.username, account.office)
        return FileIn(settlement_id=intake.submit(slip), sha256=sha256)

    @router.get("/files")
    async def brought(account: Reader, limit: Limit = 50, page: Page = 1) -> list[FileRow]:
        """Return the files of the office's partners, the last changed first."""
        partners = views.partners_of(account.office)
        return await views.files(partners, limit, (page - 1) * limit)

    @router.get("/files/{settlement_id}")
    async def one(account: Reader, settlement_id: str) -> FileRow:
        """Return one file: its state, and why and where it was refused."""
        found = await views.file(settlement_id)
        if found is None:
            raise NotFound
        _own(views, account, found.partner)
        return found


def _days(router: APIRouter, views: SettlementViews) -> None:
    @router.get("/{partner}/lines")
    async def lines(
        account: Reader,
        partner: str,
        day: Day | None = None,
        name: Class | None = None,
        limit: Limit = 100,
        page: Page = 1,
    ) -> list[LineRow]:
        """Return a partner's lines by value date and class."""
        _own(views, account, partner)
        return await views.lines(
            partner=partner,
            day=day or "",
            name=name or "",
            limit=limit,
            offset=(page - 1) * limit,
        )

    @router.get("/{partner}/days")
    async def days(
        account: Reader, partner: str, limit: Limit = 31, page: Page = 1
    ) -> list[DayRow]:
        """Return a partner's days with their proofs, the last first."""
        _own(views, account, partner)
        return await views.days(partner, limit, (page - 1) * limit)

    @router.get("/{partner}/days/{day}")
    async def picture(account: Reader, partner: str, day: str) -> Picture:
        """Return a day's classes as they are now, and what was proved of it."""
        _own(views, account, partner)
        proved, classes = await views.day(partner, day), await views.totals(partner, day)
        return Picture(partner=partner, day=day, classes=classes, proved=proved)


def _match(router: APIRouter, *, matcher: Matcher, bills: BillViews) -> None:
    @router.post("/files/{settlement_id}/lines/{line}/match")
    async def match(account: Treasurer, settlement_id: str, line: int, said: MatchIn) -> Matched:
        """Say which payment a line belongs to, and why."""
        bill = await bills.by_number(said.number.strip().upper())
        if bill is None:
            raise NotFound
        told = Match(
            settlement_id=settlement_id,
            line=line,
            application_id=bill.application_id,
            reference=said.reference.strip(),
            reason=said.reason,
        )
        return Matched(position=await matcher.match(told, account.actor, new_id()))

    @router.post("/files/{settlement_id}/lines/{line}/suspense")
    async def suspense(account: Treasurer, settlement_id: str, line: int, said: AsideIn) -> Matched:
        """Say that a line's money is for no known bill, and why: it is then held in suspense."""
        told = Aside(settlement_id=settlement_id, line=line, reason=said.reason)
        return Matched(position=await matcher.put_aside(told, account.actor, new_id()))

    @router.post("/files/{settlement_id}/lines/{line}/explanation")
    async def explain(account: Treasurer, settlement_id: str, line: int, said: AsideIn) -> Matched:
        """Say what a debit is that takes no payment back, such as a charge or a transfer."""
        told = Aside(settlement_id=settlement_id, line=line, reason=said.reason)
        return Matched(position=await matcher.explain(told, account.actor, new_id()))


def _own(views: SettlementViews, account: Account, partner: str) -> None:
    """Raise NotFound for a partner whose account another office holds."""
    if partner not in views.partners_of(account.office):
        raise NotFound
