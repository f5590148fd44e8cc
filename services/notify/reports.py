"""Delivery reports: what providers tell us afterwards, in any order and as often as they like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from services.notify.channels import kannel, twilio, whatsapp
from services.notify.channels.eightx8 import Receipt
from services.notify.channels.protocol import Failed, Later
from services.notify.commands import (
    DeferMessage,
    RecordDelivered,
    RecordFailure,
    RecordRead,
    RecordSent,
    Report,
)
from services.notify.message import DECIDER, NotQueued, message_stream
from services.notify.sender import Sender
from services.notify.views import MessageViews
from shared.actors import system
from shared.contracts.notify import MessageQueued
from shared.handle import Handler
from shared.ids import derived_id
from shared.telemetry import log

BY = system("provider")


class Reports:
    """Turns reports into facts. A report is answered only after its fact is durable."""

    def __init__(
        self, handler: Handler, views: MessageViews, sender: Sender, now: Callable[[], datetime]
    ) -> None:
        """``views`` finds a message by the provider's id, ``sender`` knows the next channel."""
        self._handler = handler
        self._views = views
        self._sender = sender
        self._now = now

    async def whatsapp(self, status: whatsapp.Status) -> None:
        """Record one WhatsApp status; one about no message of ours is passed over."""
        message_id = status.message_id or await self._views.by_provider(status.provider_id) or ""
        now = self._now()
        match status.status:
            case "sent":
                report: Report | None = RecordSent(
                    channel="whatsapp", provider_id=status.provider_id, now=now, by=BY
                )
            case "delivered":
                report = RecordDelivered(now=now, by=BY)
            case "read":
                report = RecordRead(now=now, by=BY)
            case "failed":
                refused = whatsapp.refusal(status.code)
                fallback = not isinstance(refused, Failed) or refused.fallback
                report = await self._failure(message_id, "whatsapp", str(status.code), fallback)
            case _:
                return
        await self._record(message_id, report, f"{status.provider_id}:{status.status}")

    async def kannel(self, message_id: str, kind: int) -> None:
        """Record one report of an SMS gateway. Buffered (4) tells nothing new."""
        now = self._now()
        if kind == kannel.DELIVERED:
            report: Report | None = RecordDelivered(now=now, by=BY)
        elif kind == kannel.ACCEPTED:
            report = RecordSent(channel="sms", provider_id="", now=now, by=BY)
        elif kind in (kannel.REFUSED, kannel.REJECTED):
            report = await self._failure(message_id, "sms", f"dlr-{kind}", fallback=True)
        else:
            return
        await self._record(message_id, report, f"sms:{kind}")

    async def twilio(self, message_id: str, sid: str, status: str, code: int) -> None:
        """Record one status of Twilio's. A handset that is out of reach is tried again later."""
        now = self._now()
        match status:
            case "sent":
                report: Report | None = RecordSent(
                    channel="twilio", provider_id=sid, now=now, by=BY
                )
            case "delivered":
                report = RecordDelivered(now=now, by=BY)
            case "read":
                report = RecordRead(now=now, by=BY)
            case "undelivered" | "failed":
                refused = twilio.refusal(code)
                if isinstance(refused, Later):
                    until = now + timedelta(seconds=refused.seconds)
                    report = DeferMessage(
                        channel="twilio", reason=refused.reason, not_before=until, now=now, by=BY
                    )
                else:
                    fallback = not isinstance(refused, Failed) or refused.fallback
                    report = await self._failure(message_id, "twilio", str(code), fallback)
            case _:
                return
        await self._record(message_id, report, f"{sid}:{status}")

    async def eightx8(self, message_id: str, receipt: Receipt) -> None:
        """Record one delivery receipt of 8x8."""
        now = self._now()
        if receipt.rejected:
            reason = f"8x8-{receipt.code or receipt.state}"
            report: Report | None = await self._failure(message_id, "8x8", reason, fallback=True)
        elif receipt.state == "sent":
            report = RecordSent(channel="8x8", provider_id=receipt.provider_id, now=now, by=BY)
        elif receipt.state == "delivered":
            report = RecordDelivered(now=now, by=BY)
        elif receipt.state == "read":
            report = RecordRead(now=now, by=BY)
        else:
            return
        await self._record(message_id, report, f"{receipt.provider_id}:{receipt.state}")

    async def _failure(
        self, message_id: str, channel: str, reason: str, fallback: bool
    ) -> RecordFailure | None:
        message = await self._message(message_id)
        if message is None:
            return None
        following = await self._sender.next_channel(message, channel) if fallback else ""
        return RecordFailure(
            channel=channel, reason=reason, fallback=following, now=self._now(), by=BY
        )

    async def _message(self, message_id: str) -> MessageQueued | None:
        if not _is_id(message_id):
            return None
        state = (await self._handler.load(DECIDER, message_stream(message_id))).state
        return None if isinstance(state, NotQueued) else state.message

    async def _record(self, message_id: str, report: Report | None, what: str) -> None:
        message = await self._message(message_id)
        if message is None or report is None:
            log.warning("report_about_no_message", what=what.rsplit(":", 1)[-1])
            return
        await self._handler.handle(
            DECIDER,
            message_stream(message_id),
            report,
            cause=derived_id("report", message_id, what),
            application=message.application_id,
        )


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
