"""The programs' side: the SNAP service that banks call, and bills as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.payment.banks import snap
from services.payment.banks.door import TOKEN_SERVICE, Call, Door
from services.payment.banks.snap import Reply, SnapRefused
from services.payment.banks.virtual_account import INQUIRY, PAYMENT, VirtualAccounts
from services.payment.views import BillRow, BillViews
from shared.actors import Role
from shared.errors import JejakError, NotFound
from shared.identity import Account
from shared.telemetry import log
from shared.web.session import require

Answer = Callable[[Call], Awaitable[Reply]]
Treasurer = Annotated[Account, Depends(require(Role.TREASURER, Role.SUPERVISOR, Role.AUDITOR))]


class BillOut(BaseModel):
    """A bill as programs see it. ``state``: open, paid or cancelled. Rupiah; dates ISO 8601."""

    number: str
    permit_type: str
    virtual_account: str
    amount: int
    due_on: str
    state: str
    paid_at: str
    partner: str
    reference: str

    @classmethod
    def of(cls, row: BillRow) -> BillOut:
        """Return the row without what is ours alone."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


def bank_router(door: Door, accounts: VirtualAccounts, now: Callable[[], datetime]) -> APIRouter:
    """Return SNAP's ``/v1.0``: token (73), virtual account inquiry (24) and payment (25)."""
    router = APIRouter(prefix="/v1.0", tags=["bank"])

    @router.post("/access-token/b2b")
    async def access_token(request: Request) -> Response:
        """Give a partner an access token against its asymmetric signature (service 73)."""

        async def answer(call: Call) -> Reply:
            return door.token(call, now())

        return await _answered(request, TOKEN_SERVICE, answer, now)

    @router.post("/transfer-va/inquiry")
    async def inquiry(request: Request) -> Response:
        """Tell a partner what is owed under a virtual account (service 24)."""

        async def answer(call: Call) -> Reply:
            return await accounts.inquiry(door.caller(call, now()), call.body)

        return await _answered(request, INQUIRY, answer, now)

    @router.post("/transfer-va/payment")
    async def payment(request: Request) -> Response:
        """Take a partner's report that a bill was paid (service 25); durable before the answer."""

        async def answer(call: Call) -> Reply:
            return await accounts.payment(door.caller(call, now()), call.body)

        return await _answered(request, PAYMENT, answer, now)

    return router


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


async def _answered(
    request: Request, service: str, answer: Answer, now: Callable[[], datetime]
) -> Response:
    """Answer in the standard's own form, whatever happens: a bank reads no problem+json."""
    try:
        reply = await answer(await _call(request))
    except SnapRefused as refused:
        reply = refused.reply
    except JejakError as error:
        log.error("bank_call_failed", service=service, code=error.code)
        reply = snap.GENERAL_ERROR
    except Exception:  # noqa: BLE001 - the partner must hear a code it can retry on
        log.exception("bank_call_failed", service=service)
        reply = snap.GENERAL_ERROR
    body: dict[str, Any] = {"responseCode": reply.code(service), "responseMessage": reply.message}
    if service == TOKEN_SERVICE:
        body |= reply.data or {}
    elif reply.data is not None:
        body["virtualAccountData"] = reply.data
    stamp = now().isoformat(timespec="seconds")
    return JSONResponse(body, reply.status, headers={"x-timestamp": stamp})


async def _call(request: Request) -> Call:
    # The path as it came over the wire: decoding it would change what was signed.
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    target = (path.split(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")
    return Call(request.method, target, request.headers, await request.body())
