"""What comes to be due at night waits for the morning, unless its rule is urgent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.notify.channels import Outgoing, Result
from services.notify.channels import Sent as Taken
from services.notify.channels.whatsapp import Status
from services.notify.message import DECIDER, QUIET_HOURS, Queued, Sent
from services.notify.message.commands import HoldMessage, ReleaseMessage
from services.notify.message.states import UNHEARD_OF
from services.notify.sending.outcomes import WRITER
from shared.contracts.notify import MessageDeferred, MessageDelivered, MessageOutcomeUnknown
from tests.spec import START, at, given
from tests.unit.notify.desk import Desk, desk_in
from tests.unit.notify.samples import ATTEMPTED, BY, IDS, QUEUED, delivered
from tests.unit.notify.standins import HANG_UP

# START is eight o'clock in the morning at the office (WIB).
NIGHT, MORNING = timedelta(hours=14), datetime(2026, 1, 5, 23, 0, tzinfo=UTC)
LOST = MessageOutcomeUnknown(**IDS, attempt=1)


def hold(until: datetime) -> HoldMessage:
    return HoldMessage(not_before=until, now=START, by=BY)


def held(until: datetime, reason: str = QUIET_HOURS) -> MessageDeferred:
    return MessageDeferred(**IDS, reason=reason, not_before=until.isoformat())


def test_a_waiting_message_is_held_once_and_never_shorter() -> None:
    until = at(hours=10)
    given(DECIDER, QUEUED).when(hold(until)).then(held(until)).again().then_nothing()
    given(DECIDER, QUEUED, held(until)).when(hold(at(hours=9))).then_nothing()


def test_a_call_under_way_is_not_held() -> None:
    given(DECIDER, QUEUED, ATTEMPTED).when(hold(at(hours=10))).then_nothing()


def test_what_was_held_was_never_called_out() -> None:
    state = given(DECIDER, QUEUED, held(at(hours=10))).state
    assert isinstance(state, Queued)
    assert state.untouched


def test_the_second_copy_of_one_that_nobody_knows_of_is_held_once_and_stays_the_last() -> None:
    until = at(hours=10)
    waiting = held(until, UNHEARD_OF)
    given(DECIDER, QUEUED, ATTEMPTED, LOST).when(hold(until)).then(waiting).again().then_nothing()
    story = given(DECIDER, QUEUED, ATTEMPTED, LOST, waiting)
    assert isinstance(story.state, Queued)
    assert story.state.resent
    assert not story.state.untouched
    again = (replace(ATTEMPTED, attempt=2), replace(LOST, attempt=2))
    given(DECIDER, QUEUED, ATTEMPTED, LOST, waiting, *again).when(hold(until)).then_nothing()


def test_a_report_that_comes_by_night_ends_what_is_held() -> None:
    waiting = held(at(hours=10), UNHEARD_OF)
    arrived = MessageDelivered(**IDS)
    given(DECIDER, QUEUED, ATTEMPTED, LOST, waiting).when(delivered()).then(arrived)


async def waits_for_the_morning(desk: Desk, message_id: str, channel: str) -> None:
    state = await desk.state(message_id)
    assert isinstance(state, Queued)
    assert (state.channel, state.not_before) == (channel, MORNING)


@pytest.mark.parametrize(("rule", "called"), [("registered", 0), ("payment", 1)])
async def test_what_a_provider_put_off_into_the_night(
    tmp_path: Path, rule: str, called: int
) -> None:
    async with desk_in(tmp_path) as desk:
        message_id = await desk.queue(rule=rule)
        desk.meta.answers.append(130429)
        await desk.later(hours=12, minutes=59)
        assert len(desk.meta.ledger) == 1
        await desk.later(hours=1, minutes=1)
        assert desk.time == START + NIGHT
        assert len(desk.meta.ledger) == 1 + called
        if not called:
            await waits_for_the_morning(desk, message_id, "whatsapp")
            await desk.later(hours=7, minutes=59)
            assert len(desk.meta.ledger) == 1
            await desk.later(minutes=1)
            assert len(desk.meta.ledger) == 2


@pytest.mark.parametrize(("rule", "rings"), [("registered", False), ("payment", True)])
async def test_what_falls_back_at_night(tmp_path: Path, rule: str, rings: bool) -> None:
    async with desk_in(tmp_path) as desk:
        message_id = await desk.queue(rule=rule)
        await desk.later(hours=12, minutes=59)
        assert len(desk.meta.ledger) == 1
        # Meta took it by day; that it can't be delivered is heard at night.
        desk.time += timedelta(minutes=30)
        await desk.reports.whatsapp(Status(message_id, "wamid.1", "failed", 131026))
        await desk.later()
        assert len(desk.gateway.ledger) == int(rings)
        if not rings:
            await waits_for_the_morning(desk, message_id, "sms")
            desk.time = MORNING
            await desk.later()
            assert len(desk.gateway.ledger) == 1


async def test_what_waited_for_a_closed_channel_until_night(tmp_path: Path) -> None:
    async with desk_in(tmp_path, ("whatsapp",)) as desk:
        message_id = await desk.queue()
        desk.meta.answers.append(190)
        await desk.later(hours=12, minutes=59)
        assert desk.gate.circuits.open("whatsapp") is not None
        await desk.later(hours=2)
        await waits_for_the_morning(desk, message_id, "whatsapp")
        assert len(desk.meta.ledger) == 1
        # Something urgent finds out that the channel is back; this one does not follow it.
        urgent = await desk.queue(rule="payment")
        await desk.later()
        assert isinstance(await desk.state(urgent), Sent)
        await desk.later(minutes=10)
        assert len(desk.meta.ledger) == 2


async def test_one_that_is_released_at_night_waits_for_the_same_morning_again(
    tmp_path: Path,
) -> None:
    async with desk_in(tmp_path) as desk:
        message_id = await desk.queue()
        await desk.later(hours=14)
        await waits_for_the_morning(desk, message_id, "whatsapp")
        await desk.give(message_id, ReleaseMessage(not_before=desk.time, now=desk.time, by=BY))
        await desk.later(minutes=1)
        await waits_for_the_morning(desk, message_id, "whatsapp")
        assert desk.meta.ledger == []


@pytest.mark.parametrize(
    "changes",
    [
        {"audience": WRITER, "rule": "reply-status"},
        {"resend_of": "0f1e2d3c-1111-5222-8333-444455556667"},
        {"channel": "outbox"},
    ],
    ids=["an answer", "sent anew by hand", "the outbox"],
)
async def test_what_a_person_waits_for_and_what_rings_nowhere_goes_out_at_night(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    async with desk_in(tmp_path) as desk:
        desk.time += NIGHT
        message_id = await desk.queue(**changes)
        await desk.later()
        assert isinstance(await desk.state(message_id), Sent)


class Mailbox:
    """Takes e-mails."""

    name = "email"

    def __init__(self) -> None:
        self.got: list[Outgoing] = []

    async def send(self, message: Outgoing) -> Result:
        self.got.append(message)
        return Taken("mail-1")


async def test_an_e_mail_rings_nowhere_and_is_not_held(tmp_path: Path) -> None:
    async with desk_in(tmp_path) as desk:
        mailbox = Mailbox()
        desk.channels["email"] = mailbox
        desk.time += NIGHT
        # The same rule is held where it would ring.
        sms = await desk.queue(rule="received-mail", channel="sms")
        mail = await desk.queue(rule="received-mail", channel="email", recipient="p@example.org")
        await desk.later()
        assert len(mailbox.got) == 1
        assert isinstance(await desk.state(mail), Sent)
        await waits_for_the_morning(desk, sms, "sms")


async def test_an_unknown_one_is_sent_once_more_in_the_morning(tmp_path: Path) -> None:
    async with desk_in(tmp_path) as desk:
        message_id = await desk.queue()
        desk.meta.answers.append(HANG_UP)
        await desk.later(hours=12, minutes=58)
        await desk.later(minutes=20)
        await waits_for_the_morning(desk, message_id, "whatsapp")
        desk.time = MORNING
        await desk.later()
        assert len(desk.meta.ledger) == 2
