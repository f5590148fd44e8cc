"""What every channel promises, whoever carries the message: one suite over all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.notify.channels import Channel, Failed, Later, Outgoing, Sent, Unknown
from services.notify.channels.eightx8 import EightX8
from services.notify.channels.http import client
from services.notify.channels.kannel import Kannel
from services.notify.channels.mail import Mail, Server
from services.notify.channels.outbox import Outbox
from services.notify.channels.sms import ReportSigner
from services.notify.channels.twilio import Twilio
from services.notify.channels.whatsapp import WhatsApp
from tests.spec import START
from tests.unit.notify.mail_server import breaking_server, mail_server
from tests.unit.notify.samples import MESSAGE
from tests.unit.notify.standins import (
    ACCOUNT,
    GARBAGE,
    HANG,
    HANG_UP,
    PASSWORD,
    PHONE_ID,
    REDIRECT,
    SERVER_ERROR,
    TOKEN,
    USER,
    StandIn,
    closed_address,
    eightx8_app,
    kannel_app,
    serving,
    twilio_app,
    whatsapp_app,
)

SIGNER = ReportSigner("secret-TEST-0001")
REPORTS = "http://jejak.example"


def _client(address: str) -> httpx.AsyncClient:
    http = client(address)
    http.timeout = httpx.Timeout(0.4, connect=5.0)
    return http


def _whatsapp(address: str) -> Channel:
    return WhatsApp(_client(address), PHONE_ID, TOKEN)


def _kannel(address: str) -> Channel:
    return Kannel(
        _client(address),
        user=USER,
        password=PASSWORD,
        sender="JEJAK",
        reports=REPORTS,
        signer=SIGNER,
    )


def _twilio(address: str) -> Channel:
    return Twilio(_client(address), account=ACCOUNT, token=TOKEN, sender="+1500", reports=REPORTS)


def _eightx8(address: str) -> Channel:
    return EightX8(
        _client(address),
        account="jejak_id",
        key=TOKEN,
        sender="JEJAK",
        reports=REPORTS,
        signer=SIGNER,
    )


@dataclass(frozen=True)
class Provider:
    """How a provider is reached and what it says for no and later."""

    app: Callable[[StandIn], Any]
    channel: Callable[[str], Channel]
    no: Any
    later: Any


BY_HTTP = {
    "whatsapp": Provider(whatsapp_app, _whatsapp, 131026, 130429),
    "sms": Provider(kannel_app, _kannel, 400, 503),
    "twilio": Provider(twilio_app, _twilio, 30007, 20429),
    "8x8": Provider(eightx8_app, _eightx8, 1002, 429),
}


@pytest.fixture(params=BY_HTTP)
async def way(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Provider, StandIn]]:
    provider = BY_HTTP[request.param]
    async with serving(provider.app) as stand_in:
        yield provider, stand_in


def outgoing(**changes: Any) -> Outgoing:
    given: dict[str, Any] = {
        "message_id": MESSAGE,
        "recipient": "+6281234567890",
        "language": "id",
        "text": "Izin Anda siap diambil.",
        "template": "izin_siap_diambil",
        "parameters": {"number": "BGR-2026-000042"},
    }
    return Outgoing(**given | changes)


Way = tuple[Provider, StandIn]


async def test_a_yes_is_sent(way: Way) -> None:
    provider, stand_in = way
    channel = provider.channel(stand_in.address)
    assert isinstance(await channel.send(outgoing()), Sent)
    assert len(stand_in.ledger) == 1


async def test_our_own_id_travels_with_the_call(way: Way) -> None:
    provider, stand_in = way
    await provider.channel(stand_in.address).send(outgoing())
    assert MESSAGE in str(stand_in.ledger[0])


@pytest.mark.parametrize(("answer", "kind"), [("no", Failed), ("later", Later)])
async def test_no_and_later_are_told_apart(way: Way, answer: str, kind: type) -> None:
    provider, stand_in = way
    stand_in.answers.append(getattr(provider, answer))
    assert isinstance(await provider.channel(stand_in.address).send(outgoing()), kind)


@pytest.mark.parametrize("answer", [HANG, HANG_UP, SERVER_ERROR, GARBAGE])
async def test_what_nobody_knows_is_unknown_and_called_only_once(way: Way, answer: str) -> None:
    provider, stand_in = way
    stand_in.answers.append(answer)
    assert isinstance(await provider.channel(stand_in.address).send(outgoing()), Unknown)
    assert len(stand_in.ledger) == 1


async def test_no_redirect_is_followed(way: Way) -> None:
    provider, stand_in = way
    stand_in.answers.append(REDIRECT)
    assert isinstance(await provider.channel(stand_in.address).send(outgoing()), Failed)
    assert (len(stand_in.ledger), stand_in.strays) == (1, 0)


async def test_where_nobody_listens_it_is_surely_not_sent(way: Way) -> None:
    provider, _ = way
    assert await provider.channel(closed_address()).send(outgoing()) == Later("unreachable")


async def test_a_host_that_is_not_allowed_pauses_the_channel_without_a_call(way: Way) -> None:
    provider, stand_in = way
    channel: Any = provider.channel(stand_in.address)
    channel._http._transport._hosts = frozenset({"graph.facebook.com"})
    assert isinstance(await channel.send(outgoing()), Later)
    assert stand_in.ledger == []


STRANGE: dict[str, dict[str, Any]] = {
    "nothing": {"text": "", "parameters": {}},
    "other letters": {"text": "ꦗꦼꦗꦏ꧀ 🌋", "parameters": {"nama": "🌋"}},
    "very long": {"text": "x" * 20_000},
    "controls": {"text": "a\x00b\r\nX-Header: c", "parameters": {"nama": "\x00\r\n"}},
    "free text": {"template": "", "parameters": {}},
    "reply": {"template": "", "parameters": {}, "reply_to": "wamid.7"},
    "group": {"recipient": "group:1203630"},
    "lone surrogate": {"text": "\ud83c"},
}


@pytest.mark.parametrize("name", STRANGE)
async def test_nothing_that_a_message_holds_makes_it_raise(way: Way, name: str) -> None:
    provider, stand_in = way
    result = await provider.channel(stand_in.address).send(outgoing(**STRANGE[name]))
    assert isinstance(result, Sent | Failed)
    assert len(stand_in.ledger) == isinstance(result, Sent)


# The outbox and e-mail speak no HTTP; they promise the same.


async def test_the_outbox_says_yes_and_later(tmp_path: Path) -> None:
    outbox: Channel = Outbox(tmp_path / "outbox", lambda: START)
    assert isinstance(await outbox.send(outgoing()), Sent)
    assert (tmp_path / "outbox" / "messages.jsonl").read_text().count(MESSAGE) == 1
    (tmp_path / "broken").write_text("a file where a folder should be")
    broken: Channel = Outbox(tmp_path / "broken", lambda: START)
    assert isinstance(await broken.send(outgoing()), Later)


def _mail(port: int) -> Channel:
    server = Server("smtp", "127.0.0.1", port)
    return Mail(server, "izin@ptsp.example.org", lambda: START, seconds=(0.4, 0.4))


MAIL = {"recipient": "pemohon@example.org", "template": "", "subject": "Berkas"}


@pytest.mark.parametrize(
    ("answers", "kind"),
    [({}, Sent), ({"RCPT": "550 5.1.1 no such person"}, Failed), ({".": "421 4.3.2 busy"}, Later)],
)
async def test_mail_says_yes_no_and_later(answers: dict[str, str], kind: type) -> None:
    async with mail_server(answers=answers) as server:
        assert isinstance(await _mail(server.port).send(outgoing(**MAIL)), kind)
    assert [MESSAGE.encode() in mail for mail in server.taken] == [True] * (kind is Sent)


async def test_mail_that_breaks_off_after_the_dot_is_unknown() -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(breaking_server("."))
        assert isinstance(await _mail(port).send(outgoing(**MAIL)), Unknown)
        # The far side may have hung up first.
        with suppress(ConnectionError):
            await stack.aclose()


async def test_mail_finds_nobody() -> None:
    port = int(closed_address().rpartition(":")[2])
    assert await _mail(port).send(outgoing(**MAIL)) == Later("unreachable")
