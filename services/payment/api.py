"""Bills as JSON, for programs. What banks call is in ``banks/api.py``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.payment.views import BillRow, BillViews
from shared.actors import Role
from shared.errors import NotFound
from shared.identity import Account
from shared.web.session import require

Treasurer = Annotated[Account, Depends(require(Role.TREASURER, Role.SUPERVISOR, Role.AUDITOR))]


class BillOut(BaseModel):
    """A bill as programs see it. Rupiah; dates ISO 8601.

    ``kind``: skrd, or strd with interest; ``letter`` its number. ``state``: open, paid, expired,
    replaced or cancelled. ``set_aside`` is money that came for it and could not pay it.
    """

    number: str
    kind: str
    letter: str
    permit_type: str
    virtual_account: str
    amount: int
    due_on: str
    state: str
    set_aside: int
    paid_at: str
    partner: str
    reference: str

    @classmethod
    def of(cls, row: BillRow) -> BillOut:
        """Return the row without what is ours alone."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


def bills_router(views: BillViews) -> APIRouter:
    """Return ``/api/bills``: one bill for whoever knows its number, lists for the treasurer."""
    router = APIRouter(prefix="/api/bills", tags=["bills"])

    @router.get("/{number}")
    async def one(number: str) -> BillOut:
        """Return the bill of a registration number."""
        row = await views.by_number(number)
        if row is None:
            raise NotFound
        return BillOut.of(row)

    @router.get("")
    async def listed(
        account: Treasurer, state: str = "open", limit: int = 100, page: int = 1
    ) -> list[BillOut]:
        """Return the bills of the caller's office in a state, the last changed first."""
        limit = min(max(limit, 1), 500)
        rows = await views.of_office(account.office, state, limit, (max(page, 1) - 1) * limit)
        return [BillOut.of(row) for row in rows]

    return router
