"""E-mail, through a real SMTP server and through servers that break off at each phase."""

from __future__ import annotations

import asyncio
import contextlib
import email
from dataclasses import replace
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from services.notify.channels import Effect, Failed, Later, Outgoing, Paper, Sent, Unknown
from services.notify.channels.mail import Mail, Server, compose, sender_of, server_of
from services.notify.channels.providers import allowed_hosts
from shared.errors import BadConfiguration
from tests.running import settings_in
from tests.spec import START
from tests.unit.notify.mail_server import (
    PASSWORD,
    USER,
    breaking_server,
    certificate,
    mail_server,
)
from tests.unit.notify.samples import MESSAGE
from tests.unit.notify.standins import closed_address

SENDER = "izin@ptsp.example.org"
OUTGOING = Outgoing(
    message_id=MESSAGE,
    recipient="pemohon@example.org",
    language="id",
    text="Berkas Anda kami terima — nomor BGR-2026-000042.\n.titik di awal\n",
    template="",
    parameters={"office": "Kantor Contoh “Satu Pintu”"},
    subject="Berkas diterima — BGR-2026-000042",
    papers=(Paper("tanda-terima.pdf", "application/pdf", b"%PDF-1.4\n.\r\n%%EOF"),),
)


def way(port: int, security: str = "smtp", **more: Any) -> Mail:
    return Mail(
        Server(security, "127.0.0.1", port), SENDER, lambda: START, seconds=(2.0, 5.0), **more
    )


async def test_a_message_arrives_with_its_id_its_letters_and_its_paper() -> None:
    async with mail_server() as server:
        sent = await way(server.port).send(OUTGOING)
    assert sent == Sent("4bX0000001")
    assert server.recipients == ["pemohon@example.org"]
    read: Any = email.message_from_bytes(server.taken[0], policy=default)
    assert read["Message-ID"] == f"<{MESSAGE}@ptsp.example.org>"
    assert read["X-Jejak-Message"] == MESSAGE
    assert read["Subject"] == OUTGOING.subject
    assert read["From"].addresses[0].display_name == OUTGOING.parameters["office"]
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Content-Language"] == "id"
    # The dots at the beginning of a line came through, in the text and in the paper.
    assert read.get_body().get_content().splitlines() == OUTGOING.text.splitlines()
    [paper] = read.iter_attachments()
    assert (paper.get_filename(), paper.get_content_type()) == (
        "tanda-terima.pdf",
        "application/pdf",
    )
    assert paper.get_content() == OUTGOING.papers[0].content
    assert server.taken[0].isascii()


def test_the_same_message_is_the_same_bytes() -> None:
    assert compose(OUTGOING, SENDER, START) == compose(OUTGOING, SENDER, START)


@pytest.mark.parametrize(
    ("verb", "line", "result"),
    [
        ("MAIL", "451 4.3.0 not now", Later("smtp-451")),
        ("MAIL", "550 5.7.1 not you", Failed("smtp-550")),
        ("RCPT", "450 4.2.1 mailbox busy", Later("smtp-450")),
        ("RCPT", "550 5.1.1 no such person", Failed("smtp-550")),
        (".", "452 4.3.1 no room", Later("smtp-452")),
        (".", "421 4.3.2 going down", Later("smtp-421")),
        (".", "554 5.6.0 too large", Failed("smtp-554")),
    ],
)
async def test_a_refusal_is_for_now_or_for_good(verb: str, line: str, result: Any) -> None:
    async with mail_server(answers={verb: line}) as server:
        assert await way(server.port).send(OUTGOING) == result
        assert server.taken == []


@pytest.mark.parametrize(
    ("after", "result"),
    [
        ("EHLO", Later("smtp-broken")),
        ("MAIL", Later("smtp-broken")),
        ("RCPT", Later("smtp-broken")),
        ("DATA", Later("smtp-broken")),
        (".", Unknown("SMTPServerDisconnected")),
    ],
)
async def test_a_broken_call_says_whether_the_server_may_have_it(after: str, result: Any) -> None:
    async with breaking_server(after) as port:
        assert await way(port).send(OUTGOING) == result


async def test_an_answer_after_the_dot_that_nobody_can_read_leaves_it_open() -> None:
    async with breaking_server(".", final=b"what?\r\n") as port:
        assert await way(port).send(OUTGOING) == Unknown("smtp-unreadable")


async def test_a_server_that_is_busy_or_none_at_all_is_tried_later() -> None:
    async with breaking_server("EHLO", greeting=b"421 4.3.2 busy\r\n") as port:
        assert await way(port).send(OUTGOING) == Later("smtp-421")
    nobody = int(closed_address().rpartition(":")[2])
    assert await way(nobody).send(OUTGOING) == Later("unreachable")


