"""kill -9 of intake while a mail comes in: what was accepted is there, and there once."""

from __future__ import annotations

import os
import random
import smtplib
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from deploy.parts import free_port
from shared.codec import Codec
from shared.contracts.intake import MailReceived
from shared.store.sqlite import SqliteStore
from tests.chaos.service_process import ServiceProcess
from tests.unit.intake import letters, papers

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("JEJAK_KILLS", "20"))
# Killed once the event is durable and before the answer is read; or at any moment.
RECORDED, RANDOM = "recorded", "random"


class IntakeProcess(ServiceProcess):
    """One process of intake after another, on one data folder; it takes mail in."""

    def __init__(self, data: Path) -> None:
        """Describe it; nothing is started."""
        self.mail_port = free_port()
        super().__init__("intake", data, {"JEJAK_MAIL_IN": f"127.0.0.1:{self.mail_port}"})

    def recorded(self) -> int:
        """Return how many mails are durably recorded."""
        sql = "SELECT COUNT(*) FROM events WHERE type = 'MailReceived'"
        with closing(sqlite3.connect(self.data / "events.sqlite", timeout=10)) as database:
            (count,) = database.execute(sql).fetchone()
        return int(count)

    def _ready(self) -> bool:
        return super()._ready() and self._listens()

    def _listens(self) -> bool:
        try:
            with smtplib.LMTP("127.0.0.1", self.mail_port):
                return True
        except (OSError, smtplib.SMTPException):
            return False


def _mail(number: int) -> bytes:
    return letters.mail(
        {f"berkas-{number}.pdf": papers.pdf(f"berkas {number}")},
        subject=f"Berkas {number}",
        message_id=f"<{number}@example.org>",
    )


def _hand_in(port: int, mail: bytes) -> str:
    """Hand a mail in as a mail server does, and return the id under which it was taken."""
    with smtplib.LMTP("127.0.0.1", port) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("bounce@example.org")
        client.rcpt(letters.OFFICE)
        code, words = client.data(mail)
    assert code == 250, words
    return words.decode().rpartition(" ")[2]


def _interrupted(office: IntakeProcess, mail: bytes, step: str, chance: random.Random) -> bool:
    """Send a whole mail and kill the office without reading its answer; say whether it was in."""
    before = office.recorded()
    client = smtplib.LMTP("127.0.0.1", office.mail_port)
    client.ehlo_or_helo_if_needed()
    client.mail("bounce@example.org")
    client.rcpt(letters.OFFICE)
    client.docmd("DATA")
    client.send(mail + b".\r\n")
    if step == RECORDED:
        deadline = time.monotonic() + 30
        while office.recorded() == before:
            assert time.monotonic() < deadline, "the mail was not recorded"
    else:
        time.sleep(chance.uniform(0, 0.1))
    office.kill()
    client.close()
    return office.recorded() > before


async def test_a_mail_is_taken_once_however_often_the_office_dies(tmp_path: Path) -> None:
    seed = os.environ.get("JEJAK_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"JEJAK_SEED={seed}")
    chance, found = random.Random(seed), Counter[bool]()
    office, taken = IntakeProcess(tmp_path / "data"), []
    office.start()
    try:
        for number in range(ROUNDS):
            step = RANDOM if number % 2 else RECORDED
            was_in = _interrupted(office, _mail(number), step, chance)
            found[was_in] += 1
            assert was_in or step == RANDOM
            office.start()
            # No answer came, so the mail server hands the same mail in once more.
            taken.append(_hand_in(office.mail_port, _mail(number)))
    finally:
        office.stop()
    print(f"killed {ROUNDS} times: {found[True]} after the record, {found[False]} before it")
    store, codec = SqliteStore(tmp_path / "data" / "events.sqlite"), Codec()
    mails = [codec.decode(one) for one in await store.read_all(0) if one.type == "MailReceived"]
    await store.close()
    _check(mails, taken, tmp_path / "data" / "uploads")
    assert letters.SENDER not in office.logged()


def _check(mails: list[MailReceived], taken: list[str], uploads: Path) -> None:
    """Each mail is there once, under the id that was answered, and so are its documents."""
    assert [mail.mail_id for mail in mails] == taken
    assert [mail.subject for mail in mails] == [f"Berkas {number}" for number in range(ROUNDS)]
    for mail in mails:
        [document] = mail.documents
        assert (uploads / document.sha256[:2] / document.sha256).stat().st_size == document.size
