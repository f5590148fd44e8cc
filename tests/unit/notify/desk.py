"""Notify's parts over a real store, with a clock that tests move and providers that stand in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.serve import opened
from services.notify.channels import Channel
from services.notify.channels.http import client
from services.notify.channels.kannel import Kannel
from services.notify.channels.outbox import Outbox
from services.notify.channels.sms import ReportSigner
from services.notify.channels.whatsapp import WhatsApp
from services.notify.message import DECIDER, Message, message_stream
from services.notify.message.commands import Command
from services.notify.people.contacts import Contacts
from services.notify.people.persons import Persons
from services.notify.rulebook.quiet import Nights
from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import Templates
from services.notify.sending.mornings import Mornings
from services.notify.sending.outcomes import Outcomes
from services.notify.sending.reports import Reports
from services.notify.sending.sender import Sender
from services.notify.sending.ways import Ways
from services.notify.traffic.gate import Gate
from services.notify.traffic.pace import Speed
from services.notify.views import MessagesProjection, MessageViews
from shared.bus import Delivery
from shared.database import Database
from shared.events import Recorded, to_micros
from shared.handle import Handler
from shared.ids import derived_id, new_id
from shared.projection import Projector
from shared.service import Kernel
from tests.running import settings_in
from tests.spec import START
from tests.unit.notify.samples import APPLICATION, queue, supersede
from tests.unit.notify.standins import (
    PASSWORD,
    PHONE_ID,
    TOKEN,
    USER,
    StandIn,
    kannel_app,
    serving,
    whatsapp_app,
)

HERE = Path(__file__).parents[3] / "services" / "notify" / "rulebook"
TEMPLATES = Templates.load(HERE / "texts")
PERSONS = Persons("persons-TEST-0001")
RULES = Rules.load(HERE / "rules.yaml", TEMPLATES)


@dataclass
class Desk:
    """One process's sender and reports. ``time`` is what its clock says."""

    kernel: Kernel
    database: Database
    meta: StandIn
    gateway: StandIn
    channels: dict[str, Channel]
    time: datetime = START
    position: int = 0
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    gate: Gate = field(init=False)
    ways: Ways = field(init=False)
    contacts: Contacts = field(init=False)
    sender: Sender = field(init=False)
    reports: Reports = field(init=False)
    projector: Projector = field(init=False)

    def __post_init__(self) -> None:
        """Start a fresh process over what is stored."""
        views = MessageViews(self.database)
        handler = Handler(self.kernel.store, self.kernel.codec)
        self.contacts = Contacts(handler, PERSONS, lambda: self.time)
        self.gate = Gate(
            self.database, lambda: self.time, self.speeds, lambda: self.time.timestamp()
        )
        self.ways = Ways(RULES, self.contacts, self.channels, self.gate.closed)
        outcomes = Outcomes(self.ways, self.gate, self.contacts, TEMPLATES, lambda: self.time)
        self.sender = Sender(
            handler,
            views,
            self.channels,
            RULES,
            TEMPLATES,
            outcomes,
            lambda: self.time,
            Mornings(RULES, Nights(RULES.quiet_hours, self.kernel.catalogue.offices)),
        )
        self.reports = Reports(handler, views, outcomes, PERSONS, lambda: self.time)
        self.projector = Projector(MessagesProjection(self.kernel.codec, PERSONS), self.database)

    async def queue(self, **changes: Any) -> str:
        """Queue a message and return its id."""
        message_id, cause = derived_id("message", new_id()), changes.pop("cause", new_id())
        command = queue(message_id=message_id, now=self.time, **changes)
        await Handler(self.kernel.store, self.kernel.codec).handle(
            DECIDER,
            message_stream(message_id),
            command,
            cause=cause,
            application=APPLICATION,
        )
        return message_id

    async def later(self, **delta: float) -> None:
        """Move the clock, bring the read model up to date, and let the sender look once."""
        self.time += timedelta(**delta)
        await self.project()
        await self.sender.round()
        await self.project()

    async def project(self) -> None:
        """Fold what is new into the read model."""
        await self.projector.prepare()
        events = await self.kernel.store.read_all(self.position)
        if events:
            mine = [one for one in events if one.stream.startswith("message-")]
            await self.projector.project([Delivery("store", mine)])
            self.position = events[-1].position

    async def state(self, message_id: str) -> Message:
        """Return a message's state, folded from the store."""
        handler = Handler(self.kernel.store, self.kernel.codec)
        return (await handler.load(DECIDER, message_stream(message_id))).state

    async def give(self, message_id: str, command: Command) -> None:
        """Give a message a command, as somebody beside the sender does."""
        await Handler(self.kernel.store, self.kernel.codec).handle(
            DECIDER,
            message_stream(message_id),
            command,
            cause=new_id(),
            application=APPLICATION,
        )

    async def supersede(self, message_id: str) -> None:
        """Say that what a message tells is not true any more."""
        await self.give(message_id, supersede())

    async def types(self, message_id: str) -> list[str]:
        """Return the types of a message's events."""
        recorded = await self.kernel.store.read_stream(message_stream(message_id))
        return [one.type for one in recorded]

    async def happened(self, event: Any) -> Recorded:
        """Append a fact of the workflow."""
        now = to_micros(self.time)
        envelope = self.kernel.codec.envelope(event, new_id(), now, "test", new_id(), APPLICATION)
        return (await self.kernel.store.append(f"permit-{APPLICATION}", [envelope]))[0]

    def another(self) -> Desk:
        """Return a second process over the same store and read model."""
        return replace(self)


@asynccontextmanager
async def desk_in(
    folder: Path,
    names: tuple[str, ...] = ("whatsapp", "sms"),
    speeds: Mapping[str, Speed] | None = None,
) -> AsyncIterator[Desk]:
    """Open a desk that has the named channels, by default without limits to their speed."""
    async with (
        serving(whatsapp_app) as meta,
        serving(kannel_app) as gateway,
        opened(settings_in(folder), ["notify"]) as running,
    ):
        every = channels(folder, meta.address, gateway.address)
        chosen = {name: way for name, way in every.items() if name in (*names, "outbox")}
        database = running.databases["notify"]
        desk = Desk(running.kernel, database, meta, gateway, chosen, speeds=speeds or {})
        await desk.project()
        yield desk


def channels(folder: Path, meta: str, gateway: str) -> Mapping[str, Channel]:
    """Return all three channels, with little patience."""
    whatsapp, sms = client(meta), client(gateway)
    whatsapp.timeout = sms.timeout = httpx.Timeout(0.4, connect=5.0)
    return {
        "outbox": Outbox(folder / "outbox", lambda: START),
        "whatsapp": WhatsApp(whatsapp, PHONE_ID, TOKEN),
        "sms": Kannel(
            sms,
            user=USER,
            password=PASSWORD,
            sender="JEJAK",
            reports="http://jejak.example",
            signer=ReportSigner("secret-TEST-0001"),
        ),
    }


async def gathered(*desks: Desk) -> None:
    """Let several processes look at the queue at the same instant."""
    await asyncio.gather(*(desk.sender.round() for desk in desks))
