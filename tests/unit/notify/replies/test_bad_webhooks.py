"""Webhooks as nobody should send them: each gets a clear answer, and nothing personal is logged."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from twilio.request_validator import RequestValidator

from services.notify.channels import whatsapp
from services.notify.channels.twilio import signed as twilio_signed
from shared.contracts.workflow import StallExplanationRequested
from shared.ids import new_id
from tests.unit.notify.replies.exchange import (
    APPLICANT,
    OFFICER,
    Exchange,
    exchange_in,
    twilio_in,
    twilio_signature,
    twilio_writes,
)
from tests.unit.notify.standins import TOKEN

INBOUND = "https://izin.example/webhooks/twilio/masuk"
WORDS = "rahasia-sekali"


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    async with exchange_in(tmp_path) as opened:
        yield opened


def status(message_id: str, word: str, **more: Any) -> dict[str, Any]:
    about = {"id": "wamid.1", "status": word, "timestamp": "1796000000"}
    about |= {"recipient_id": OFFICER.removeprefix("+"), "biz_opaque_callback_data": message_id}
    return about | more


async def sent(exchange: Exchange, count: int = 1) -> list[str]:
    """Let messages go out; return their ids."""
    made = []
    for number in range(count):
        app = new_id()
        question = await exchange.event(f"permit-{app}", _asked(app), app)
        made.append(await exchange.alert(question, f"BGR-2026-{number:06d}"))
    for message_id in made:
        await exchange.sent(message_id)
    return made


def _asked(app: str) -> Any:
    return StallExplanationRequested(
        application_id=app,
        office="bogor",
        stage="verify",
        stall_id=f"stall-{app}",
        asked="verifikator",
        answer_by="2026-12-01T02:00:00+00:00",
    )


async def types(exchange: Exchange, message_id: str) -> list[str]:
    store = exchange.office.running.kernel.store
    return [one.type for one in await store.read_stream(f"message-{message_id}")]


async def nothing_received(exchange: Exchange) -> None:
    assert await exchange.of_type("ReplyReceived", "MessageDelivered", "ConsentWithdrawn") == []


async def test_a_wrong_signature_is_refused_and_nothing_recorded(exchange: Exchange) -> None:
    hook = {"entry": [{"changes": [{"value": {"messages": [{"from": "628", "id": "w"}]}}]}]}
    raw = json.dumps(hook).encode()
    assert (await exchange.signed(raw, secret="other")).status_code == 403
    post = exchange.office.http.post
    for header in ({}, {"x-hub-signature-256": "sha256="}, {"x-hub-signature-256": "x"}):
        answer = await post("/webhooks/whatsapp", content=raw, headers=header)
        assert answer.status_code == 403
    assert (await exchange.texts("STOP", s="0" * 64)).status_code == 404
    assert (await post("/webhooks/twilio/masuk", content=b"MessageSid=SM1")).status_code == 403
    await nothing_received(exchange)


async def test_another_number_s_news_is_passed_over(exchange: Exchange) -> None:
    (message_id,) = await sent(exchange)
    message = {"from": "6281230000001", "id": "wamid.x", "type": "text", "text": {"body": "STOP"}}
    news = {"messages": [message], "statuses": [status(message_id, "delivered")]}
    before = _passed_over()
    assert (await exchange.webhook(news, phone_id="999")).status_code == 200
    await nothing_received(exchange)
    assert _passed_over() == before + 1
    assert (await exchange.webhook(news)).status_code == 200
    assert len(await exchange.of_type("ReplyReceived")) == 1


def _passed_over() -> float:
    name, provider = "jejak_webhooks_passed_over_total", {"provider": "whatsapp"}
    return REGISTRY.get_sample_value(name, provider) or 0.0


async def test_five_megabytes_are_refused_before_they_are_read(exchange: Exchange) -> None:
    sent_so_far = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent_so_far
        for _ in range(500):
            sent_so_far += 10_240
            yield b"x" * 10_240
            await asyncio.sleep(0)

    stated = await exchange.signed(b"x" * 5_000_000)
    assert stated.status_code == 413
    try:
        answer = await exchange.office.http.post("/webhooks/whatsapp", content=body())
        assert answer.status_code == 413
    except httpx.WriteError:
        # The server closed the connection while we were still writing.
        assert sent_so_far < 5_000_000
    await nothing_received(exchange)


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (b"", 422),
        (b"not json", 422),
        (b"[" * 200_000, 422),
        (b"\xff\xfe", 422),
        (b"null", 200),
        (b"[]", 200),
        (b'"text"', 200),
        (b'{"entry":5}', 200),
        (b'{"entry":[5,null,{"changes":"x"},{"changes":[1,{"value":[]}]}]}', 200),
        (b'{"entry":[{"changes":[{"value":{"metadata":[]}}]}]}', 200),
    ],
)
async def test_what_is_no_webhook_is_answered_and_forgotten(
    exchange: Exchange, raw: bytes, answer: int
) -> None:
    assert (await exchange.signed(raw)).status_code == answer
    await nothing_received(exchange)


async def test_wrong_types_inside_a_webhook_do_no_harm(exchange: Exchange) -> None:
    odd: list[Any] = [None, 5, "x", [], {}, True, 1e400, {"body": 5}]
    messages = [
        {"from": one, "id": other, "text": third, "type": "text", "context": one}
        for one in odd
        for other in odd[:4]
        for third in (None, {"body": one})
    ]
    statuses = [{"id": one, "status": other, "errors": one} for one in odd for other in odd]
    texts: list[Any] = [
        {"from": "6281230000001", "id": f"w{n}", "type": kind, str(kind): one, "timestamp": one}
        for n, one in enumerate(odd)
        for kind in ("text", "button", "interactive")
    ]
    news = {"messages": [*messages, *texts], "statuses": statuses, "contacts": 5}
    assert (await exchange.webhook(news)).status_code == 200
    received = await exchange.of_type("ReplyReceived")
    # One per id: those with a number and an id are messages, whatever else is wrong with them.
    assert len(received) == len(odd)
    assert {one.text for one in received} == {""}


async def test_unknown_messages_and_statuses_of_the_past_change_nothing(
    exchange: Exchange,
) -> None:
    (message_id,) = await sent(exchange)
    unknown = [status(new_id(), "delivered"), status("x", "read"), status("", "failed", id="w?")]
    assert (await exchange.webhook({"statuses": unknown})).status_code == 200
    for words in (["read"], ["delivered"], ["sent"], ["failed"], ["read", "read"], ["odd"]):
        news = [status(message_id, word) for word in words]
        assert (await exchange.webhook({"statuses": news})).status_code == 200
    happened = await types(exchange, message_id)
    assert happened == ["MessageQueued", "MessageAttempted", "MessageSent", "MessageRead"]


async def test_reordered_and_repeated_statuses_come_to_the_same(exchange: Exchange) -> None:
    (message_id,) = await sent(exchange)
    news = [status(message_id, word) for word in ("delivered", "sent", "delivered", "read", "read")]
    await asyncio.gather(*(exchange.webhook({"statuses": news}) for _ in range(5)))
    happened = await types(exchange, message_id)
    assert happened[-2:] == ["MessageDelivered", "MessageRead"]
    assert len(happened) == 5


async def test_a_thousand_statuses_in_one_call(exchange: Exchange) -> None:
    made = await sent(exchange, 20)
    news = [
        status(message_id, word, id=f"wamid.{n}")
        for n, message_id in enumerate(made)
        for word in ("sent", "delivered", "read", "delivered", "sent") * 10
    ]
    assert len(news) == 1_000
    assert (await exchange.webhook({"statuses": news})).status_code == 200
    for message_id in made:
        assert (await types(exchange, message_id))[-2:] == ["MessageDelivered", "MessageRead"]


async def test_many_messages_in_one_call_are_all_durable_when_it_is_answered(
    exchange: Exchange,
) -> None:
    messages = [
        {
            "from": f"62812300{n:05d}",
            "id": f"wamid.{n}",
            "timestamp": "1796000000",
            "type": "text",
            "text": {"body": "Halo"},
        }
        for n in range(200)
    ]
    for _ in range(2):
        assert (await exchange.webhook({"messages": messages})).status_code == 200
        assert len(await exchange.of_type("ReplyReceived")) == 200


async def test_nothing_personal_is_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with exchange_in(tmp_path, log_level="DEBUG") as exchange:
        (message_id,) = await sent(exchange)
        await exchange.writes(WORDS, OFFICER)
        await exchange.writes(WORDS, APPLICANT)
        await exchange.texts(WORDS, APPLICANT)
        await exchange.texts(WORDS, APPLICANT, s="wrong")
        await exchange.webhook({"messages": [{"from": "6281", "text": WORDS}]}, phone_id="9")
        await exchange.signed(f'{{"{WORDS}":'.encode())
        await exchange.webhook({"statuses": [status(message_id, WORDS), status(WORDS, "read")]})
        await exchange.answered()
        await exchange.happens("StallReplyGiven")
        await exchange.happens("ReplyNotUnderstood", 2)
    out, err = capfd.readouterr()
    # What this test's own client says of its own calls is not the server's log.
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    everything = "\n".join([out, err, *ours])
    assert "webhook_refused" in everything
    for secret in (WORDS, OFFICER[1:], APPLICANT[1:], OFFICER[3:], APPLICANT[3:]):
        assert secret not in everything


def test_the_published_vector_of_whatsapp() -> None:
    body = b'{"object":"whatsapp_business_account","entry":[]}'
    made = "d3e4f9da0ce6c71ab3dba55929b8eeeee2455349e534924ead19f98d143e904f"
    assert whatsapp.signed("app-secret", body, f"sha256={made}")
    assert not whatsapp.signed("app-secret", body + b" ", f"sha256={made}")


def test_the_published_vector_of_twilio_and_its_own_validator() -> None:
    address = "https://izin.example/cb?nid=n-1"
    form = {"To": "+6281234567890", "MessageSid": "SM1", "MessageStatus": "delivered"}
    made = "io3EGpUGqFbSxX0pcCu+aXoi/ec="
    assert twilio_signed("12345", address, form, made)
    assert RequestValidator("12345").validate(address, form, made)
    assert not twilio_signed("12345", address, form | {"To": "+62"}, made)


async def test_an_sms_through_twilio_is_verified_and_answered_with_nothing_to_send(
    tmp_path: Path,
) -> None:
    form = {"MessageSid": "SM1", "From": APPLICANT, "To": "+6281000000000", "Body": "Berhenti é"}
    made = twilio_signature(INBOUND, form)
    assert RequestValidator(TOKEN).validate(INBOUND, form, made)
    async with twilio_in(tmp_path) as exchange:
        for signature, code in ((made[:-2] + "x=", 403), (made, 200), (made, 200)):
            answer = await twilio_writes(exchange, form, signature)
            assert answer.status_code == code
        assert answer.text.endswith("<Response></Response>")
        assert answer.headers["content-type"].startswith("text/xml")
        (received,) = await exchange.of_type("ReplyReceived")
        assert (received.channel, received.sender) == ("sms", APPLICANT)
        assert received.text == "Berhenti é"
        many = form | {f"x{n}": "1" for n in range(300)}
        assert (await twilio_writes(exchange, many, made)).status_code == 422
