"""Delivery reports: what providers tell us afterwards, in any order and as often as they like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.notify.channels import Failed, Result, kannel, twilio, whatsapp
from services.notify.channels.eightx8 import Receipt
from services.notify.message import DECIDER, Message, NotQueued, message_stream
from services.notify.message.commands import RecordDelivered, RecordRead, RecordSent, Report
from services.notify.people.persons import Persons
from services.notify.sending.outcomes import Outcomes
from services.notify.views import MessageViews
from shared.actors import system
from shared.handle import Handler
from shared.ids import derived_id
from shared.telemetry import log

BY = system("provider")


class Reports:
    """Turns reports into facts. A report is answered only after its fact is durable."""

    def __init__(
        self,
        handler: Handler,
        views: MessageViews,
        outcomes: Outcomes,
        persons: Persons,
        now: Callable[[], datetime],
    ) -> None:
        """``views`` finds a message by the provider's id; ``outcomes`` knows what a no means."""
        self._handler = handler
        self._views = views
        self._outcomes = outcomes
        self._persons = persons
        self._now = now

    async def whatsapp(self, status: whatsapp.Status) -> None:
        """Record one WhatsApp status; one about no message of ours is passed over."""
        message_id = status.message_id or await self._views.by_provider(status.provider_id) or ""
        now = self._now()
        match status.status:
            case "sent":
                report: Report = RecordSent(
                    channel="whatsapp", provider_id=status.provider_id, now=now, by=BY
                )
            case "delivered":
                report = RecordDelivered(now=now, by=BY)
            case "read":
                report = RecordRead(now=now, by=BY)
            case "failed":
                what = f"{status.provider_id}:failed"
                await self._refused(message_id, "whatsapp", whatsapp.refusal(status.code), what)
                return
            case _:
                return
        await self._record(message_id, report, f"{status.provider_id}:{status.status}")

    async def kannel(self, message_id: str, kind: int) -> None:
        """Record one report of an SMS gateway. Buffered (4) tells nothing new."""
        now = self._now()
        if kind == kannel.DELIVERED:
            report: Report = RecordDelivered(now=now, by=BY)
        elif kind == kannel.ACCEPTED:
            report = RecordSent(channel="sms", provider_id="", now=now, by=BY)
        elif kind in (kannel.REFUSED, kannel.REJECTED):
            await self._refused(message_id, "sms", Failed(f"dlr-{kind}"), f"sms:{kind}")
            return
        else:
            return
        await self._record(message_id, report, f"sms:{kind}")

    async def twilio(self, message_id: str, sid: str, status: str, code: int) -> None:
        """Record one status of Twilio's. A handset that is out of reach is tried again later."""
        now = self._now()
        match status:
            case "sent":
                report: Report = RecordSent(channel="twilio", provider_id=sid, now=now, by=BY)
            case "delivered":
                report = RecordDelivered(now=now, by=BY)
            case "read":
                report = RecordRead(now=now, by=BY)
            case "undelivered" | "failed":
                await self._refused(message_id, "twilio", twilio.refusal(code), f"{sid}:{status}")
                return
            case _:
                return
        await self._record(message_id, report, f"{sid}:{status}")

    async def eightx8(self, message_id: str, receipt: Receipt) -> None:
        """Record one delivery receipt of 8x8."""
        now = self._now()
        if receipt.rejected:
            reason = f"8x8-{receipt.code or receipt.state}"
            what = f"{receipt.provider_id}:{receipt.state}"
            await self._refused(message_id, "8x8", Failed(reason), what)
            return
        if receipt.state == "sent":
            report: Report = RecordSent(
                channel="8x8", provider_id=receipt.provider_id, now=now, by=BY
            )
        elif receipt.state == "delivered":
            report = RecordDelivered(now=now, by=BY)
        elif receipt.state == "read":
            report = RecordRead(now=now, by=BY)
        else:
            return
        await self._record(message_id, report, f"{receipt.provider_id}:{receipt.state}")

    async def _refused(self, message_id: str, channel: str, refused: Result, what: str) -> None:
        """Record a provider's late no, and what it means beyond the message if it is news."""
        state = await self._state(message_id)
        if isinstance(state, NotQueued):
            log.warning("report_about_no_message", what=what.rsplit(":", 1)[-1])
            return
        message = state.message
        await self._outcomes.consent(message, channel, refused, BY)
        attempts = getattr(state, "attempts", 1)
        command = await self._outcomes.command(message, channel, max(1, attempts), refused, BY)
        # One about a channel that was given up, or told before, says nothing of today.
        if await self._record(message_id, command, what):
            person = self._persons.of(message.recipient)
            await self._outcomes.beyond(message, channel, person, refused, command)

    async def _state(self, message_id: str) -> Message:
        if not _is_id(message_id):
            return NotQueued()
        return (await self._handler.load(DECIDER, message_stream(message_id))).state

    async def _record(self, message_id: str, report: Report, what: str) -> bool:
        """Record a report; say whether it was news."""
        state = await self._state(message_id)
        if isinstance(state, NotQueued):
            log.warning("report_about_no_message", what=what.rsplit(":", 1)[-1])
            return False
        outcome = await self._handler.handle(
            DECIDER,
            message_stream(message_id),
            report,
            cause=derived_id("report", message_id, what),
            application=state.message.application_id,
        )
        return bool(outcome.events)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
