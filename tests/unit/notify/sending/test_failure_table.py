"""The failure table, row by row: sender, real HTTP, recorded events, and what the person got.

Every test is named after its row. ``got`` is the ledger of all providers: what reached the person
or may have.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.notify.channels.http import client
from services.notify.channels.kannel import REFUSED
from services.notify.channels.twilio import Twilio
from services.notify.channels.whatsapp import Status, WhatsApp
from services.notify.message import Failed, Queued, Sent, Unknown
from services.notify.people.contact import allows
from services.notify.traffic.circuit import Open, Trouble
from shared.database import Transaction
from tests.unit.notify.desk import TEMPLATES, Desk, desk_in
from tests.unit.notify.standins import (
    ACCOUNT,
    HANG,
    HANG_UP,
    PHONE_ID,
    SERVER_ERROR,
    TOKEN,
    StandIn,
    closed_address,
    serving,
    twilio_app,
)

NUMBER, OTHER = "+6281234567890", "+6281234567891"
PAUSING = (0, 190, 10, 200, 250, 299, 368, 131031, 131042, 131048)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def with_twilio(folder: Path) -> AsyncIterator[tuple[Desk, StandIn]]:
    """Open a desk whose only SMS provider is Twilio."""
    async with desk_in(folder, ("whatsapp",)) as desk, serving(twilio_app) as stand_in:
        http = client(stand_in.address)
        http.timeout = httpx.Timeout(0.4, connect=5.0)
        desk.channels["twilio"] = Twilio(
            http,
            account=ACCOUNT,
            token=TOKEN,
            sender="+15005550006",
            reports="http://jejak.example",
        )
        yield desk, stand_in


def got(desk: Desk) -> tuple[int, int]:
    """Return how many messages WhatsApp and the SMS gateway received."""
    return len(desk.meta.ledger), len(desk.gateway.ledger)


async def reason_of(desk: Desk, message: str) -> str:
    """Return why a message fell back or failed, as pages show it."""
    rows = await desk.database.query(
        "SELECT reason FROM messages_2 WHERE message_id = ?", (message,)
    )
    return str(rows[0][0])


async def arrives(desk: Desk, message: str, channel: str) -> None:
    """Expect that the message is taken by ``channel`` with the next looks."""
    for _ in range(3):
        await desk.later()
    state = await desk.state(message)
    assert isinstance(state, Sent)
    assert state.channel == channel


# connection refused, DNS | retry with backoff and jitter


@pytest.mark.parametrize("address", ["refused", "http://nobody.invalid"])
async def test_connection_refused_or_dns_is_tried_again(desk: Desk, address: str) -> None:
    http = client(closed_address() if address == "refused" else address)
    desk.channels["whatsapp"] = WhatsApp(http, PHONE_ID, TOKEN)
    message = await desk.queue(rule="bill")
    waits = []
    for _ in range(3):
        await desk.later(minutes=20)
        state = await desk.state(message)
        assert isinstance(state, Queued)
        assert state.not_before is not None
        waits.append(state.not_before - desk.time)
    assert waits[0] < waits[1] < waits[2]
    desk.channels["whatsapp"] = WhatsApp(client(desk.meta.address), PHONE_ID, TOKEN)
    await desk.later(minutes=20)
    await arrives(desk, message, "whatsapp")
    assert got(desk) == (1, 0)


async def test_many_calls_in_a_row_that_reach_nobody_send_the_rest_by_sms(desk: Desk) -> None:
    desk.channels["whatsapp"] = WhatsApp(client(closed_address()), PHONE_ID, TOKEN)
    messages = [await desk.queue(rule="bill") for _ in range(5)]
    await desk.later()
    found = desk.gate.circuits.open("whatsapp")
    assert found is not None
    assert found.trouble is Trouble.UNREACHABLE
    late = await desk.queue(rule="bill")
    await arrives(desk, late, "sms")
    # What was tried before is due again while nobody can be reached.
    await desk.later(seconds=20)
    for message in messages:
        await arrives(desk, message, "sms")


# read time-out, 5xx, crash mid-call | unknown


@pytest.mark.parametrize("fault", [HANG, HANG_UP, SERVER_ERROR])
@pytest.mark.parametrize("channel", ["whatsapp", "sms"])
async def test_read_time_out_or_5xx_is_unknown_and_never_sent_blindly(
    desk: Desk, channel: str, fault: str
) -> None:
    stand_in = desk.meta if channel == "whatsapp" else desk.gateway
    stand_in.answers.append(fault)
    message = await desk.queue(rule="bill", channel=channel)
    await desk.later()
    assert isinstance(await desk.state(message), Unknown)
    await desk.later(minutes=9)
    assert len(stand_in.ledger) == 1
    # After the window it is sent once more, on record as possibly the second copy.
    await desk.later(minutes=2)
    assert len(stand_in.ledger) == 2
    assert (await desk.types(message)).count("MessageOutcomeUnknown") == 1
    assert isinstance(await desk.state(message), Sent)


async def test_a_late_status_settles_an_unknown_outcome(desk: Desk) -> None:
    desk.meta.answers.append(HANG)
    message = await desk.queue(rule="bill")
    await desk.later()
    for status in ("delivered", "sent", "delivered"):
        await desk.reports.whatsapp(Status(message, "wamid.late", status, 0))
    await desk.later(minutes=30)
    assert got(desk) == (1, 0)
    assert (await desk.types(message))[-1] == "MessageDelivered"


# WA 130429, 4, 80007, 2, 131016 | retry; throttle the number


@pytest.mark.parametrize("code", [130429, 4, 80007, 2, 131016])
async def test_wa_limit_is_tried_again_and_holds_the_number(desk: Desk, code: int) -> None:
    desk.meta.answers.append(code)
    message = await desk.queue(rule="bill")
    await desk.later()
    other = await desk.queue(rule="bill", recipient=OTHER)
    await desk.later(seconds=1)
    assert got(desk) == (1, 0)
    found = desk.gate.circuits.open("whatsapp")
    assert found is not None
    assert (found.trouble, found.reason) == (Trouble.THROTTLED, str(code))
    # An SMS is not held up, and nobody is sent one instead.
    sms = await desk.queue(rule="payment", channel="sms")
    await desk.later()
    assert isinstance(await desk.state(sms), Sent)
    await desk.later(seconds=120)
    await desk.later()
    for each in (message, other):
        await arrives(desk, each, "whatsapp")
    assert got(desk) == (3, 1)
    assert desk.gate.closed("whatsapp")


async def test_wa_limit_by_a_late_status_is_tried_again_too(desk: Desk) -> None:
    message = await desk.queue(rule="bill")
    await desk.later()
    await desk.reports.whatsapp(Status(message, "wamid.1", "failed", 130429))
    await desk.later()
    assert isinstance(await desk.state(message), Queued)
    await desk.later(seconds=30)
    await arrives(desk, message, "whatsapp")
    assert got(desk) == (2, 0)


# WA 131056 | retry this recipient only, >= 6 s growing


async def test_wa_131056_rests_this_recipient_only_and_ever_longer(desk: Desk) -> None:
    message = await desk.queue(rule="bill")
    waits = []
    for _ in range(2):
        desk.meta.answers.append(131056)
        await desk.later()
        state = await desk.state(message)
        assert isinstance(state, Queued)
        assert state.not_before is not None
        waits.append((state.not_before - desk.time).total_seconds())
        other = await desk.queue(recipient=OTHER)
        await desk.later()
        assert isinstance(await desk.state(other), Sent)
        desk.time = state.not_before - timedelta(seconds=1)
        same = await desk.queue(not_before=state.not_before - timedelta(seconds=1))
        await desk.later()
        assert isinstance(await desk.state(same), Queued)
        await desk.supersede(same)
        # The pace counts seconds as a float, whose last digit may be late by less than this.
        desk.time = state.not_before + timedelta(milliseconds=1)
    assert waits[0] >= 6.0
    assert waits[1] >= 12.0
    await arrives(desk, message, "whatsapp")
    assert got(desk)[1] == 0


# WA 131026, 130472 | permanent here -> SMS


@pytest.mark.parametrize("code", [131026, 130472])
@pytest.mark.parametrize("late", [False, True], ids=["answer", "status"])
async def test_wa_permanent_goes_by_sms(desk: Desk, code: int, late: bool) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, code, late=late)
    await arrives(desk, message, "sms")
    assert got(desk) == (1, 1)
    assert await reason_of(desk, message) == str(code)


async def refuse(desk: Desk, message: str, code: int, *, late: bool) -> None:
    """Let WhatsApp refuse the message, as the answer or by a status afterwards, repeated."""
    if not late:
        desk.meta.answers.append(code)
    await desk.later()
    if late:
        for _ in range(2):
            await desk.reports.whatsapp(Status(message, "wamid.1", "failed", code))
        await desk.project()


# WA 131047 | resend as template


@pytest.mark.parametrize("late", [False, True], ids=["answer", "status"])
async def test_wa_131047_is_sent_again_as_a_template(desk: Desk, late: bool) -> None:
    message = await desk.queue(rule="reply-lost", audience="writer")
    await refuse(desk, message, 131047, late=late)
    assert desk.meta.ledger[0]["type"] == "text"
    assert "BGR-2026-000042" in desk.meta.ledger[0]["text"]["body"]
    await arrives(desk, message, "whatsapp")
    assert [sent["type"] for sent in desk.meta.ledger] == ["text", "template"]
    assert got(desk) == (2, 0)


async def test_wa_131047_about_a_template_goes_by_sms(desk: Desk) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, 131047, late=False)
    await arrives(desk, message, "sms")


# WA 131049 | none for 24 h -> SMS


@pytest.mark.parametrize("late", [False, True], ids=["answer", "status"])
async def test_wa_131049_sends_that_person_sms_for_a_day(desk: Desk, late: bool) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, 131049, late=late)
    await arrives(desk, message, "sms")
    same, other = await desk.queue(rule="bill"), await desk.queue(rule="bill", recipient=OTHER)
    await arrives(desk, same, "sms")
    await arrives(desk, other, "whatsapp")
    assert got(desk) == (2, 2)
    # Another process knows it, and after a day it is over.
    desk = desk.another()
    await desk.later(hours=23)
    evening = await desk.queue(rule="bill")
    await arrives(desk, evening, "sms")
    await desk.later(hours=2)
    tomorrow = await desk.queue(rule="bill")
    await arrives(desk, tomorrow, "whatsapp")


# WA 131050 | record opt-out


@pytest.mark.parametrize("late", [False, True], ids=["answer", "status"])
async def test_wa_131050_is_recorded_as_an_opt_out(desk: Desk, late: bool) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, 131050, late=late)
    assert not allows(await desk.contacts.of(NUMBER), "whatsapp")
    assert allows(await desk.contacts.of(NUMBER), "sms")
    await arrives(desk, message, "sms")
    following = await desk.queue(rule="bill")
    await arrives(desk, following, "sms")
    assert got(desk) == (1, 2)


# WA 132000, 132001, 132005, 132008, 132012 | our bug: park and alert -> SMS


@pytest.mark.parametrize("code", [132000, 132001, 132005, 132008, 132012])
async def test_wa_our_bug_alerts_and_goes_by_sms(desk: Desk, code: int) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, code, late=False)
    await arrives(desk, message, "sms")
    [trouble] = await desk.gate.circuits.template_troubles()
    assert (trouble.template, trouble.reason, trouble.stopped) == (
        desk_template(),
        str(code),
        False,
    )
    # The next one is tried: only some values may be wrong.
    following = await desk.queue(rule="bill")
    await arrives(desk, following, "whatsapp")


def desk_template() -> str:
    """Return the provider's name of the sample message's template."""
    return TEMPLATES.get("registered", 1).whatsapp


# WA 132007, 132015, 132016 | template off: stop it -> SMS


@pytest.mark.parametrize("code", [132007, 132015, 132016])
async def test_wa_template_off_is_stopped_until_people_say_so(desk: Desk, code: int) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, code, late=False)
    await arrives(desk, message, "sms")
    desk = desk.another()
    following = await desk.queue(rule="bill")
    await arrives(desk, following, "sms")
    assert got(desk) == (1, 2)
    [trouble] = await desk.gate.circuits.template_troubles()
    assert (trouble.channel, trouble.reason, trouble.stopped) == ("whatsapp", str(code), True)
    await desk.gate.circuits.use_again("whatsapp", trouble.template)
    again = await desk.queue(rule="bill")
    await arrives(desk, again, "whatsapp")


# WA 0, 190, 10, 200-299, 368, 131031, 131042, 131048 | channel paused, alert -> SMS


@pytest.mark.parametrize("code", PAUSING)
async def test_wa_channel_paused_sends_all_by_sms_without_a_call(desk: Desk, code: int) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, code, late=code == 131031)
    await arrives(desk, message, "sms")
    # A second process, too.
    other = desk.another()
    messages = [await other.queue(rule="bill") for _ in range(3)]
    for each in messages:
        await arrives(other, each, "sms")
    assert got(desk) == (1, 4)
    found = other.gate.circuits.open("whatsapp")
    assert isinstance(found, Open)
    assert (found.trouble, found.reason) == (Trouble.PAUSED, str(code))


async def test_wa_channel_paused_is_probed_once_and_comes_back(desk: Desk) -> None:
    desk.meta.answers += [190, 190]
    first = await desk.queue(rule="bill")
    await desk.later()
    await arrives(desk, first, "sms")
    # The one probe fails: its message goes by SMS like the others.
    probing = [await desk.queue(rule="bill") for _ in range(3)]
    await desk.later(minutes=6)
    for each in probing:
        await arrives(desk, each, "sms")
    assert got(desk) == (2, 4)
    # Somebody renewed the token and says so.
    await desk.gate.circuits.retry("whatsapp")
    probe = await desk.queue(rule="bill")
    await desk.later()
    assert desk.gate.closed("whatsapp")
    await arrives(desk, probe, "whatsapp")
    back = [await desk.queue(rule="bill") for _ in range(3)]
    for each in back:
        await arrives(desk, each, "whatsapp")
    assert got(desk) == (6, 4)


async def test_wa_channel_paused_without_another_channel_waits_and_loses_nothing(
    tmp_path: Path,
) -> None:
    async with desk_in(tmp_path, ("whatsapp",)) as desk:
        desk.meta.answers += [190] * 2
        messages = [await desk.queue(rule="bill") for _ in range(10)]
        await desk.later()
        for _ in range(5):
            await desk.later(seconds=30)
        # All that went out before the answer came, and nothing after it.
        called = len(desk.meta.ledger)
        await desk.later(minutes=6)
        for _ in range(3):
            await desk.later(seconds=2)
        states = [await desk.state(each) for each in messages]
        assert all(isinstance(state, Queued | Sent) for state in states)
        await desk.gate.circuits.retry("whatsapp")
        for _ in range(4):
            await desk.later(minutes=1)
        states = [await desk.state(each) for each in messages]
        assert all(isinstance(state, Sent) for state in states)
        assert called <= 10


# WA 100, 131008, 131009 | permanent, park


@pytest.mark.parametrize("code", [100, 131008, 131009])
async def test_wa_wrong_parameter_is_parked(desk: Desk, code: int) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, code, late=False)
    await desk.later(hours=1)
    state = await desk.state(message)
    assert isinstance(state, Failed)
    assert state.reason == str(code)
    assert got(desk) == (1, 0)


# Twilio 20429 retry; 21211, 21614, 30005, 30006 | bad number: flag it, ask the applicant


async def test_twilio_20429_is_tried_again(tmp_path: Path) -> None:
    async with with_twilio(tmp_path) as (desk, twilio):
        twilio.answers.append(20429)
        message = await desk.queue(rule="permit-ready", channel="twilio")
        await desk.later()
        await desk.later(seconds=1)
        assert len(twilio.ledger) == 1
        await desk.later(seconds=30)
        await arrives(desk, message, "twilio")
        assert (len(twilio.ledger), len(desk.meta.ledger)) == (2, 0)


@pytest.mark.parametrize("code", [21211, 21614, 30005, 30006])
@pytest.mark.parametrize("late", [False, True], ids=["answer", "status"])
async def test_twilio_bad_number_is_flagged(tmp_path: Path, code: int, late: bool) -> None:
    async with with_twilio(tmp_path) as (desk, twilio):
        message = await desk.queue(rule="permit-ready", channel="twilio")
        await refuse_by_twilio(desk, twilio, message, code, late=late)
        await desk.later(hours=1)
        state = await desk.state(message)
        assert isinstance(state, Failed)
        assert await reason_of(desk, message) == str(code)
        assert (len(twilio.ledger), len(desk.meta.ledger)) == (1, 0)


async def refuse_by_twilio(
    desk: Desk, twilio: StandIn, message: str, code: int, *, late: bool
) -> None:
    """Let Twilio refuse the message, as the answer or by a status afterwards."""
    if not late:
        twilio.answers.append(code)
    await desk.later()
    if late:
        await desk.reports.twilio(message, "SM1", "undelivered", code)
    await desk.project()


# Twilio 21610 / 30003 | opted out / retry later


@pytest.mark.parametrize("late", [False, True], ids=["answer", "status"])
async def test_twilio_21610_is_recorded_as_an_opt_out(tmp_path: Path, late: bool) -> None:
    async with with_twilio(tmp_path) as (desk, twilio):
        message = await desk.queue(rule="permit-ready", channel="twilio")
        await refuse_by_twilio(desk, twilio, message, 21610, late=late)
        assert not allows(await desk.contacts.of(NUMBER), "twilio")
        assert allows(await desk.contacts.of(NUMBER), "whatsapp")
        following = await desk.queue(rule="permit-ready", channel="twilio")
        await arrives(desk, following, "whatsapp")
        assert len(twilio.ledger) == 1


async def test_twilio_30003_is_tried_again_later(tmp_path: Path) -> None:
    async with with_twilio(tmp_path) as (desk, twilio):
        message = await desk.queue(rule="permit-ready", channel="twilio")
        await refuse_by_twilio(desk, twilio, message, 30003, late=True)
        await desk.later(minutes=10)
        assert len(twilio.ledger) == 1
        await desk.later(minutes=15)
        await arrives(desk, message, "twilio")
        assert (len(twilio.ledger), len(desk.meta.ledger)) == (2, 0)


# Accounts of the SMS providers


async def test_sms_account_in_trouble_sends_all_by_whatsapp(desk: Desk) -> None:
    desk.gateway.answers.append(403)
    message = await desk.queue(rule="permit-ready", channel="sms")
    await arrives(desk, message, "whatsapp")
    following = await desk.queue(rule="permit-ready", channel="sms")
    await arrives(desk, following, "whatsapp")
    assert got(desk) == (2, 1)


async def test_sms_refused_by_a_report_goes_by_whatsapp(desk: Desk) -> None:
    message = await desk.queue(rule="permit-ready", channel="sms")
    await desk.later()
    for _ in range(2):
        await desk.reports.kannel(message, REFUSED)
    await arrives(desk, message, "whatsapp")
    assert got(desk) == (1, 1)


# Beyond the table


async def test_a_report_that_is_no_news_opens_no_circuit(desk: Desk) -> None:
    message = await desk.queue(rule="bill")
    await desk.later()
    await desk.reports.whatsapp(Status(message, "wamid.1", "read", 0))
    await desk.reports.whatsapp(Status(message, "wamid.1", "failed", 131031))
    assert desk.gate.closed("whatsapp")


async def test_what_a_table_holds_about_people_is_no_number(desk: Desk) -> None:
    message = await desk.queue(rule="bill")
    await refuse(desk, message, 131049, late=False)

    def read(tx: Transaction) -> list[Any]:
        return tx.execute("SELECT * FROM held_recipients")

    [row] = await desk.database.transaction(read)
    assert NUMBER[1:] not in str(row)


async def test_two_processes_probe_once(desk: Desk) -> None:
    desk.meta.answers += [190]
    await desk.queue(rule="bill")
    await desk.later()
    desk.time += timedelta(minutes=6)
    desks = [desk, desk.another(), desk.another()]
    for each in desks:
        await each.gate.circuits.refresh()
    claimed = await asyncio.gather(*(each.gate.circuits.claim("whatsapp") for each in desks))
    assert sorted(claimed) == [False, False, True]
