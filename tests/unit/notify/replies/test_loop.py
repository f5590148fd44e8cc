"""From a stall to its explanation by message, and back to the officer: through HTTP, all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.notify import MessageDigested
from shared.contracts.workflow import PermitClosed, StallExplained
from shared.ids import derived_id
from tests.running import until
from tests.unit.notify.replies.exchange import OFFICER, Exchange, exchange_in
from tests.unit.notify.test_telling import forget
from tests.unit.workflow.service import HTML, open_permit

ONE, TWO = (derived_id("loop", n) for n in (1, 2))
FIRST, SECOND = "BGR-2026-000001", "BGR-2026-000002"


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    async with exchange_in(tmp_path, ("workflow", "notify")) as opened:
        await open_permit(opened.office, ONE, FIRST)
        yield opened


async def asked(exchange: Exchange, app: str, number: str, channel: str = "whatsapp") -> str:
    """Ask the officer about a stall; return the provider's id of the alert."""
    alert = await exchange.alert(await exchange.stall(app), number, channel)
    return await exchange.sent(alert)


async def page_shows(exchange: Exchange, text: str, username: str) -> None:
    exchange.office.http.cookies.clear()
    await exchange.office.sign_in(username)

    async def shown() -> bool:
        page = await exchange.office.http.get(f"/berkas/{FIRST}", headers=HTML)
        return text in page.text

    await until(shown, what="the explanation on the board")


async def test_a_whatsapp_reply_becomes_the_explanation_of_the_stall(exchange: Exchange) -> None:
    context = await asked(exchange, ONE, FIRST)
    wamid = await exchange.writes("Menunggu pemohon, selesai 3 Des 2099", context=context)
    explained = await exchange.happens("StallExplained")
    assert explained == StallExplained(
        application_id=ONE,
        stage="verify",
        stall_id=derived_id("stall", ONE),
        explanation="Menunggu pemohon, selesai 3 Des 2099",
        promised="2099-12-03",
    )
    assert await exchange.answered() == [f"Penjelasan Anda untuk berkas {FIRST} sudah dicatat."]
    # Meta repeats what it is not sure of; nothing happens twice.
    await exchange.writes("Menunggu pemohon, selesai 3 Des 2099", context=context, found=wamid)
    await exchange.writes("Lagi", context=context)
    assert len(await exchange.answered(2)) == 2
    assert "tidak sedang menunggu" in exchange.answers()[1]
    assert len(await exchange.of_type("StallExplained")) == 1
    for username in ("penyelia", "auditor"):
        await page_shows(exchange, "Menunggu pemohon, selesai 3 Des 2099", username)


async def test_the_author_of_the_explanation_is_the_officer(exchange: Exchange) -> None:
    await exchange.writes("Sakit", context=await asked(exchange, ONE, FIRST))
    await exchange.happens("StallExplained")
    (recorded,) = [
        one
        for one in await exchange.office.running.kernel.store.read_all(0)
        if one.type == "StallExplained"
    ]
    assert recorded.actor == "officer:verifikator"


async def test_the_same_by_sms(exchange: Exchange) -> None:
    await asked(exchange, ONE, FIRST, "sms")
    answer = await exchange.texts("Menunggu pemohon")
    assert (answer.status_code, answer.text) == (200, "")
    explained = await exchange.happens("StallExplained")
    assert explained.explanation == "Menunggu pemohon"

    async def confirmed() -> Any:
        said = [call["text"] for call in exchange.gateway.ledger]
        return any("sudah dicatat" in text for text in said)

    await until(confirmed, what="the answer")
    assert exchange.gateway.ledger[-1]["to"] == OFFICER


async def test_of_several_open_stalls_the_officer_says_which(exchange: Exchange) -> None:
    await open_permit(exchange.office, TWO, SECOND)
    await asked(exchange, ONE, FIRST)
    await asked(exchange, TWO, SECOND)
    await exchange.writes("Menunggu pemohon")
    assert sorted((await exchange.happens("ReplyUnclear")).numbers) == [FIRST, SECOND]
    (question,) = await exchange.answered()
    assert FIRST in question
    assert SECOND in question
    await exchange.writes("000002 menunggu dinas")
    explained = await exchange.happens("StallExplained")
    assert (explained.application_id, explained.explanation) == (TWO, "menunggu dinas")
    # One is left: now it needs no number.
    await exchange.writes("Sakit")
    assert (await exchange.happens("StallExplained", 2)).application_id == ONE


