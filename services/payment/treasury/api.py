"""The same for programs: figures, lists, cases and their commands under ``/api/treasury``.

``Idempotency-Key`` names a request, so that sending it again does nothing more; ``If-Match`` names
the version of the case that was looked at. Refusals are problem+json.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header
from pydantic import BaseModel

from services.payment import suspense as s
from services.payment.treasury import figures
from services.payment.treasury.actions import ACTIONS, Action
from services.payment.treasury.columns import COLUMNS, Cell
from services.payment.treasury.desk import MOVERS
from services.payment.treasury.house import House, Reader
from services.payment.treasury.lists import LISTS, Listing
from services.payment.treasury.pages import Asked, DayQuery
from shared.errors import InvalidInput, NotFound
from shared.identity import Account
from shared.web.session import require

IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", max_length=128)]
IfMatch = Annotated[str, Header(alias="If-Match", max_length=24)]


class FigureOut(BaseModel):
    """A figure: how many rows, their rupiah, and the address of the rows."""

    group: str
    name: str
    rows: int
    amount: int
    href: str


class FiguresOut(BaseModel):
    """The three-way picture of ``day`` (ISO 8601, the office's own), and what stands open."""

    day: date
    figures: list[FigureOut]


class ListOut(BaseModel):
    """One page of a list, with count and rupiah of all its pages."""

    rows: int
    amount: int
    items: list[dict[str, Cell]]


class CaseOut(BaseModel):
    """A case of money in suspense. ``allowed`` are the commands that the caller may give now."""

    suspense_id: str
    state: str
    amount: int
    held: int
    reason: str
    reference: str
    claimed_by: str
    refund_id: str
    version: int
    allowed: list[str]


class Done(BaseModel):
    """What a command came to; ``events`` is empty when it had already happened."""

    suspense_id: str
    version: int
    position: int
    events: list[str]


def treasury_api(house: House) -> APIRouter:
    """Return ``/api/treasury``."""
    router = APIRouter(prefix="/api/treasury", tags=["treasury"])

    @router.get("/figures")
    async def all_figures(account: Reader, day: DayQuery = None) -> FiguresOut:
        """Return what was billed, reported and settled on a day, and what waits for somebody."""
        asked = day or house.today(account.office)
        shown = (*figures.standing(), *figures.of_day(asked))
        told = [await _figure(house, account.office, figure) for figure in shown]
        return FiguresOut(day=asked, figures=told)

    @router.get("/suspense/{suspense_id}")
    async def case(suspense_id: str, account: Reader) -> CaseOut:
        """Return how a case stands; nothing personal is in it."""
        return await _case(house, suspense_id, account)

    for listing in LISTS.values():
        router.add_api_route(
            f"/{listing.name}",
            _list(house, listing),
            name=f"list-{listing.name}",
            summary=f"The office's {listing.name}, the newest first",
        )
    for action in ACTIONS:
        router.add_api_route(
            f"/suspense/{{suspense_id}}/{action.name}",
            _endpoint(house, action),
            methods=["POST"],
            name=action.name,
            summary=action.title,
        )
    return router


async def _figure(house: House, office: str, figure: figures.Figure) -> FigureOut:
    zone = house.desk.zone(office)
    total = await house.desk.views.sum(figure.listing, office, zone, figure.query)
    return FigureOut(
        group=figure.group,
        name=figure.name,
        rows=total.rows,
        amount=total.amount,
        href=f"/api/treasury/{figure.listing.name}{figure.query.link()}",
    )


def _list(house: House, listing: Listing) -> Callable[..., Awaitable[ListOut]]:
    async def listed(account: Reader, query: Asked) -> ListOut:
        office, zone = account.office, house.desk.zone(account.office)
        total = await house.desk.views.sum(listing, office, zone, query)
        rows = await house.desk.views.rows(listing, office, zone, query)
        columns = COLUMNS[listing.name]
        items = [
            {listing.key: getattr(row, listing.key)}
            | {column.key: column.raw(row) for column in columns}
            for row in rows
        ]
        return ListOut(rows=total.rows, amount=total.amount, items=items)

    return listed


async def _case(house: House, suspense_id: str, account: Account) -> CaseOut:
    loaded = await house.desk.case(suspense_id, account.office)
    state = loaded.state
    if isinstance(state, s.NotOpened):
        raise NotFound
    refund = getattr(state, "refund", None)
    known = state.case.opened
    return CaseOut(
        suspense_id=known.suspense_id,
        state=s.STATE_NAMES[type(state)],
        amount=known.amount,
        held=state.case.held,
        reason=known.reason,
        reference=known.reference,
        claimed_by=state.case.claimed_by,
        refund_id=refund.asked.refund_id if refund else "",
        version=loaded.version,
        allowed=list(s.possible(state, account.actor)),
    )


def _endpoint(house: House, action: Action) -> Callable[..., Awaitable[Done]]:
    async def act(
        suspense_id: str,
        body: Any,
        account: Any,
        key: IdempotencyKey = "",
        version: IfMatch = "",
    ) -> Done:
        outcome = await house.desk.act(
            suspense_id, action, body, account, seen=_seen(version), key=key
        )
        return Done(
            suspense_id=suspense_id,
            version=outcome.version,
            position=outcome.position,
            events=[recorded.type for recorded in outcome.events],
        )

    # Each command has a body of its own, so that the published description names its fields.
    act.__annotations__ |= {
        "body": Annotated[action.body, Body()],
        "account": Annotated[Account, Depends(require(*MOVERS))],
    }
    return act


def _seen(header: str) -> int | None:
    text = header.strip().removeprefix("W/").strip('"')
    if not text or text == "*":
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput
    return int(text)
