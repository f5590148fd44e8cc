"""People who write to an office that really runs, through providers that stand in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from services.notify.channels.sms import ReportSigner
from services.notify.message import DECIDER, message_stream
from shared.contracts import BY_CLASS
from shared.contracts.workflow import StageOverdue, StallExplanationRequested
from shared.events import Recorded, to_micros
from shared.ids import derived_id, new_id
from tests.any_hour import rules_at_any_hour
from tests.running import Office, running_office, settings_in, until
from tests.unit.notify.samples import queue
from tests.unit.notify.standins import (
    ACCOUNT,
    PASSWORD,
    PHONE_ID,
    TOKEN,
    USER,
    StandIn,
    kannel_app,
    serving,
    twilio_app,
    whatsapp_app,
)

# The sample office's verifier, and an applicant.
OFFICER, APPLICANT = "+6281100000002", "+6281200000009"
SECRETS: dict[str, Any] = {
    "whatsapp_phone_id": PHONE_ID,
    "whatsapp_token": TOKEN,
    "whatsapp_app_secret": "app-secret",
    "whatsapp_verify_token": "verify-TEST-0001",
    "kannel_user": USER,
    "kannel_password": PASSWORD,
    "notify_url": "https://izin.example",
    # Tests have no six seconds between two messages to one person.
    "whatsapp_gap_seconds": 0.0,
}


@dataclass
class Exchange:
    """An office, Meta and a gateway."""

    office: Office
    meta: StandIn
    gateway: StandIn

    async def webhook(self, value: dict[str, Any], phone_id: str = PHONE_ID) -> httpx.Response:
        """Call our address as Meta does, signed."""
        about = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": phone_id}}
        change = {"field": "messages", "value": about | value}
        hook = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
        return await self.signed(json.dumps(hook).encode())

    async def signed(self, raw: bytes, secret: str = "app-secret") -> httpx.Response:
        """Call our address with any bytes."""
        made = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={made}", "content-type": "application/json"}
        return await self.office.http.post("/webhooks/whatsapp", content=raw, headers=headers)

    async def writes(
        self, text: str, sender: str = OFFICER, context: str = "", found: str = "", **more: Any
    ) -> str:
        """Let somebody write by WhatsApp; return the provider's id of it."""
        wamid = found or f"wamid.in.{new_id()}"
        message: dict[str, Any] = {
            "from": sender.removeprefix("+"),
            "id": wamid,
            "timestamp": "1796000000",
            "type": "text",
            "text": {"body": text},
        }
        if context:
            message["context"] = {"from": "6281000000000", "id": context}
        answer = await self.webhook({"messages": [message | more]})
        assert answer.status_code == 200, answer.text
        return wamid

    def secret(self) -> str:
        """Return what signs the address for incoming SMS."""
        return ReportSigner(self.office.running.kernel.secret("reports")).sign("masuk")

    async def texts(self, text: str, sender: str = OFFICER, **more: str) -> httpx.Response:
        """Let somebody write an SMS that the gateway passes on."""
        query = {"s": self.secret(), "sender": sender.removeprefix("+"), "text": text}
        query |= {"time": "2026-11-30 03:00", "smsc": "fake", "id": new_id()} | more
        return await self.office.http.get("/webhooks/kannel/masuk", params=query)

    async def event(self, stream: str, event: Any, application: str) -> Recorded:
        """Append one fact and return it."""
        assert type(event) in BY_CLASS
        kernel = self.office.running.kernel
        now = to_micros(kernel.now())
        envelope = kernel.codec.envelope(event, new_id(), now, "test", new_id(), application)
        return (await kernel.store.append(stream, [envelope]))[0]

    async def stall(self, app: str, asked: str = "verifikator") -> Recorded:
        """Let a permit's stage stand still, and an officer be asked why."""
        about = {"application_id": app, "office": "bogor", "stage": "verify"}
        await self.event(f"permit-{app}", StageOverdue(**about, due_at="2026-11-30T02:00:00Z"), app)
        question = StallExplanationRequested(
            **about,
            stall_id=derived_id("stall", app),
            asked=asked,
            answer_by="2026-12-01T02:00:00+00:00",
        )
        return await self.event(f"permit-{app}", question, app)

    async def alert(
        self,
        question: Recorded,
        number: str,
        channel: str = "whatsapp",
        to: str = OFFICER,
        resend_of: str = "",
    ) -> str:
        """Put the question to the officer at once, outside of quiet hours and digests."""
        message_id = derived_id("alert", question.event_id, resend_of)
        await self.office.running.kernel.handler.handle(
            DECIDER,
            message_stream(message_id),
            queue(
                application_id=question.correlation_id,
                message_id=message_id,
                rule="explain-officer",
                audience="officer",
                channel=channel,
                recipient=to,
                template="explain",
                parameters={"number": number, "permit": "SITU", "answer_by": "besok"},
                resend_of=resend_of,
                now=self.office.running.kernel.now(),
            ),
            cause=question.event_id,
            application=question.correlation_id,
        )
        return message_id

    async def sent(self, message_id: str) -> str:
        """Wait until a message went out; return the provider's id."""

        async def found() -> Any:
            rows = await self.office.running.databases["notify"].query(
                "SELECT state, provider_id FROM messages_2 WHERE message_id = ?", (message_id,)
            )
            return rows if rows and rows[0][0] == "sent" else None

        rows = await until(found, what="the alert")
        return str(rows[0][1])

    async def of_type(self, *names: str) -> list[Any]:
        """Return the decoded events of some types, in order."""
        kernel = self.office.running.kernel
        return [
            kernel.codec.decode(one) for one in await kernel.store.read_all(0) if one.type in names
        ]

    async def happens(self, name: str, count: int = 1) -> Any:
        """Wait for the ``count``-th event of a type and return it."""

        async def enough() -> Any:
            found = await self.of_type(name)
            return found if len(found) >= count else None

        return (await until(enough, what=name))[count - 1]

    def answers(self) -> list[str]:
        """Return the texts that people got in the conversation on WhatsApp."""
        return [call["text"]["body"] for call in self.meta.ledger if call["type"] == "text"]

    async def answered(self, count: int = 1) -> list[str]:
        """Wait for so many answers on WhatsApp."""

        async def enough() -> Any:
            return len(self.answers()) >= count

        await until(enough, what=f"answer {count}")
        return self.answers()


