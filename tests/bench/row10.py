"""Row 10, what providers tell us: signed statuses at their own pace, beside a no-op POST.

Arrivals are open-loop, 500 a second to either: a latency counts from the instant at which a call
was to be made, so that a server in trouble is seen in it. Each call is one status about a message
of its own; its signature is checked, and the fact is durable before the answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from shared.store.sqlite import SqliteStore
from tests.bench.measure import MILLIS, Contestant, Kept, Reading, Row, Target, percentile
from tests.bench.messages import message_id, stream
from tests.bench.plan import Plan
from tests.bench.processes import serving
from tests.bench.telling import Teller
from tests.bench.web_client import Client, request
from tests.bench.webhook_server import NOTHING, PHONE_ID, SECRET

_WEBHOOK = "/webhooks/whatsapp"
_RATE, _CONNECTIONS, _MANY = 500.0, 64, 1000
_OURS, _NOTHING = "webhook, median", "no-op POST, median"
_OURS99, _NOTHING99 = "webhook, 99 %", "no-op POST, 99 %"
_TOGETHER = f"one webhook of {_MANY:,} statuses"

TARGETS = [
    Target("a webhook's median answer, against a no-op POST", _OURS, (_NOTHING,), at_most=20),
    Target("99 % of webhooks", _OURS99, at_most=250.0),
]


async def run(plan: Plan, teller: Teller) -> Row:
    """Measure row 10."""
    row = Row(10, "notify: signed statuses, durable before the answer", targets=list(TARGETS))
    await row.interleave({"webhooks and no-ops": _contestant(row, plan)}, plan.rounds, teller)
    row.notes.append(
        f"{_RATE:g} calls a second arrive at random instants over {_CONNECTIONS} connections, "
        "signed beforehand; notify alone, with its read models and reactions"
    )
    return row


def _contestant(row: Row, plan: Plan) -> Contestant:
    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        calls = int(_RATE * plan.latency_seconds)
        try:
            async with serving("webhook_server", str(folder), str(calls + _MANY)) as port:
                bodies = [body([index]) for index in range(calls)]
                # What a server does in its first second is nobody's answer.
                await _arrive(port, NOTHING, bodies[: int(_RATE)])
                nothing = await _arrive(port, NOTHING, bodies)
                ours = await _arrive(port, _WEBHOOK, bodies)
                together = await _at_once(port, body(range(calls, calls + _MANY)))
            row.keep(await _kept(folder, calls + _MANY))
            return [
                Reading(_NOTHING, percentile(nothing, 0.5), MILLIS),
                Reading(_OURS, percentile(ours, 0.5), MILLIS),
                Reading(_NOTHING99, percentile(nothing, 0.99), MILLIS),
                Reading(_OURS99, percentile(ours, 0.99), MILLIS),
                Reading(_TOGETHER, together, MILLIS),
            ]
        finally:
            shutil.rmtree(folder)

    return contestant


def body(indexes: Sequence[int]) -> bytes:
    """Return a webhook call that says of some messages that they were delivered."""
    statuses = [
        {
            "id": f"wamid.{index}",
            "status": "delivered",
            "timestamp": "1767575000",
            "recipient_id": "6281200000000",
            "biz_opaque_callback_data": message_id(index),
        }
        for index in indexes
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "628001", "phone_number_id": PHONE_ID},
        "statuses": statuses,
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _request(port: int, path: str, raw: bytes) -> bytes:
    mac = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    return request(port, path, raw, {"x-hub-signature-256": f"sha256={mac}"})


async def _arrive(port: int, path: str, bodies: Sequence[bytes]) -> list[float]:
    """Make every call at its own instant; return milliseconds from then to its answer."""
    clients = [await Client.connect(port) for _ in range(_CONNECTIONS)]
    free = asyncio.Queue[Client]()
    for client in clients:
        free.put_nowait(client)
    ready = [_request(port, path, raw) for raw in bodies]
    chance = random.Random(10)

    async def call(whole: bytes, at: float) -> float:
        client = await free.get()
        status, answer = await client.send(whole)
        free.put_nowait(client)
        assert status == 200, answer
        return (time.perf_counter() - at) * 1000

    tasks, at = list[asyncio.Task[float]](), time.perf_counter()
    for whole in ready:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        tasks.append(asyncio.create_task(call(whole, at)))
        at += chance.expovariate(_RATE)
    millis = await asyncio.gather(*tasks)
    for client in clients:
        client.close()
    return millis


async def _at_once(port: int, raw: bytes) -> float:
    """Make one call; return milliseconds until its answer."""
    client = await Client.connect(port)
    whole, began = _request(port, _WEBHOOK, raw), time.perf_counter()
    status, answer = await client.send(whole)
    took = (time.perf_counter() - began) * 1000
    client.close()
    assert status == 200, answer
    return took


async def _kept(folder: Path, messages: int) -> Kept:
    """Count the deliveries that are in the store after the kill; every one was answered for."""
    store, found = SqliteStore(folder / "events.sqlite"), 0
    try:
        for index in range(messages):
            events = await store.read_stream(stream(index))
            told = sum(one.type == "MessageDelivered" for one in events)
            assert told <= 1, f"message {index} was delivered {told} times"
            found += told
    finally:
        await store.close()
    return Kept("statuses", messages, found)
