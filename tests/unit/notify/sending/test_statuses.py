"""Statuses as Meta sends them: late, more than once, in any order, and signed by somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from services.notify.message import DECIDER, message_stream
from shared.ids import derived_id, new_id
from tests.any_hour import rules_at_any_hour
from tests.running import Office, running_office, settings_in, until
from tests.unit.notify.samples import APPLICATION, queue
from tests.unit.notify.standins import (
    HANG_UP,
    PHONE_ID,
    TOKEN,
    Reporter,
    StandIn,
    serving,
    whatsapp_app,
)

SECRET = "app-secret"


@pytest.fixture
async def connected(tmp_path: Path) -> AsyncIterator[tuple[Office, StandIn, Reporter]]:
    async with serving(whatsapp_app) as meta:
        given: dict[str, Any] = {
            "whatsapp_url": meta.address,
            "whatsapp_phone_id": PHONE_ID,
            "whatsapp_token": TOKEN,
            "whatsapp_app_secret": SECRET,
            "notify_rules": rules_at_any_hour(tmp_path),
        }
        async with running_office(settings_in(tmp_path, **given), ["notify"]) as office:

            async def post(raw: bytes, headers: dict[str, str]) -> int:
                answer = await office.http.post("/webhooks/whatsapp", content=raw, headers=headers)
                return answer.status_code

            yield office, meta, Reporter(post, SECRET)


async def queued(office: Office, number: int) -> str:
    kernel, message_id = office.running.kernel, derived_id("message", new_id())
    await kernel.handler.handle(
        DECIDER,
        message_stream(message_id),
        queue(message_id=message_id, recipient=f"+62812345670{number:02d}", now=kernel.now()),
        cause=new_id(),
        application=APPLICATION,
    )
    return message_id


async def state(office: Office, message_id: str) -> str:
    rows = await office.running.databases["notify"].query(
        "SELECT state FROM messages_2 WHERE message_id = ?", (message_id,)
    )
    return str(rows[0][0]) if rows else ""


async def reaches(office: Office, message_id: str, wanted: str) -> None:
    async def there() -> bool:
        return await state(office, message_id) == wanted

    await until(there, what=wanted)


async def types(office: Office, message_id: str) -> list[str]:
    stream = message_stream(message_id)
    return [one.type for one in await office.running.kernel.store.read_stream(stream)]


async def test_statuses_in_any_order_and_any_number_end_in_read(
    connected: tuple[Office, StandIn, Reporter],
) -> None:
    office, _, reporter = connected
    orders = list(permutations(("sent", "delivered", "read")))
    messages = [await queued(office, number) for number in range(len(orders))]
    for message in messages:
        await reaches(office, message, "sent")
    for message, order in zip(messages, orders, strict=True):
        # Each twice, then all of them again in one webhook, and a failure from the past.
        for status in order:
            for _ in range(2):
                assert await reporter.tell(message, status) == 200
        assert await reporter.tell(message, *order) == 200
        assert await reporter.tell(message, "failed", code=131026) == 200
        assert await reporter.tell(message, "failed", code=131031) == 200
    for message in messages:
        await reaches(office, message, "read")
        found = await types(office, message)
        assert found.count("MessageRead") == 1
        assert found.count("MessageDelivered") <= 1
        assert "MessageFailed" not in found
        assert "MessageFellBack" not in found
    # What came too late to be news paused nothing.
    rows = await office.running.databases["notify"].query("SELECT * FROM channel_circuits")
    assert rows == []


async def test_a_status_signed_by_somebody_else_changes_nothing(
    connected: tuple[Office, StandIn, Reporter],
) -> None:
    office, _, reporter = connected
    message = await queued(office, 50)
    await reaches(office, message, "sent")
    assert await reporter.tell(message, "delivered", secret="another") == 403
    assert await reporter.tell(message, "failed", code=190, secret="another") == 403
    assert await types(office, message) == ["MessageQueued", "MessageAttempted", "MessageSent"]


async def test_a_late_status_settles_a_call_that_broke_off_after_it_was_taken(
    connected: tuple[Office, StandIn, Reporter],
) -> None:
    office, meta, reporter = connected
    meta.answers.append(HANG_UP)
    message = await queued(office, 60)
    await reaches(office, message, "unknown")
    assert await reporter.tell(message, "delivered", wamid="wamid.77") == 200
    await reaches(office, message, "delivered")
    assert len(meta.ledger) == 1


async def test_a_late_no_pauses_the_channel_and_the_next_message_makes_no_call(
    connected: tuple[Office, StandIn, Reporter],
) -> None:
    office, meta, reporter = connected
    first = await queued(office, 70)
    await reaches(office, first, "sent")
    assert await reporter.tell(first, "failed", code=131042) == 200
    following = await queued(office, 71)
    # There is no other channel here, so both wait and nothing is called.
    await reaches(office, following, "queued")
    await reaches(office, first, "queued")
    # Longer than the sender leaves its queue unwatched.
    await asyncio.sleep(1.5)
    assert len(meta.ledger) == 1