async def test_a_refused_explanation_is_on_record_and_its_officer_hears_why(
    exchange: Exchange,
) -> None:
    assessor = "+6281100000004"
    alert = await exchange.alert(await exchange.stall(ONE, "penilai"), FIRST, to=assessor)
    context = await exchange.sent(alert)
    wamid = await exchange.writes("Sakit", assessor, context)
    refusal = await exchange.happens("StallReplyRejected")
    assert (refusal.application_id, refusal.reason) == (ONE, "other-role")
    told = f"Penjelasan untuk berkas {FIRST} tidak dicatat: akun Anda tidak berhak"
    assert (await exchange.answered())[0].startswith(told)
    await exchange.writes("Sakit", assessor, context, found=wamid)
    # The right officer still can, and the one who could not is not told again.
    await exchange.writes(f"{FIRST} Sakit", context=context)
    await exchange.happens("StallExplained")
    assert len(await exchange.answered(2)) == 2
    assert len(await exchange.of_type("StallReplyRejected")) == 1


async def test_an_answer_to_a_digest_is_about_the_one_stall_still_open_in_it(
    exchange: Exchange,
) -> None:
    await open_permit(exchange.office, TWO, SECOND)
    digest = await exchange.alert(await exchange.event("permit-none", _unrelated(), "none"), "-")
    for app, number in ((ONE, FIRST), (TWO, SECOND)):
        question = await exchange.stall(app)
        line = await exchange.alert(question, number, "outbox")
        digested = MessageDigested(application_id=app, message_id=line, into=digest)
        await exchange.event(f"message-{line}", digested, app)
    context = await exchange.sent(digest)
    await exchange.writes("Sakit", context=context)
    assert sorted((await exchange.happens("ReplyUnclear")).numbers) == [FIRST, SECOND]
    await exchange.writes("000001: sakit", context=context)
    assert (await exchange.happens("StallExplained")).application_id == ONE
    await exchange.writes("Menunggu dinas", context=context)
    assert (await exchange.happens("StallExplained", 2)).application_id == TWO


async def test_an_answer_to_a_message_that_took_a_digest_over_is_about_its_lines(
    exchange: Exchange,
) -> None:
    cause = await exchange.event("permit-none", _unrelated(), "none")
    first = await exchange.alert(cause, "-", "outbox")
    line = await exchange.alert(await exchange.stall(ONE), FIRST, "outbox")
    last = await exchange.alert(await exchange.event("permit-none", _unrelated(), "none"), "-")
    for message, into in ((line, first), (first, last)):
        digested = MessageDigested(application_id=ONE, message_id=message, into=into)
        await exchange.event(f"message-{message}", digested, ONE)
    await exchange.writes("Sakit", context=await exchange.sent(last))
    assert (await exchange.happens("StallExplained")).application_id == ONE


async def test_an_answer_to_a_digest_that_was_sent_anew_is_about_its_lines(
    exchange: Exchange,
) -> None:
    await open_permit(exchange.office, TWO, SECOND)
    cause = await exchange.event("permit-none", _unrelated(), "none")
    digest = await exchange.alert(cause, "-", "outbox")
    line = await exchange.alert(await exchange.stall(ONE), FIRST, "outbox")
    await exchange.alert(await exchange.stall(TWO), SECOND, "outbox")
    digested = MessageDigested(application_id=ONE, message_id=line, into=digest)
    await exchange.event(f"message-{line}", digested, ONE)
    anew = await exchange.alert(cause, "-", resend_of=digest)
    await exchange.writes("Sakit", context=await exchange.sent(anew))
    assert (await exchange.happens("StallExplained")).application_id == ONE


async def test_a_reply_while_everything_is_restarted_is_worked_on_afterwards(
    tmp_path: Path,
) -> None:
    async with exchange_in(tmp_path, ("workflow", "notify")) as exchange:
        await open_permit(exchange.office, ONE, FIRST)
        context = await asked(exchange, ONE, FIRST)
        await exchange.writes("Sakit", context=context, found="wamid.once")
    # Inbox, read models and checkpoints are lost: everything is looked at anew.
    forget(tmp_path)
    async with exchange_in(tmp_path, ("workflow", "notify")) as exchange:
        await exchange.writes("Sakit", context=context, found="wamid.once")
        await exchange.happens("StallExplained")

        async def confirmed() -> Any:
            sent = await exchange.of_type("MessageQueued")
            return [one for one in sent if one.rule == "reply-recorded"]

        assert len(await until(confirmed, what="the answer")) == 1
        assert len(await exchange.of_type("ReplyReceived")) == 1
        assert len(await exchange.of_type("StallReplyGiven")) == 1


def _unrelated() -> PermitClosed:
    return PermitClosed(application_id="none")
