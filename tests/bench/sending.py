"""Row 7's second half: notify's sender to a provider that does nothing, beside bare sends to it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from services.notify.channels import Channel, Outgoing, Result
from services.notify.channels.http import client
from services.notify.channels.kannel import Kannel
from services.notify.channels.sms import ReportSigner
from services.notify.people.contacts import Contacts
from services.notify.people.persons import Persons
from services.notify.rulebook.quiet import Nights
from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import Templates
from services.notify.sending.mornings import Mornings
from services.notify.sending.outcomes import Outcomes
from services.notify.sending.sender import Limits, Sender
from services.notify.sending.ways import Ways
from services.notify.traffic.gate import Gate
from services.notify.views import MessagesProjection, MessageViews
from shared.bus.local import LocalBus
from shared.codec import Codec
from shared.contracts.notify import MessageQueued
from shared.database.sqlite import SqliteDatabase
from shared.events import NewEvent, to_micros
from shared.handle import Handler
from shared.ids import derived_id, event_id, new_id
from shared.projection import Projector
from shared.store.sqlite import SqliteStore
from tests.bench.measure import Contestant, Reading, Target
from tests.bench.plan import Plan

TARGET = Target(
    "notify to a null provider, share of bare sends", "notify", ("bare sends",), at_least=0.5
)
_LIMIT_SECONDS = 60.0
_RULEBOOK = Path(__file__).resolve().parents[2] / "services" / "notify" / "rulebook"


def gateway(port: int) -> Kannel:
    """Return the SMS channel to the null provider."""
    return Kannel(
        client(f"http://127.0.0.1:{port}"),
        user="bench",
        password="bench",
        sender="JEJAK",
        reports="http://127.0.0.1",
        signer=ReportSigner("bench"),
    )


class _Counted:
    """A channel that notes when its first and its last message went out."""

    name = "sms"

    def __init__(self, channel: Channel, messages: int) -> None:
        self._channel = channel
        self.left = messages
        self.began = self.ended = 0.0
        self.done = asyncio.Event()

    async def send(self, message: Outgoing) -> Result:
        self.began = self.began or time.perf_counter()
        result = await self._channel.send(message)
        self.left -= 1
        if not self.left:
            self.ended = time.perf_counter()
            self.done.set()
        return result


def contestants(plan: Plan, port: int) -> dict[str, Contestant]:
    """Return bare sends and notify, both to the null provider on ``port``."""

    async def bare() -> Sequence[Reading]:
        return await _bare_sends(gateway(port), plan.messages)

    async def notify() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        try:
            return await _notify(folder, gateway(port), plan.messages)
        finally:
            shutil.rmtree(folder)

    return {"bare sends": bare, "notify": notify}


async def _bare_sends(channel: Channel, messages: int) -> list[Reading]:
    """Send over the same channel with as many calls at once as the sender has."""
    left = iter(range(messages))

    async def work() -> None:
        for number in left:
            message = Outgoing(
                message_id=str(number),
                recipient="+6281212345678",
                language="id",
                text="Izin Anda dengan nomor BGR-2026-000001 sudah dapat diambil.",
                template="permit_ready",
                parameters={},
            )
            await channel.send(message)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(Limits().concurrency)))
    return [Reading("bare sends", messages / (time.perf_counter() - began))]


async def _notify(folder: Path, channel: Channel, messages: int) -> list[Reading]:
    """Run sender, store, bus and read model as in one process; the queue is full at the start."""
    codec, database = Codec(), SqliteDatabase(folder / "notify.sqlite")
    store = SqliteStore(folder / "events.sqlite")
    bus = LocalBus(store, database)
    counted = _Counted(channel, messages)
    templates = Templates.load(_RULEBOOK / "texts")
    handler, now = Handler(store, codec), lambda: datetime.now(UTC)
    rules = Rules.load(_RULEBOOK / "rules.yaml", templates)
    contacts = Contacts(handler, Persons("bench"), now)
    gate = Gate(database, now)
    outcomes = Outcomes(Ways(rules, contacts, {"sms"}, gate.closed), gate, contacts, templates, now)
    views = MessageViews(database)
    # It is measured at any hour of the day.
    mornings = Mornings(rules, Nights(None, {}))
    sender = Sender(handler, views, {"sms": counted}, rules, templates, outcomes, now, mornings)
    await _queue(store, codec, templates, messages)
    projection = MessagesProjection(codec, Persons("bench"))
    projector = Projector(projection, database, lambda position: sender.wake())
    # As the composition root does: the sender asks the read model from its first moment on.
    await projector.prepare()
    subscription = await bus.subscribe(projector.name, projection.topics)
    projecting = asyncio.create_task(projector.run(subscription))
    sending = asyncio.create_task(_send_until(sender, counted))
    try:
        await asyncio.wait([projecting, sending], return_when=asyncio.FIRST_COMPLETED)
        await sending
    finally:
        projecting.cancel()
        with suppress(asyncio.CancelledError):
            await projecting
        await bus.close()
        await store.close()
        await database.close()
    return [Reading("notify", messages / (counted.ended - counted.began))]


async def _send_until(sender: Sender, counted: _Counted) -> None:
    """Run the sender until everything went out. Raises RuntimeError when it does not."""
    running = asyncio.create_task(sender.run())
    ended = asyncio.create_task(counted.done.wait())
    await asyncio.wait(
        [running, ended], timeout=_LIMIT_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    if running.done():
        await running
    if not counted.done.is_set():
        raise RuntimeError(f"notify did not send {counted.left} of its messages")
    # The last outcomes are still being recorded.
    await asyncio.sleep(0.1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _queue(store: SqliteStore, codec: Codec, templates: Templates, messages: int) -> None:
    template = templates.current("permit-ready")
    now = to_micros(datetime.now(UTC))
    for number in range(messages):
        message_id, application = new_id(), derived_id("bench", number)
        stream = f"message-{message_id}"
        queued = MessageQueued(
            application_id=application,
            message_id=message_id,
            office="bogor",
            rule="permit-ready",
            audience="applicant",
            channel="sms",
            recipient="+6281212345678",
            language="id",
            template=template.id,
            template_version=template.version,
            parameters=dict.fromkeys(template.parameters, "BGR-2026-000001"),
        )
        new: NewEvent = codec.envelope(
            queued, event_id(message_id, stream, 0), now, "system:notify", message_id, application
        )
        await store.append(stream, [new])
