"""The same messages through a real Kannel, with delivery reports, and killed in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.parts import free_port
from shared.contracts.intake import ApplicationSubmitted
from shared.ids import derived_id
from tests.examples import example
from tests.kannel import PASSWORD, USER, Kannel
from tests.running import Office, running_office, settings_in, until

pytestmark = pytest.mark.kannel


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Kannel]:
    with Kannel(tmp_path / "kannel") as running:
        yield running


@pytest.fixture
async def office(tmp_path: Path, gateway: Kannel) -> AsyncIterator[Office]:
    port = free_port()
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


async def submit(office: Office, number: int) -> None:
    """Let an application come in, which its applicant is told of."""
    application = derived_id("case", "kannel", number)
    submitted = example(ApplicationSubmitted, application_id=application)
    phone = f"+62812000{number:05d}"
    submitted = replace(submitted, applicant=replace(submitted.applicant, phone=phone))
    await office.happened(f"application-{application}", submitted, application=application)


async def states(office: Office) -> list[str]:
    rows = await office.running.databases["notify"].query("SELECT state FROM messages_2")
    return sorted(state for (state,) in rows)


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

    await until(settled, seconds=60, what="every message")
    # A call that the kill cut off is unknown: it may have arrived, and is not sent blindly.
    certain = 20 - (await states(office)).count("unknown")
    arrived = await until(lambda: received(gateway, certain), seconds=20, what="the rest")
    assert len({to for _, to, _ in arrived}) >= certain
    attempts = await office.running.databases["notify"].query(
        "SELECT COUNT(*) FROM messages_2 WHERE resent = 1"
    )
    assert attempts == [(0,)]
