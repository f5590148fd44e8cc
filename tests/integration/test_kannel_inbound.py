"""What people write by SMS, through a real Kannel: it hands in, we answer, its centre sends on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deploy.cli import main
from deploy.parts import free_port
from tests.kannel import PASSWORD, USER, Kannel
from tests.running import Office, running_office, settings_in, until

pytestmark = [pytest.mark.kannel, pytest.mark.timeout(300)]
WRITER, OFFICE = "+6281200000077", "12345"


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[tuple[Office, Kannel]]:
    port, data = free_port(), tmp_path / "data"
    ours = f"http://127.0.0.1:{port}"
    command = ["--data", str(data), "inbound", "--json"]
    printed = CliRunner().invoke(main, command, env={"JEJAK_NOTIFY_URL": ours})
    with Kannel(tmp_path / "kannel", json.loads(printed.output)["kannel"]) as gateway:
        settings = settings_in(
            data,
            port=port,
            notify_url=ours,
            kannel_url=gateway.address,
            kannel_user=USER,
            kannel_password=PASSWORD,
        )
        async with running_office(settings, ["notify"]) as office:
            yield office, gateway


async def heard(office: Office, count: int) -> list[Any]:
    """Return the messages received, once they are so many."""
    kernel = office.running.kernel

    async def enough() -> Any:
        events = await kernel.store.read_all(0)
        found = [kernel.codec.decode(one) for one in events if one.type == "ReplyReceived"]
        return found if len(found) >= count else None

    found: list[Any] = await until(enough, 30, "the message")
    return found


async def test_an_sms_reaches_us_and_our_answer_its_writer(
    exchange: tuple[Office, Kannel],
) -> None:
    office, gateway = exchange
    gateway.arrives(WRITER, OFFICE, "Berkas saya, sampai di mana? 50% + 1")
    (first,) = await heard(office, 1)
    assert (first.channel, first.sender) == ("sms", WRITER)
    assert first.text == "Berkas saya, sampai di mana? 50% + 1"

    async def answered() -> list[tuple[str, str, str]]:
        return gateway.received()

    # One answer of ours; what we said to the gateway's own call went to nobody.
    ((_, to, text),) = await until(answered, 30, "the answer")
    assert to == WRITER
    assert "STATUS" in text
    # The centre reads one line at a time. Two messages with the same words are two.
    for count in (2, 3):
        gateway.arrives(WRITER, OFFICE, "Berhenti")
        await heard(office, count)

    async def confirmed() -> bool:
        return len(gateway.received()) == 2

    await until(confirmed, 30, "the confirmation")
    assert "MULAI" in gateway.received()[1][2]


async def test_what_is_written_while_we_are_away_comes_when_we_are_back(tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "data"
    ours = f"http://127.0.0.1:{port}"
    command = ["--data", str(data), "inbound", "--json"]
    printed = CliRunner().invoke(main, command, env={"JEJAK_NOTIFY_URL": ours})
    with Kannel(tmp_path / "kannel", json.loads(printed.output)["kannel"]) as gateway:
        gateway.arrives(WRITER, OFFICE, "STATUS")
        settings = settings_in(data, port=port, notify_url=ours)
        async with running_office(settings, ["notify"]) as office:
            (only,) = await heard(office, 1)
    assert only.text == "STATUS"