async def test_login_over_starttls(tmp_path: Path) -> None:
    contexts = certificate(tmp_path)
    async with mail_server(contexts["server"]) as server:
        there = Server("smtp+starttls", "127.0.0.1", server.port, USER, PASSWORD)
        trusting = Mail(there, SENDER, lambda: START, tls=contexts["client"], seconds=(2.0, 5.0))
        assert isinstance(await trusting.send(OUTGOING), Sent)
        wrong = Mail(
            there._replace(password="wrong"),
            SENDER,
            lambda: START,
            tls=contexts["client"],
            seconds=(2.0, 5.0),
        )
        assert await wrong.send(OUTGOING) == Later("smtp-account", 60.0, Effect.PAUSE)
        # A certificate that nobody vouches for: neither password nor mail is handed over.
        assert await way(server.port, "smtp+starttls").send(OUTGOING) == Later(
            "smtp-tls", 60.0, Effect.PAUSE
        )
        assert len(server.taken) == 1


async def test_without_starttls_nothing_is_sent_in_the_clear() -> None:
    async with mail_server() as server:
        assert await way(server.port, "smtp+starttls").send(OUTGOING) == Later(
            "smtp-tls", 60.0, Effect.PAUSE
        )
        assert server.taken == []


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "pemohon@example.org\r\nBcc: everybody@example.org"},
        {"recipient": "pemohon@example.org>\r\nRCPT TO:<everybody@example.org"},
        {"recipient": ""},
        {"subject": "Berkas\r\nBcc: everybody@example.org"},
        {"subject": "Berkas\n\nanother body"},
        {"parameters": {"office": "Kantor\r\nBcc: everybody@example.org"}},
    ],
)
async def test_no_header_can_be_smuggled_in(changes: dict[str, Any]) -> None:
    async with mail_server() as server:
        sent = await way(server.port).send(replace(OUTGOING, **changes))
        assert sent == Failed("bad-mail", fallback=False)
        assert server.taken == []


async def test_a_hanging_server_does_not_hold_up_the_process() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        hanging = Mail(Server("smtp", "127.0.0.1", port), SENDER, lambda: START, seconds=(0.3, 0.3))
        assert await hanging.send(OUTGOING) == Later("unreachable")


@pytest.mark.parametrize(("after", "result"), [("EHLO", Later), (".", Unknown)])
async def test_a_server_that_never_comes_to_an_end_is_hung_up_on(after: str, result: type) -> None:
    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        while (line := (await reader.readline()).upper()) and line[: len(after)] != after.encode():
            if line.startswith((b"EHLO", b"MAIL", b"RCPT", b"DATA")):
                writer.write(b"354 go on\r\n" if line.startswith(b"DATA") else b"250 Ok\r\n")
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            for _ in range(100):
                writer.write(b"2")
                await writer.drain()
                await asyncio.sleep(0.1)
        writer.close()

    server = await asyncio.start_server(drips, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        slow = Mail(Server("smtp", "127.0.0.1", port), SENDER, lambda: START, seconds=(2.0, 1.0))
        async with asyncio.timeout(5):
            assert isinstance(await slow.send(OUTGOING), result)


def test_the_address_of_the_server_is_checked() -> None:
    assert server_of("smtp+starttls://mail.example.org", "u", "p").port == 587
    assert server_of("smtps://mail.example.org:4650", "u", "p").port == 4650
    for url, user in (
        ("mail.example.org", ""),
        ("http://mail.example.org", ""),
        ("smtps://u:p@mail.example.org", ""),
        ("smtp://mail.example.org", "u"),
    ):
        with pytest.raises(BadConfiguration):
            server_of(url, user, "p")


@pytest.mark.parametrize(
    "address", ["", "izin", "izin@", "a@b.example\r\nBcc: c", "Izin <a@b.example>"]
)
def test_the_sender_is_checked(address: str) -> None:
    with pytest.raises(BadConfiguration):
        sender_of(address)


def test_a_mail_server_must_be_on_the_list_of_hosts(tmp_path: Path) -> None:
    given = {"mail_url": "smtps://mail.example.org", "outbound_hosts": "graph.facebook.com"}
    with pytest.raises(BadConfiguration):
        allowed_hosts(settings_in(tmp_path, **given))
    more = given | {"outbound_hosts": "graph.facebook.com, Mail.example.org"}
    assert "mail.example.org" in allowed_hosts(settings_in(tmp_path, **more))
