"""Mail handed in by a real LMTP client at the door of a running service."""

from __future__ import annotations

import asyncio
import logging
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.parts import free_port
from services.intake.mail.door import CONNECTIONS, MailDoor
from shared.contracts.intake import MailReceived
from shared.errors import BadConfiguration, StoreFull, Unavailable
from shared.events import Recorded
from tests.running import until
from tests.unit.intake import letters, papers
from tests.unit.intake.house import House, open_house, sha256


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[House]:
    """Intake with a door for mail."""
    async with open_house(tmp_path, mail_in=f"127.0.0.1:{free_port()}") as opened:
        yield opened


def port(house: House) -> int:
    return int(house.kernel.settings.mail_in.rpartition(":")[2])


def _hand_in(port: int, mail: bytes, to: str) -> tuple[int, str]:
    with smtplib.LMTP("127.0.0.1", port) as client:
        try:
            client.ehlo_or_helo_if_needed()
            for code, words in (
                client.mail("bounce@example.org", [f"SIZE={len(mail)}"]),
                client.rcpt(to),
            ):
                if code != 250:
                    return code, words.decode()
            code, words = client.data(mail)
        except smtplib.SMTPResponseException as error:
            return error.smtp_code, str(error.smtp_error)
        return code, words.decode()


async def hand_in(house: House, mail: bytes, to: str = letters.OFFICE) -> tuple[int, str]:
    """Hand a mail in as our mail server does; return its answer."""

    async def listening() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port(house))
        except OSError:
            return False
        writer.close()
        return True

    await until(listening, what="the door for mail")
    return await asyncio.to_thread(_hand_in, port(house), mail, to)


async def mails(house: House) -> list[Recorded]:
    return [one for one in await house.kernel.store.read_all(0) if one.stream.startswith("mail-")]


async def the_mail(house: House) -> MailReceived:
    [recorded] = await mails(house)
    found: MailReceived = house.kernel.codec.decode(recorded)
    return found


async def test_a_mail_is_recorded_with_its_checked_documents_before_it_is_accepted(
    door: House,
) -> None:
    content = papers.pdf("ktp")
    code, words = await hand_in(door, letters.mail({"ktp.pdf": content, "foto.jpg": papers.jpeg()}))
    mail = await the_mail(door)
    assert (code, words) == (250, f"2.6.0 Received as {mail.mail_id}")
    assert (mail.office, mail.sender, mail.subject) == ("tebet", letters.SENDER, "Permohonan IMB")
    assert [(one.name, one.media_type) for one in mail.documents] == [
        ("ktp.pdf", "application/pdf"),
        ("foto.jpg", "image/jpeg"),
    ]
    assert mail.documents[0].sha256 == sha256(content)
    assert (door.kernel.uploads / sha256(content)[:2] / sha256(content)).read_bytes() == content


async def test_the_same_mail_again_is_accepted_and_recorded_once(door: House) -> None:
    first = await hand_in(door, letters.mail())
    again = await hand_in(door, b"Received: from mx.example.org\r\n" + letters.mail())
    at_once = await asyncio.gather(*(hand_in(door, letters.mail(text="lain")) for _ in range(4)))
    assert first == again
    assert len(set(at_once)) == 1
    assert len(await mails(door)) == 2


async def test_each_attachment_goes_through_the_checks_of_an_upload(door: House) -> None:
    bad = {
        "berkas.zip": b"PK\x03\x04" + b"\0" * 200 + b"PK\x05\x06" + b"\0" * 18,
        "skrip.pdf": papers.pdf_with_script(),
        "terkunci.pdf": papers.encrypted_pdf(),
        "bom.png": papers.pixel_bomb(),
        "ktp.jpg": papers.pdf("other"),
        "../../etc/ktp.pdf": papers.pdf("path"),
        "besar.pdf": b"%PDF-" + b"\0" * (10 * 1024 * 1024 + 1),
        "kosong.pdf": b"",
        "ktp.pdf": papers.pdf("ktp"),
    }
    code, _ = await hand_in(door, letters.mail(bad))
    mail = await the_mail(door)
    assert code == 250
    assert [one.name for one in mail.documents] == ["ktp.pdf"]
    assert {one.name: one.reason for one in mail.refused} == {
        "berkas.zip": "not-a-document",
        "skrip.pdf": "active-document",
        "terkunci.pdf": "protected-document",
        "bom.png": "huge-picture",
        "ktp.jpg": "wrong-extension",
        "../../etc/ktp.pdf": "bad-file-name",
        "besar.pdf": "too-large",
        "kosong.pdf": "not-a-document",
    }
    kept = [one for one in door.kernel.uploads.rglob("*") if one.is_file()]
    # The one that only its ending was wrong of is kept as any upload is, and named by nothing.
    assert {one.name for one in kept} == {sha256(bad["ktp.pdf"]), sha256(bad["ktp.jpg"])}
    assert not (door.kernel.uploads.parent / "etc").exists()


