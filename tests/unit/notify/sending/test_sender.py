"""The sender over a real store, and providers that answer, refuse, break off, and report late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from services.notify.channels import Outgoing, Result
from services.notify.channels.http import client
from services.notify.channels.kannel import ACCEPTED, BUFFERED, DELIVERED, REFUSED
from services.notify.channels.whatsapp import Status, WhatsApp
from services.notify.message import (
    Delivered,
    Failed,
    Queued,
    Read,
    Sending,
    Sent,
    Superseded,
    Unknown,
)
from shared.contracts.workflow import StageCompleted, StageOverdue
from shared.ids import new_id
from tests.running import until
from tests.unit.notify.desk import Desk, desk_in, gathered
from tests.unit.notify.samples import APPLICATION
from tests.unit.notify.standins import HANG, PHONE_ID, TOKEN, closed_address


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as opened:
        yield opened


async def test_without_a_provider_the_outbox_takes_it(tmp_path: Path) -> None:
    async with desk_in(tmp_path, names=()) as desk:
        message = await desk.queue(channel="outbox")
        await desk.later()
        assert isinstance(await desk.state(message), Sent)
        written = (tmp_path / "outbox" / "messages.jsonl").read_text("utf-8")
        assert written.count(message) == 1


async def test_the_call_is_on_record_before_it_is_made(desk: Desk) -> None:
    message = await desk.queue()
    seen: list[list[str]] = []

    async def look() -> None:
        seen.append(await desk.types(message))

    desk.meta.before_answer = look
    await desk.later()
    assert seen == [["MessageQueued", "MessageAttempted"]]
    state = await desk.state(message)
    assert isinstance(state, Sent)
    assert (state.channel, state.attempts, state.provider_id) == ("whatsapp", 1, "wamid.1")


async def test_nothing_is_sent_twice_however_often_the_queue_is_looked_at(desk: Desk) -> None:
    for _ in range(20):
        await desk.queue()
    await desk.project()
    # Two processes, and a read model that is behind both.
    await gathered(desk, desk.another(), desk, desk.another())
    await desk.later()
    assert len(desk.meta.ledger) == 20
    sent = [body["biz_opaque_callback_data"] for body in desk.meta.ledger]
    assert len(set(sent)) == 20


async def test_a_number_without_whatsapp_gets_an_sms(desk: Desk) -> None:
    message = await desk.queue()
    desk.meta.answers.append(131026)
    await desk.later()
    assert await desk.types(message) == ["MessageQueued", "MessageAttempted", "MessageFellBack"]
    await desk.later()
    state = await desk.state(message)
    assert isinstance(state, Sent)
    assert (state.channel, len(desk.gateway.ledger)) == ("sms", 1)


async def test_when_every_channel_refuses_it_failed(desk: Desk) -> None:
    message = await desk.queue(rule="permit-ready", channel="sms")
    desk.gateway.answers.append(404)
    desk.meta.answers.append(131026)
    await desk.later()
    await desk.later()
    state = await desk.state(message)
    assert isinstance(state, Failed)
    assert state.reason == "131026"


async def test_an_unreachable_provider_is_tried_again_ever_more_patiently(
    desk: Desk,
) -> None:
    desk.channels["whatsapp"] = WhatsApp(client(closed_address()), PHONE_ID, TOKEN)
    message = await desk.queue()
    waits = []
    for _ in range(4):
        await desk.later(minutes=20)
        state = await desk.state(message)
        assert isinstance(state, Queued)
        assert state.not_before is not None
        waits.append((state.not_before - desk.time).total_seconds())
    assert all(1.3 * first < second for first, second in pairwise(waits))
    calls = await desk.types(message)
    await desk.later(seconds=1)
    assert await desk.types(message) == calls


async def test_a_limit_is_waited_for(desk: Desk) -> None:
    message = await desk.queue()
    desk.meta.answers.append(131056)
    await desk.later()
    await desk.later(seconds=5)
    assert len(desk.meta.ledger) == 1
    await desk.later(seconds=5)
    assert isinstance(await desk.state(message), Sent)


async def test_an_unknown_outcome_is_waited_for_and_sent_once_more(desk: Desk) -> None:
    message = await desk.queue()
    desk.meta.answers += [HANG, HANG]
    await desk.later()
    assert isinstance(await desk.state(message), Unknown)
    await desk.later(minutes=9)
    assert len(desk.meta.ledger) == 1
    await desk.later(minutes=2)
    assert len(desk.meta.ledger) == 2
    for _ in range(3):
        await desk.later(minutes=30)
    assert len(desk.meta.ledger) == 2
    state = await desk.state(message)
    # Nobody knows of either copy: it ends where people see it, and is not sent a third time.
    assert isinstance(state, Failed)
    assert state.reason == "no-outcome"


async def test_a_report_resolves_an_unknown_outcome_without_a_resend(desk: Desk) -> None:
    message = await desk.queue()
    desk.meta.answers.append(HANG)
    await desk.later()
    await desk.reports.whatsapp(Status(message, "wamid.9", "sent", 0))
    await desk.later(minutes=30)
    state = await desk.state(message)
    assert isinstance(state, Sent)
    assert (state.provider_id, len(desk.meta.ledger)) == ("wamid.9", 1)


async def test_a_process_that_died_in_a_call_leaves_an_unknown_outcome(desk: Desk) -> None:
    message = await desk.queue()
    desk.channels["whatsapp"] = _Dying()
    await desk.later()
    assert isinstance(await desk.state(message), Sending)
    desk.channels["whatsapp"] = WhatsApp(client(desk.meta.address), PHONE_ID, TOKEN)
    restarted = desk.another()
    await restarted.later(seconds=30)
    assert isinstance(await desk.state(message), Sending)
    await restarted.later(seconds=31)
    assert isinstance(await desk.state(message), Unknown)
    await restarted.later(minutes=10)
    assert isinstance(await desk.state(message), Sent)
    assert len(desk.meta.ledger) == 1


async def test_a_call_that_takes_its_time_holds_up_no_other_application(desk: Desk) -> None:
    desk.channels["whatsapp"] = WhatsApp(client(desk.meta.address), PHONE_ID, TOKEN)
    slow = await desk.queue(application_id=new_id())
    desk.meta.answers = [HANG]
    await desk.project()
    running = asyncio.create_task(desk.sender.run())
    await until(lambda: _received(desk, 1), what="the first call")
    fast = await desk.queue(application_id=new_id())
    await desk.project()
    desk.sender.wake()
    await until(lambda: _is_sent(desk, fast), seconds=4, what="the second message")
    assert isinstance(await desk.state(slow), Sending)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _received(desk: Desk, count: int) -> bool:
    return len(desk.meta.ledger) == count


async def _is_sent(desk: Desk, message: str) -> bool:
    return isinstance(await desk.state(message), Sent)


async def test_a_second_unknown_outcome_fails_and_a_late_report_is_believed(desk: Desk) -> None:
    given_up, late = await desk.queue(rule="bill"), await desk.queue(rule="bill")
    desk.meta.answers = [HANG] * 4
    await desk.later()
    await desk.later(minutes=10)
    await desk.later(minutes=9)
    assert isinstance(await desk.state(given_up), Unknown)
    await desk.later(minutes=1)
    for message in (given_up, late):
        state = await desk.state(message)
        assert isinstance(state, Failed)
        assert state.reason == "no-outcome"
    assert (len(desk.meta.ledger), len(desk.gateway.ledger)) == (4, 0)
    await desk.reports.whatsapp(Status(late, "wamid.2", "delivered", 0))
    assert isinstance(await desk.state(late), Delivered)
    await desk.reports.whatsapp(Status(given_up, "wamid.1", "failed", 131026))
    assert isinstance(await desk.state(given_up), Failed)


async def test_a_process_may_die_in_the_first_call_of_each_channel(desk: Desk) -> None:
    message = await desk.queue(rule="bill")
    sms, desk.channels["sms"] = desk.channels["sms"], _Dying()
    whatsapp, desk.channels["whatsapp"] = desk.channels["whatsapp"], _Dying()
    await desk.later()
    desk.channels["whatsapp"] = whatsapp
    await desk.later(minutes=1)
    desk.meta.answers = [131026]
    # The resend is refused, and the process dies in the first call of the other channel.
    await desk.later(minutes=10)
    await desk.later()
    assert isinstance(await desk.state(message), Sending)
    desk.channels["sms"] = sms
    await desk.later(minutes=1)
    assert isinstance(await desk.state(message), Unknown)
    await desk.later(minutes=10)
    state = await desk.state(message)
    assert isinstance(state, Sent)
    assert (state.channel, len(desk.meta.ledger), len(desk.gateway.ledger)) == ("sms", 1, 1)


class _Dying:
    """A channel in whose call the process ends."""

    name = "whatsapp"

    async def send(self, message: Outgoing) -> Result:
        raise MemoryError


async def test_an_alert_overtaken_by_events_is_not_sent(desk: Desk) -> None:
    overdue = StageOverdue(
        application_id=APPLICATION, office="bogor", stage="verify", due_at="2026-01-05T09:00:00Z"
    )
    first = await desk.happened(overdue)
    alert = {"rule": "overdue-officer", "template": "overdue"}
    values = {"number": "BGR-2026-000042", "permit": "SITU", "due": "kemarin"}
    true = await desk.queue(**alert, parameters=values, cause=first.event_id)
    await desk.later()
    assert isinstance(await desk.state(true), Sent)
    await desk.happened(StageCompleted(application_id=APPLICATION, stage="verify"))
    late = await desk.queue(**alert, parameters=values, cause=first.event_id)
    news = await desk.queue(cause=first.event_id)
    await desk.later()
    assert isinstance(await desk.state(late), Superseded)
    assert isinstance(await desk.state(news), Sent)


async def test_reports_in_any_order_and_any_number_end_in_read(desk: Desk) -> None:
    message = await desk.queue()
    await desk.later()
    for status in ("delivered", "sent", "read", "delivered", "failed", "sent", "read"):
        await desk.reports.whatsapp(Status(message, "wamid.1", status, 0))
    assert isinstance(await desk.state(message), Read)
    told = await desk.types(message)
    assert (told.count("MessageDelivered"), told.count("MessageRead")) == (1, 1)


async def test_a_report_finds_its_message_by_the_providers_id(desk: Desk) -> None:
    message = await desk.queue()
    await desk.later()
    await desk.reports.whatsapp(Status("", "wamid.1", "delivered", 0))
    assert isinstance(await desk.state(message), Delivered)


async def test_a_late_refusal_by_whatsapp_brings_an_sms(desk: Desk) -> None:
    message = await desk.queue(rule="bill")
    await desk.later()
    for _ in range(2):
        await desk.reports.whatsapp(Status(message, "wamid.1", "failed", 131026))
    await desk.later()
    state = await desk.state(message)
    assert isinstance(state, Sent)
    assert (state.channel, len(desk.gateway.ledger)) == ("sms", 1)


async def test_the_gateways_reports(desk: Desk) -> None:
    arrived, refused = [await desk.queue(channel="sms", rule="payment") for _ in range(2)]
    await desk.later()
    for kind in (BUFFERED, ACCEPTED, DELIVERED, REFUSED):
        await desk.reports.kannel(arrived, kind)
    await desk.reports.kannel(refused, REFUSED)
    assert isinstance(await desk.state(arrived), Delivered)
    assert isinstance(await desk.state(refused), Failed)


async def test_a_report_about_nobody_is_passed_over(desk: Desk) -> None:
    head = await desk.kernel.store.head()
    for message in ("", "nobody", "0f1e2d3c-1111-5222-8333-444455556667"):
        await desk.reports.whatsapp(Status(message, "wamid.77", "failed", 131026))
        await desk.reports.kannel(message, DELIVERED)
    assert await desk.kernel.store.head() == head


async def test_a_channel_that_was_taken_away_is_passed_over(desk: Desk) -> None:
    message = await desk.queue(rule="bill")
    del desk.channels["whatsapp"]
    await desk.later()
    await desk.later()
    state = await desk.state(message)
    assert isinstance(state, Sent)
    assert state.channel == "sms"


async def test_a_wording_that_was_taken_away_fails_and_holds_nobody_up(desk: Desk) -> None:
    gone, fine = await desk.queue(template="gone"), await desk.queue()
    await desk.later()
    assert isinstance(await desk.state(gone), Failed)
    assert isinstance(await desk.state(fine), Sent)
