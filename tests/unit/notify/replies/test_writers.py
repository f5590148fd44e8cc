"""STOP and MULAI, wishes, the status of one's own permits, and the one polite line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deploy.cli import main
from shared.contracts.workflow import FeeAssessed, PermitIssued, PermitOpened
from shared.ids import derived_id
from tests.examples import example
from tests.running import until
from tests.unit.notify.replies.exchange import APPLICANT, Exchange, exchange_in
from tests.unit.notify.test_telling import SUBMITTED


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    async with exchange_in(tmp_path) as opened:
        yield opened


async def applies(exchange: Exchange, n: int, *permit: Any, phone: str = APPLICANT) -> str:
    """Let somebody apply, and let their permit come so far; return its number."""
    app, number = derived_id("writer", n), f"BGR-2026-{n:06d}"
    applicant = replace(SUBMITTED.applicant, phone=phone)
    submitted = replace(SUBMITTED, application_id=app, number=number, applicant=applicant)
    await exchange.event(f"application-{app}", submitted, app)
    for event in permit:
        await exchange.event(f"permit-{app}", replace(event, application_id=app), app)

    async def known() -> Any:
        database = exchange.office.running.databases["notify"]
        return await database.query("SELECT 1 FROM writers_1 WHERE application_id = ?", (app,))

    await until(known, what="the read model")
    return number


async def test_status_tells_the_three_newest_permits_of_the_number_that_asks(
    exchange: Exchange,
) -> None:
    numbers = [
        await applies(exchange, 1),
        await applies(exchange, 2, example(PermitOpened)),
        await applies(exchange, 3, example(PermitOpened), example(FeeAssessed)),
        await applies(exchange, 4, example(PermitOpened), example(PermitIssued)),
    ]
    await applies(exchange, 5, phone="+6281300000001")
    await exchange.writes(" Status? ", APPLICANT)
    lines = (await exchange.answered())[0].splitlines()
    kind = "Surat Izin Tempat Usaha (SITU)"
    assert lines == [
        f"{numbers[3]}, {kind}: Terbit",
        f"{numbers[2]}, {kind}: Menunggu pembayaran",
        f"{numbers[1]}, {kind}: Diproses",
    ]
    asked = await exchange.happens("StatusAsked")
    assert len(asked.applications) == 3


async def test_a_stranger_s_status_is_nobody_s(exchange: Exchange) -> None:
    await applies(exchange, 1)
    await exchange.writes("STATUS", "+6281300000009")
    assert "mesin" in (await exchange.answered())[0]
    assert await exchange.of_type("StatusAsked") == []


async def test_stop_is_confirmed_once_and_holds_until_start(exchange: Exchange) -> None:
    await exchange.writes("Berhenti!", APPLICANT)
    withdrawn = await exchange.happens("ConsentWithdrawn")
    assert (withdrawn.channel, withdrawn.reason) == ("whatsapp", "stop")
    assert "MULAI" in (await exchange.answered())[0]
    await exchange.writes("STOP", APPLICANT)
    await exchange.writes("Halo", APPLICANT)
    # What was queued for the polite line is on record, and nobody was called.
    failed = await exchange.happens("MessageFailed")
    assert failed.reason == "opted-out"
    assert len(exchange.answers()) == 1
    await exchange.writes("mulai", APPLICANT)
    assert "lagi" in (await exchange.answered(2))[1]
    assert (await exchange.happens("ConsentGiven")).channel == "whatsapp"
    assert APPLICANT not in str(await exchange.of_type("ConsentWithdrawn", "ConsentGiven"))


async def test_wishes_hold_from_the_next_answer_on(exchange: Exchange) -> None:
    await exchange.writes("English", APPLICANT)
    assert await exchange.answered() == ["Your choice is noted and holds from the next message on."]
    await exchange.writes("SMS", APPLICANT)
    stated = await exchange.happens("ContactPreferenceStated", 2)
    assert (stated.channel, stated.language) == ("sms", "")
    await exchange.writes("What?", APPLICANT)
    assert "Thank you" in (await exchange.answered(3))[2]


async def test_whatever_else_gets_one_polite_line_a_day(exchange: Exchange) -> None:
    await exchange.writes("Halo", APPLICANT)
    first = (await exchange.answered())[0]
    assert "https://izin.example" in first
    await exchange.writes("", APPLICANT, type="image", image={"id": "1"})
    await exchange.writes("Ada orang?", APPLICANT)
    await exchange.happens("ReplyNotUnderstood", 3)
    await asyncio.sleep(0.2)
    assert len(exchange.answers()) == 1
    answered = [one.answered for one in await exchange.of_type("ReplyNotUnderstood")]
    assert answered == [True, False, False]


async def test_a_button_speaks_for_who_presses_it(exchange: Exchange) -> None:
    await exchange.writes("", APPLICANT, type="button", button={"text": "Stop", "payload": "x"})
    await exchange.happens("ConsentWithdrawn")
    pressed = {"type": "button_reply", "button_reply": {"id": "1", "title": "Mulai"}}
    await exchange.writes("", APPLICANT, type="interactive", interactive=pressed)
    await exchange.happens("ConsentGiven")


async def test_an_sms_is_answered_by_sms_and_a_short_code_not_at_all(exchange: Exchange) -> None:
    await exchange.texts("STATUS", "INFO-BANK")
    await exchange.texts("status", "0812-3000-0001")
    await exchange.happens("ReplyNotUnderstood", 2)

    async def answered() -> Any:
        return exchange.gateway.ledger

    await until(answered, what="the answer")
    await asyncio.sleep(0.2)
    assert [call["to"] for call in exchange.gateway.ledger] == ["+6281230000001"]


async def test_the_address_that_the_command_prints_is_the_gateway_s(
    exchange: Exchange, tmp_path: Path
) -> None:
    words = ["--data", str(tmp_path), "inbound", "--json"]
    printed = json.loads(CliRunner().invoke(main, words, catch_exceptions=False).output)
    address = printed["kannel"].removeprefix("http://127.0.0.1:8600")
    for field, value in {"%p": "6281230000001", "%b": "Stop", "%I": "7", "%i": "fake"}.items():
        address = address.replace(field, value)
    answer = await exchange.office.http.get(address.replace("%C", "UTF-8").replace("%t", ""))
    assert (answer.status_code, answer.text) == (200, "")
    assert (await exchange.happens("ConsentWithdrawn")).channel == "sms"


async def test_an_sms_in_another_alphabet_is_read(exchange: Exchange) -> None:
    answer = await exchange.office.http.get(
        "/webhooks/kannel/masuk?s="
        + exchange.secret()
        + "&sender=%2B6281230000001&charset=UTF-16BE"
        "&text=%00S%00T%00O%00P&time=2026-11-30+03:00&id=1"
    )
    assert (answer.status_code, answer.text) == (200, "")
    assert (await exchange.happens("ConsentWithdrawn")).channel == "sms"


async def test_no_read_model_holds_a_writer_s_number(
    exchange: Exchange,
) -> None:
    await applies(exchange, 1)
    await exchange.writes("STATUS", APPLICANT)
    await exchange.answered()
    tables = ("writers_1", "stalls_1", "digested_1", "messages_2", "contacts_1")
    database = exchange.office.running.databases["notify"]
    rows = [await database.query(f"SELECT * FROM {table}") for table in tables]
    assert APPLICANT.removeprefix("+62") not in str(rows)
