"""Where providers report: each call is verified, durable before the answer, and answered at once.

WhatsApp and Twilio sign what they send. Kannel and 8x8 don't: they call addresses that we signed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from services.notify.channels import eightx8, twilio, whatsapp
from services.notify.channels.sms import ReportSigner
from services.notify.reports import Reports
from shared.errors import InvalidInput, NotAllowed, NotFound
from shared.telemetry import log

_OK = "EVENT_RECEIVED"


@dataclass(frozen=True)
class WebhookSecrets:
    """What proves that a webhook comes from the provider; empty where none is set up.

    ``address`` is our public one: Twilio signs the whole address that it calls.
    """

    app_secret: str
    verify_token: str
    twilio_token: str
    address: str
    signer: ReportSigner


def webhooks_router(reports: Reports, proof: WebhookSecrets) -> APIRouter:
    """Return ``/webhooks/{whatsapp,twilio,kannel,8x8}``."""
    router = APIRouter(prefix="/webhooks", tags=["webhooks"])
    _add_whatsapp(router, reports, proof)
    _add_sms(router, reports, proof)
    return router


def _add_whatsapp(router: APIRouter, reports: Reports, proof: WebhookSecrets) -> None:
    @router.get("/whatsapp")
    async def subscribe(request: Request) -> Response:
        """Prove to Meta that this address is ours: its challenge comes back."""
        asked = request.query_params
        token = asked.get("hub.verify_token", "")
        known = proof.verify_token and compare_digest(token.encode(), proof.verify_token.encode())
        if asked.get("hub.mode") != "subscribe" or not known:
            raise NotAllowed
        return PlainTextResponse(asked.get("hub.challenge", "")[:200])

    @router.post("/whatsapp")
    async def statuses(request: Request) -> Response:
        """Take delivery statuses: signed over the raw bytes, durable before the answer."""
        raw = await request.body()
        header = request.headers.get("x-hub-signature-256", "")
        if not proof.app_secret or not whatsapp.signed(proof.app_secret, raw, header):
            raise _refused("whatsapp")
        for status in whatsapp.statuses(_read(raw)):
            await reports.whatsapp(status)
        return PlainTextResponse(_OK)


def _add_sms(router: APIRouter, reports: Reports, proof: WebhookSecrets) -> None:
    @router.get("/kannel/{message_id}")
    async def kannel(message_id: str, s: str = "", type: int = 0) -> Response:
        """Take a delivery report of the SMS gateway, at the address that we signed."""
        _check_address(proof, "kannel", message_id, s)
        await reports.kannel(message_id, type)
        return PlainTextResponse(_OK)

    @router.post("/8x8/{message_id}")
    async def eight_x_eight(request: Request, message_id: str, s: str = "") -> Response:
        """Take a delivery receipt of 8x8, at the address that we signed."""
        _check_address(proof, "8x8", message_id, s)
        receipt = eightx8.receipt(_read(await request.body()))
        if receipt is not None:
            await reports.eightx8(message_id, receipt)
        return PlainTextResponse(_OK)

    @router.post("/twilio")
    async def twilio_status(request: Request, nid: str = "") -> Response:
        """Take a status of Twilio's, signed over our address and its form."""
        form = dict(parse_qsl((await request.body()).decode("latin-1"), keep_blank_values=True))
        header = request.headers.get("x-twilio-signature", "")
        address = f"{proof.address}{request.url.path}?{request.url.query}"
        if not proof.twilio_token or not twilio.signed(proof.twilio_token, address, form, header):
            raise _refused("twilio")
        code = form.get("ErrorCode", "")
        await reports.twilio(
            nid,
            form.get("MessageSid", ""),
            form.get("MessageStatus", ""),
            int(code) if code.isascii() and code.isdigit() else 0,
        )
        return PlainTextResponse(_OK)


def _check_address(proof: WebhookSecrets, provider: str, message_id: str, signature: str) -> None:
    if not proof.signer.verify(message_id, signature):
        log.warning("webhook_refused", provider=provider)
        raise NotFound


def _refused(provider: str) -> NotAllowed:
    log.warning("webhook_refused", provider=provider)
    return NotAllowed()


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidInput from None
