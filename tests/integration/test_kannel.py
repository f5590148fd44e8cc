"""The same messages through a real Kannel, with delivery reports, and killed in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.parts import free_port
from services.notify.channels.sms import ReportSigner
from services.notify.webhooks import INCOMING
from shared.contracts.intake import ApplicationSubmitted
from shared.ids import derived_id
from shared.settings import kept_secret
from tests.examples import example
from tests.kannel import NOWHERE, PASSWORD, USER, Kannel
from tests.running import Office, running_office, settings_in, until

# What Kannel puts into the address for an SMS that arrived, as the office's guide has it.
ARRIVING = "sender=%p&text=%b&charset=%C&time=%t&id=%I&smsc=%i"

pytestmark = [pytest.mark.kannel, pytest.mark.timeout(300)]


@pytest.fixture
def port() -> int:
    """Where the office listens, which the gateway must know before."""
    return free_port()


@pytest.fixture
def gateway(tmp_path: Path, port: int) -> Iterator[Kannel]:
    signer = ReportSigner(kept_secret(tmp_path / "data" / "secrets", "reports"))
    address = signer.address(f"http://127.0.0.1:{port}", "kannel", INCOMING)
    with Kannel(tmp_path / "kannel", f"{address}&{ARRIVING}") as running:
        yield running


@pytest.fixture
async def office(tmp_path: Path, gateway: Kannel, port: int) -> AsyncIterator[Office]:
    settings = settings_in(
        tmp_path / "data",
        port=port,
        notify_url=f"http://127.0.0.1:{port}",
        kannel_url=gateway.address,
        kannel_user=USER,
        kannel_password=PASSWORD,
    )
    async with running_office(settings, ["notify"]) as running:
        yield running


async def submit(office: Office, number: int, phone: str = "") -> None:
    """Let an application come in, which its applicant is told of."""
    application = derived_id("case", "kannel", number)
    submitted = example(ApplicationSubmitted, application_id=application)
    phone = phone or f"+62812000{number:05d}"
    submitted = replace(submitted, applicant=replace(submitted.applicant, phone=phone))
    await office.happened(f"application-{application}", submitted, application=application)


async def states(office: Office) -> list[str]:
    rows = await office.running.databases["notify"].query("SELECT state FROM messages_2")
    return sorted(state for (state,) in rows)


def all_are(office: Office, state: str, count: int) -> Callable[[], Awaitable[bool]]:
    """Return a condition: there are ``count`` messages, all of them in ``state``."""

    async def holds() -> bool:
        return await states(office) == [state] * count

    return holds


async def received(gateway: Kannel, count: int) -> list[tuple[str, str, str]]:
    """Return what reached the centre once it is so many; its log lags a little."""
    found = gateway.received()
    return found if len(found) >= count else []


async def test_a_message_goes_out_and_its_report_comes_back(
    office: Office, gateway: Kannel
) -> None:
    await submit(office, 1)

    async def delivered() -> bool:
        return await states(office) == ["delivered"]

    await until(delivered, seconds=20, what="the delivery report")
    ((sender, to, text),) = await until(lambda: received(gateway, 1), what="the message")
    assert (sender, to) == ("JEJAK", "+6281200000001")
    assert "BGR-2026-000042" in text


async def test_nothing_is_lost_or_sent_twice_when_the_gateway_is_killed(
    office: Office, gateway: Kannel
) -> None:
    for number in range(10):
        await submit(office, number)
    await asyncio.sleep(0.3)
    gateway.kill()
    for number in range(10, 20):
        await submit(office, number)
    await asyncio.sleep(1)
    gateway.start()

    async def settled() -> bool:
        found = await states(office)
        return len(found) == 20 and set(found) <= {"sent", "delivered", "unknown"}

    # A gateway that nobody reaches is left alone for half a minute, its messages for a whole one.
    await until(settled, seconds=90, what="every message")
    # A call that the kill cut off is unknown: it may have arrived, and is not sent blindly.
    certain = 20 - (await states(office)).count("unknown")
    arrived = await until(lambda: received(gateway, certain), seconds=20, what="the rest")
    assert len({to for _, to, _ in arrived}) >= certain
    attempts = await office.running.databases["notify"].query(
        "SELECT COUNT(*) FROM messages_2 WHERE resent = 1"
    )
    assert attempts == [(0,)]


async def test_each_kind_of_report_moves_the_message_that_it_is_about(
    office: Office, gateway: Kannel
) -> None:
    await submit(office, 1)
    await submit(office, 2, phone=f"{NOWHERE}0000001")

    async def both() -> bool:
        return await states(office) == ["delivered", "failed"]

    await until(both, seconds=30, what="both reports")
    rows = await office.running.databases["notify"].query(
        "SELECT reason FROM messages_2 WHERE state = 'failed'"
    )
    # 16: the gateway itself refused it. The other one's reports were 8 (taken) and 1 (delivered).
    assert rows == [("dlr-16",)]
    ((_, to, _),) = await until(lambda: received(gateway, 1), what="the message")
    assert to == "+6281200000001"


async def test_reports_that_were_awaited_survive_a_killed_gateway(
    tmp_path: Path, gateway: Kannel, office: Office
) -> None:
    gateway.kill()
    gateway.start_boxes()
    for number in range(5):
        await submit(office, number)
    # Taken and kept by the gateway, for there is no way to the network.
    await until(all_are(office, "sent", 5), seconds=30, what="the gateway's yes")
    gateway.kill()
    gateway.start()
    await until(all_are(office, "delivered", 5), seconds=60, what="the reports")
    arrived = await until(lambda: received(gateway, 5), seconds=20, what="the messages")
    assert sorted(to for _, to, _ in arrived) == [f"+62812000{n:05d}" for n in range(5)]


async def test_a_dead_smsbox_delays_and_loses_nothing(office: Office, gateway: Kannel) -> None:
    await submit(office, 0)
    await until(all_are(office, "delivered", 1), seconds=30, what="the first message")
    gateway.kill_smsbox()
    for number in range(1, 6):
        await submit(office, number)
    await asyncio.sleep(1)
    assert len(gateway.received()) == 1
    gateway.start_smsbox()
    # Nobody took the calls, so they were certainly not sent and are simply made again.
    await until(all_are(office, "delivered", 6), seconds=90, what="the others")
    arrived = await until(lambda: received(gateway, 6), seconds=20, what="the messages")
    assert sorted(to for _, to, _ in arrived) == [f"+62812000{n:05d}" for n in range(6)]
    attempts = await office.running.databases["notify"].query(
        "SELECT COUNT(*) FROM messages_2 WHERE resent = 1"
    )
    assert attempts == [(0,)]


async def test_a_telephone_says_stop_and_start_and_is_believed(
    office: Office, gateway: Kannel
) -> None:
    phone = "+6281200000001"
    await submit(office, 1)
    await until(all_are(office, "delivered", 1), seconds=30, what="the first message")
    gateway.arrives(phone, "1234", "Berhenti")
    await until(said(gateway, phone, "MULAI"), seconds=30, what="the confirmation of STOP")
    await submit(office, 2, phone)
    await submit(office, 9)
    await until(said(gateway, "+6281200000009", "BGR-", 1), seconds=30, what="the others' news")
    assert len([1 for _, to, _ in gateway.received() if to == phone]) == 2
    gateway.arrives(phone, "1234", "mulai")
    await until(said(gateway, phone, "lagi", 3), seconds=30, what="the confirmation of MULAI")
    await submit(office, 3, phone)
    await until(said(gateway, phone, "BGR-2026-000042", 4), seconds=30, what="the next message")


def said(gateway: Kannel, phone: str, word: str, count: int = 2) -> Callable[[], Awaitable[bool]]:
    """Return a condition: the ``count``-th message to a telephone came, and has ``word`` in it."""

    async def holds() -> bool:
        texts = [text for _, to, text in gateway.received() if to == phone]
        return len(texts) == count and word in texts[-1]

    return holds
