"""What is told at once, what waits for the morning, and what waits for others of its kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notify.people.recipients import Directory
from services.notify.reactions import Reactions
from services.notify.rulebook.quiet import Nights
from shared.contracts.intake import Applicant, ApplicationRegistered, ApplicationSubmitted
from shared.contracts.notify import MessageQueued
from shared.contracts.payment import PaymentReversed
from shared.contracts.workflow import StageOverdue, StallEscalated
from shared.events import to_micros
from shared.handle import Handler
from shared.ids import new_id
from tests.examples import example
from tests.unit.notify.desk import RULES, TEMPLATES, Desk, desk_in
from tests.unit.notify.samples import APPLICATION, BY

NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
MORNING = datetime(2026, 11, 23, 23, tzinfo=UTC)
SUBMITTED = example(
    ApplicationSubmitted,
    application_id=APPLICATION,
    office="bogor",
    permit_type="situ",
    permit_version=1,
    applicant=Applicant(
        name="Pemohon Contoh", nik="3271046504930002", phone="+6281234567890", language="id"
    ),
)
STALL: dict[str, Any] = {"application_id": APPLICATION, "office": "bogor", "stage": "verify"}
OVERDUE = StageOverdue(**STALL, due_at="2026-11-23T09:00:00+00:00", assignee="verifikator")
OFFICER, SUPERVISOR, HEAD = "+6281100000002", "+6281200000001", "+6281200000002"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as opened:
        yield opened


def reactions(desk: Desk, available: frozenset[str]) -> Reactions:
    kernel = desk.kernel
    return Reactions(
        Handler(kernel.store, kernel.codec),
        RULES,
        TEMPLATES,
        Directory(kernel.store, kernel.codec, kernel.catalogue, kernel.accounts),
        desk.contacts,
        available,
        lambda: desk.time,
        nights=Nights(RULES.quiet_hours, kernel.catalogue.offices),
    )


async def queued(
    desk: Desk,
    event: Any,
    at: datetime,
    available: frozenset[str] = frozenset({"whatsapp", "sms"}),
) -> list[MessageQueued]:
    """Let ``event`` happen at ``at``; return what was queued about it."""
    kernel, desk.time = desk.kernel, at
    envelope = kernel.codec.envelope(
        SUBMITTED, new_id(), to_micros(at), "test", new_id(), APPLICATION
    )
    await kernel.store.append(f"application-{APPLICATION}", [envelope])
    recorded = await desk.happened(event)
    before = await kernel.store.head()
    await reactions(desk, available).on_event(event, recorded)
    new = await kernel.store.read_all(before)
    return [kernel.codec.decode(one) for one in new]


REGISTERED = example(ApplicationRegistered, application_id=APPLICATION, office="bogor")
REVERSED = example(PaymentReversed, application_id=APPLICATION)
ESCALATED = StallEscalated(**STALL, stall_id="s1", to="head")


@pytest.mark.parametrize(
    ("event", "at", "waits_until"),
    [
        (REGISTERED, NOON, ""),
        (REGISTERED, NIGHT, MORNING.isoformat()),
        (SUBMITTED, NIGHT, ""),
        (REVERSED, NIGHT, ""),
        (ESCALATED, NIGHT, ""),
    ],
    ids=["by day", "by night", "an answer", "a reversal", "an escalation"],
)
async def test_what_can_wait_is_told_in_the_morning(
    desk: Desk, event: Any, at: datetime, waits_until: str
) -> None:
    (message,) = await queued(desk, event, at)
    assert message.not_before == waits_until
    assert message.digest == ""


async def test_a_message_of_the_night_is_sent_in_the_morning_and_not_before(desk: Desk) -> None:
    (message,) = await queued(desk, REGISTERED, NIGHT)
    await desk.later(hours=6, minutes=29)
    assert desk.meta.ledger == []
    await desk.later(minutes=1)
    (sent,) = desk.meta.ledger
    assert sent["biz_opaque_callback_data"] == message.message_id


async def test_alerts_wait_for_others_to_the_same_person(desk: Desk) -> None:
    told = {one.recipient: one for one in await queued(desk, OVERDUE, NOON)}
    soon = (NOON + timedelta(minutes=5)).isoformat()
    assert {name: one.digest for name, one in told.items()} == {
        OFFICER: "stalls",
        SUPERVISOR: "stalls-watched",
    }
    assert {one.not_before for one in told.values()} == {soon}


async def test_a_window_that_ends_in_quiet_hours_ends_with_them(desk: Desk) -> None:
    told = await queued(desk, OVERDUE, datetime(2026, 11, 23, 13, 57, tzinfo=UTC))
    assert {one.not_before for one in told} == {MORNING.isoformat()}


async def test_the_outbox_rings_nowhere_and_keeps_nothing_back(desk: Desk) -> None:
    told = await queued(desk, OVERDUE, NIGHT, frozenset())
    assert {(one.channel, one.not_before, one.digest) for one in told} == {("outbox", "", "")}


async def test_a_persons_own_wish_comes_first(desk: Desk) -> None:
    desk.time = NOON
    await desk.contacts.prefer(SUPERVISOR, channel="sms", language="en", by=BY, cause=new_id())
    told = {one.recipient: one for one in await queued(desk, OVERDUE, NOON)}
    message = told[SUPERVISOR]
    assert (message.language, message.channel) == ("en", "sms")
    assert message.parameters["due"] == "23 November 2026, 16:00 WIB"


async def test_the_same_event_is_queued_once(desk: Desk) -> None:
    await queued(desk, OVERDUE, NOON)
    kernel = desk.kernel
    recorded = (await kernel.store.read_stream(f"permit-{APPLICATION}"))[-1]
    head = await kernel.store.head()
    for later in (NOON, NIGHT):
        desk.time = later
        await reactions(desk, frozenset({"sms"})).on_event(OVERDUE, recorded)
    assert await kernel.store.head() == head