@asynccontextmanager
async def exchange_in(
    folder: Path, services: tuple[str, ...] = ("notify",), **changes: Any
) -> AsyncIterator[Exchange]:
    """Open an office with both channels."""
    async with serving(whatsapp_app) as meta, serving(kannel_app) as gateway:
        settings = settings_in(
            folder,
            whatsapp_url=meta.address,
            kannel_url=gateway.address,
            notify_rules=rules_at_any_hour(folder),
            **SECRETS,
            **changes,
        )
        async with running_office(settings, services) as office:
            yield Exchange(office, meta, gateway)


@asynccontextmanager
async def twilio_in(folder: Path) -> AsyncIterator[Exchange]:
    """Open an office whose SMS go through Twilio."""
    async with serving(whatsapp_app) as meta, serving(twilio_app) as twilio:
        settings = settings_in(
            folder,
            twilio_url=twilio.address,
            twilio_account=ACCOUNT,
            twilio_token=TOKEN,
            twilio_sender="+6281000000000",
            notify_url="https://izin.example",
            notify_rules=rules_at_any_hour(folder),
        )
        async with running_office(settings, ["notify"]) as office:
            yield Exchange(office, meta, twilio)


def twilio_signature(address: str, form: dict[str, str], token: str = TOKEN) -> str:
    """Sign a form as Twilio's documentation has it."""
    text = address + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


async def twilio_writes(exchange: Exchange, form: dict[str, str], signature: str) -> httpx.Response:
    """Call our address for incoming SMS as Twilio does."""
    return await exchange.office.http.post(
        "/webhooks/twilio/masuk",
        content=urlencode(form),
        headers={
            "x-twilio-signature": signature,
            "content-type": "application/x-www-form-urlencoded",
        },
    )