async def test_a_name_with_nul_is_refused_and_the_mail_is_taken(door: House) -> None:
    head = (
        "From: a@example.org\nSubject: s\nContent-Type: application/pdf\n"
        'Content-Disposition: attachment; filename="=?utf-8?q?ktp=00.pdf?="'
    )
    code, _ = await hand_in(door, letters.raw(head, papers.pdf("ktp").hex().encode()))
    mail = await the_mail(door)
    assert code == 250
    assert [(one.name, one.reason) for one in mail.refused] == [("ktp .pdf", "bad-file-name")]


@pytest.mark.parametrize(
    ("mail", "code", "words"),
    [
        (letters.mail({f"{n}.pdf": b"x" for n in range(21)}), 554, "More than 20 attachments"),
        (letters.mail({f"{n}.pdf": b"x" for n in range(200)}), 554, "too many parts"),
        (letters.nested(50), 554, "attached within e-mails too deeply"),
    ],
    ids=["21 attachments", "200 attachments", "50 deep"],
)
async def test_a_mail_over_the_limits_is_refused_with_a_sentence_for_the_sender(
    door: House, mail: bytes, code: int, words: str
) -> None:
    answer = await hand_in(door, mail)
    assert answer[0] == code
    assert words in answer[1]
    assert await mails(door) == []


async def test_thirty_megabytes_are_refused_before_and_while_they_come(door: House) -> None:
    mail = letters.mail({"ktp.pdf": b"\0" * (22 * 1024 * 1024)})
    assert len(mail) > 29 * 1024 * 1024
    assert (await hand_in(door, mail))[0] == 552

    def without_saying_so() -> tuple[int, bytes]:
        with smtplib.LMTP("127.0.0.1", port(door)) as client:
            client.ehlo_or_helo_if_needed()
            client.mail("bounce@example.org")
            client.rcpt(letters.OFFICE)
            return client.data(mail)

    code, words = await asyncio.to_thread(without_saying_so)
    assert (code, words[:40]) == (552, b"5.3.4 This e-mail is larger than 25 MB. ")
    assert await mails(door) == []


async def test_an_address_of_no_office_and_a_second_recipient_are_refused(door: House) -> None:
    assert (await hand_in(door, letters.mail(), "nobody@example.org"))[0] == 550

    def two() -> list[int]:
        with smtplib.LMTP("127.0.0.1", port(door)) as client:
            client.ehlo_or_helo_if_needed()
            client.mail("bounce@example.org")
            return [client.rcpt(letters.OFFICE.upper())[0], client.rcpt(letters.OFFICE)[0]]

    assert await asyncio.to_thread(two) == [250, 452]


@pytest.mark.parametrize(
    ("trouble", "code"), [(StoreFull(), 452), (Unavailable(), 451), (RuntimeError("x"), 451)]
)
async def test_trouble_of_ours_makes_the_mail_server_try_again(
    door: House, monkeypatch: pytest.MonkeyPatch, trouble: Exception, code: int
) -> None:
    async def append(*_: object, **__: object) -> None:
        raise trouble

    with monkeypatch.context() as broken:
        broken.setattr(door.kernel.store, "append", append)
        assert (await hand_in(door, letters.mail()))[0] == code
    assert await mails(door) == []
    assert (await hand_in(door, letters.mail()))[0] == 250
    assert len(await mails(door)) == 1


async def test_a_forged_sender_is_a_warning_and_binds_nobody(door: House) -> None:
    said = {"Authentication-Results": "mx.tebet.example.org; spf=fail; dmarc=fail"}
    assert (await hand_in(door, letters.mail(headers=said)))[0] == 250
    assert (await the_mail(door)).warnings == ("spf-failed", "dmarc-failed")
    types = {one.type for one in await door.kernel.store.read_all(0)}
    assert types == {"MailReceived"}


async def test_nothing_of_a_mail_is_logged(
    door: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        await hand_in(door, letters.mail({"rahasia.zip": b"x"}))
        await hand_in(door, letters.nested(50))
        await hand_in(door, letters.mail(), "seseorang@example.org")
    printed = capsys.readouterr()
    said = caplog.text + printed.out + printed.err
    for secret in (letters.SENDER, "Pemohon", "IMB", "Terlampir", "rahasia", "bounce", "seseorang"):
        assert secret not in said


async def test_too_many_connections_hand_nothing_in_and_lose_nothing(door: House) -> None:
    await hand_in(door, letters.mail())
    idle = [await asyncio.open_connection("127.0.0.1", port(door)) for _ in range(CONNECTIONS)]
    for reader, _ in idle:
        await reader.readline()
    assert (await asyncio.to_thread(_hand_in, port(door), letters.mail(), letters.OFFICE))[0] == 451
    for _, writer in idle:
        writer.close()
    await until(lambda: _accepted(door), what="room for another connection")


async def _accepted(house: House) -> bool:
    return (await hand_in(house, letters.mail()))[0] == 250


@pytest.mark.parametrize("address", ["", "8025", "localhost:", "localhost:smtp"])
def test_an_address_to_listen_at_is_checked(address: str) -> None:
    with pytest.raises(BadConfiguration):
        MailDoor(None, {}, address)  # type: ignore[arg-type]
