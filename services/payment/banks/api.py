"""The addresses that banks call: SNAP's ``/v1.0``, and the legacy dialects under ``/webhooks``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from services.payment.banks import described, hints, snap
from services.payment.banks.door import TOKEN_SERVICE, Call, Caller, Door
from services.payment.banks.hints import Dialect, Hints
from services.payment.banks.snap import Reply, SnapRefused
from services.payment.banks.teller import Tellers
from services.payment.banks.virtual_account import INQUIRY, PAYMENT, STATUS, VirtualAccounts
from shared.errors import JejakError
from shared.telemetry import log
from shared.web.signed import SignedRoute

Answer = Callable[[Call], Awaitable[Reply]]
Service = Callable[[Caller, bytes], Awaitable[Reply]]
# A reversal of a partner that has none is answered under the payment's code.
_NO_SERVICE = PAYMENT
_ACCEPTED = {"response_code": "0000", "response_message": "accepted"}


def snap_router(door: Door, accounts: VirtualAccounts, now: Callable[[], datetime]) -> APIRouter:
    """Return SNAP's ``/v1.0``: token (73), inquiry (24), payment (25), status (26), reversal."""
    router = APIRouter(prefix="/v1.0", tags=["bank"], route_class=SignedRoute)

    def verified(service: Service) -> Answer:
        async def answer(call: Call) -> Reply:
            return await service(door.caller(call, now()), call.body)

        return answer

    @router.post("/access-token/b2b", openapi_extra=described.TOKEN)
    async def access_token(request: Request) -> Response:
        """Give a partner an access token against its asymmetric signature (service 73)."""

        async def answer(call: Call) -> Reply:
            return door.token(call, now())

        return await _answered(request, TOKEN_SERVICE, answer, now)

    @router.post("/transfer-va/inquiry", openapi_extra=described.INQUIRY)
    async def inquiry(request: Request) -> Response:
        """Tell a partner what is owed under a virtual account (service 24)."""
        return await _answered(request, INQUIRY, verified(accounts.inquiry), now)

    @router.post("/transfer-va/payment", openapi_extra=described.PAYMENT)
    async def payment(request: Request) -> Response:
        """Take a partner's report that a bill was paid (service 25); durable before the answer."""
        return await _answered(request, PAYMENT, verified(accounts.payment), now)

    @router.post("/transfer-va/status", openapi_extra=described.STATUS)
    async def status(request: Request) -> Response:
        """Tell a partner what became of one payment (service 26)."""
        return await _answered(request, STATUS, verified(accounts.status), now)

    @router.post("/transfer-va/reversal", openapi_extra=described.PAYMENT)
    async def reversal(request: Request) -> Response:
        """Take a payment back, for a partner whose profile names a service for it."""
        service = door.reversal_service(request.headers.get("X-PARTNER-ID", "")) or _NO_SERVICE
        return await _answered(request, service, verified(accounts.reversal), now)

    return router


def legacy_router(received: Hints, tellers: Tellers) -> APIRouter:
    """Return the callbacks of dialects A and B, and the host-to-host calls of dialect C."""
    router = APIRouter(prefix="/webhooks/bank/{partner}", tags=["bank"])

    async def hinted(partner: str, dialect: Dialect, request: Request) -> dict[str, str]:
        await received.take(partner, dialect, await request.body())
        return _ACCEPTED

    @router.post("/va")
    async def va(partner: str, request: Request) -> dict[str, str]:
        """Note an unsigned callback (A): it counts when our own signed inquiry confirms it."""
        return await hinted(partner, hints.VA, request)

    @router.post("/qris")
    async def qris(partner: str, request: Request) -> dict[str, str]:
        """Note an unsigned callback (B): it counts when our own signed inquiry confirms it."""
        return await hinted(partner, hints.QRIS, request)

    @router.get("/invoice/{kode_bayar}")
    async def invoice(partner: str, kode_bayar: str, request: Request) -> dict[str, object]:
        """Tell a teller's host what is owed (C)."""
        return await tellers.invoice(partner, request.headers, kode_bayar)

    @router.put("/invoice/update/{invoice_id}")
    async def update(partner: str, invoice_id: str, request: Request) -> dict[str, object]:
        """Take a teller's report of a payment (C); durable before the answer."""
        body = await request.body()
        return await tellers.report(partner, request.headers, invoice_id, body)

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
    return Response(to_json(body), reply.status, {"x-timestamp": stamp}, "application/json")


async def _call(request: Request) -> Call:
    # The path as it came over the wire: decoding it would change what was signed.
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    target = (path.split(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")
    # One look at each header: banks send a dozen, and we want most of them.
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in _raw(request)}
    return Call(request.method, target, headers, await request.body())


def _raw(request: Request) -> Sequence[tuple[bytes, bytes]]:
    """Return the headers as they came; the server has put their names into small letters."""
    raw: Sequence[tuple[bytes, bytes]] = request.scope["headers"]
    return raw
