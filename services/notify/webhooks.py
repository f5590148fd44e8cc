"""Where providers call: each call is verified, durable before the answer, and answered at once.

WhatsApp and Twilio sign what they send. Kannel and 8x8 don't: they call addresses that we signed.
Delivery reports and messages that people write come the same way; nothing is worked on here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import Counter

from services.notify.channels import eightx8, twilio, whatsapp
from services.notify.channels.sms import ReportSigner
from services.notify.replies.inbox import Inbox
from services.notify.replies.incoming import from_kannel, from_twilio, from_whatsapp, ours
from services.notify.sending.reports import Reports
from shared.errors import InvalidInput, NotAllowed, NotFound
from shared.telemetry import log

_OK = "EVENT_RECEIVED"
# Twilio sends what we answer to the writer, unless it is an empty order.
_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
# What the address for incoming SMS is signed for: no message has this id.
INCOMING = "masuk"
# How many messages of one call have their statuses recorded side by side.
SIDE_BY_SIDE = 64
# No provider's form has more.
FIELDS = 200

PASSED_OVER = Counter(
    "jejak_webhooks_passed_over_total", "Parts of webhooks about another number", ["provider"]
)


@dataclass(frozen=True)
class WebhookSecrets:
    """What proves that a webhook comes from the provider; empty where none is set up.

    ``address`` is our public one: Twilio signs the whole address that it calls. ``phone_id`` is our
    own number at Meta, which calls one address for all numbers of an account.
    """

    phone_id: str
    app_secret: str
    verify_token: str
    twilio_token: str
    address: str
    signer: ReportSigner


def webhooks_router(reports: Reports, inbox: Inbox, proof: WebhookSecrets) -> APIRouter:
    """Return ``/webhooks/{whatsapp,twilio,kannel,8x8}``."""
    router = APIRouter(prefix="/webhooks", tags=["webhooks"])
    _add_whatsapp(router, reports, inbox, proof)
    # Before the reports, whose address it would be otherwise.
    _add_incoming_sms(router, inbox, proof)
    _add_sms(router, reports, proof)
    return router


def _add_whatsapp(router: APIRouter, reports: Reports, inbox: Inbox, proof: WebhookSecrets) -> None:
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
    async def news(request: Request) -> Response:
        """Take statuses and messages: signed over the raw bytes, durable before the answer."""
        raw = await request.body()
        header = request.headers.get("x-hub-signature-256", "")
        if not proof.app_secret or not whatsapp.signed(proof.app_secret, raw, header):
            raise _refused("whatsapp")
        webhook, passed = ours(_read(raw), proof.phone_id)
        if passed:
            PASSED_OVER.labels("whatsapp").inc(passed)
            log.info("webhook_passed_over", provider="whatsapp", changes=passed)
        await inbox.receive(from_whatsapp(webhook))
        await _report(reports, whatsapp.statuses(webhook))
        return PlainTextResponse(_OK)


async def _report(reports: Reports, statuses: Iterable[whatsapp.Status]) -> None:
    """Record statuses: those of one message in order, of many side by side."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)
    by_message: dict[str, list[whatsapp.Status]] = {}
    for status in dict.fromkeys(statuses):
        by_message.setdefault(status.message_id or status.provider_id, []).append(status)

    async def in_order(some: list[whatsapp.Status]) -> None:
        async with room:
            for status in some:
                await reports.whatsapp(status)

    await asyncio.gather(*map(in_order, by_message.values()))


def _add_incoming_sms(router: APIRouter, inbox: Inbox, proof: WebhookSecrets) -> None:
    @router.get(f"/kannel/{INCOMING}")
    async def kannel_message(request: Request, s: str = "") -> Response:
        """Take an SMS that the gateway received, at the address that we signed."""
        _check_address(proof, "kannel", INCOMING, s)
        message = from_kannel(_raw_query(request.scope["query_string"]))
        if message is not None:
            await inbox.receive([message])
        # The gateway sends what we answer to the writer.
        return PlainTextResponse("")

    @router.post(f"/twilio/{INCOMING}")
    async def twilio_message(request: Request) -> Response:
        """Take an SMS that Twilio received, signed over our address and its form."""
        message = from_twilio(await _signed_form(request, proof))
        if message is not None:
            await inbox.receive([message])
        return Response(_NOTHING, media_type="text/xml")


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
        form = await _signed_form(request, proof)
        code = form.get("ErrorCode", "")
        await reports.twilio(
            nid,
            form.get("MessageSid", ""),
            form.get("MessageStatus", ""),
            int(code) if code.isascii() and code.isdigit() else 0,
        )
        return PlainTextResponse(_OK)


async def _signed_form(request: Request, proof: WebhookSecrets) -> dict[str, str]:
    """Return Twilio's form. Raises NotAllowed for a wrong signature."""
    raw = (await request.body()).decode("latin-1")
    try:
        form = dict(parse_qsl(raw, keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError:
        raise InvalidInput from None
    header = request.headers.get("x-twilio-signature", "")
    query = f"?{request.url.query}" if request.url.query else ""
    address = f"{proof.address}{request.url.path}{query}"
    if not proof.twilio_token or not twilio.signed(proof.twilio_token, address, form, header):
        raise _refused("twilio")
    return form


def _raw_query(query: bytes) -> dict[str, bytes]:
    """Return a query's bytes: a gateway passes an SMS on in the charset that it came in."""
    pairs = (part.partition(b"=") for part in query.split(b"&")[:FIELDS])
    return {
        name.decode("latin-1"): unquote_to_bytes(value.replace(b"+", b" "))
        for name, _, value in pairs
    }


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
