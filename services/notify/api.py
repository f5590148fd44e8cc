"""The programs' side: providers' webhooks, and messages as JSON for officers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from services.notify.channels import whatsapp
from services.notify.channels.kannel import ReportSigner
from services.notify.reports import Reports
from services.notify.views import MessageViews
from shared.actors import Role
from shared.errors import InvalidInput, NotAllowed, NotFound
from shared.events import from_micros
from shared.identity import Account
from shared.telemetry import log
from shared.web.session import require

READERS = (
    Role.COUNTER,
    Role.VERIFIER,
    Role.SURVEYOR,
    Role.ASSESSOR,
    Role.SIGNER,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
Reader = Annotated[Account, Depends(require(*READERS))]
_OK = "EVENT_RECEIVED"


@dataclass(frozen=True)
class WebhookSecrets:
    """What proves that a webhook comes from the provider; empty where none is set up."""

    app_secret: str
    verify_token: str
    signer: ReportSigner


class MessageOut(BaseModel):
    """A message as programs see it: where it stands, not what it says."""

    message_id: str
    rule: str
    channel: str
    state: str
    queued_at: str


def webhooks_router(reports: Reports, proof: WebhookSecrets) -> APIRouter:
    """Return ``/webhooks/whatsapp`` and ``/webhooks/kannel/{message_id}``."""
    router = APIRouter(prefix="/webhooks", tags=["webhooks"])

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
            log.warning("webhook_refused", provider="whatsapp")
            raise NotAllowed
        try:
            sent = json.loads(raw)
        except (ValueError, RecursionError):
            raise InvalidInput from None
        for status in whatsapp.statuses(sent):
            await reports.whatsapp(status)
        return PlainTextResponse(_OK)

    @router.get("/kannel/{message_id}")
    async def kannel(message_id: str, s: str = "", type: int = 0) -> Response:
        """Take a delivery report of the SMS gateway, at the address that we signed."""
        if not proof.signer.verify(message_id, s):
            log.warning("webhook_refused", provider="kannel")
            raise NotFound
        await reports.kannel(message_id, type)
        return PlainTextResponse(_OK)

    return router


def messages_router(views: MessageViews) -> APIRouter:
    """Return ``/api/messages``: where the office's messages stand."""
    router = APIRouter(prefix="/api/messages", tags=["messages"])

    @router.get("")
    async def newest(
        account: Reader,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> list[MessageOut]:
        """Return the messages of the caller's office, the newest first."""
        rows = await views.newest(account.office, limit, (page - 1) * limit)
        return [
            MessageOut(
                message_id=row.message_id,
                rule=row.rule,
                channel=row.channel,
                state=row.state,
                queued_at=from_micros(row.queued_us).isoformat(),
            )
            for row in rows
        ]

    return router
