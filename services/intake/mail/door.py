"""The door for mail: LMTP (RFC 2033), where our own mail server hands in what came for an office.

``250`` is said only after the mail is recorded. Trouble of ours is answered with a 4yz, so that the
mail server tries again; what will never do with a 5yz and a sentence, which it tells the sender.
Nothing of a mail is ever logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aiosmtpd.lmtp import LMTP
from prometheus_client import Counter

from services.intake.mail.parsing import LIMIT_TEXT, MAX_BYTES, MailRefused
from services.intake.mail.room import MailRoom
from shared.errors import BadConfiguration, JejakError, StoreFull
from shared.offices import Office
from shared.telemetry import log

# How many connections may hand a mail in, each up to MAX_BYTES; how many are taken apart at once.
CONNECTIONS, AT_ONCE = 10, 2
# From the beginning of DATA to our answer: a slow line, and 20 documents that are opened.
_SECONDS = 600.0

MAILS = Counter("jejak_mails_total", "E-mails that came in for an office", ["outcome"])


class _Lmtp(LMTP):
    """LMTP with our own sentences, and no trace of what it was told."""

    def __init__(self, door: MailDoor, **options: Any) -> None:
        """Know the door, which counts connections."""
        super().__init__(door, **options)
        self._door = door
        self.surplus = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Come in; one too many may stay, but hands nothing in."""
        self._door.inside += 1
        self.surplus = self._door.inside > CONNECTIONS
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Leave."""
        self._door.inside -= 1
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        """Send one line; a limit is named, so that the sender learns it."""
        if str(status).startswith("552 Error: Too much mail data"):
            MAILS.labels("refused").inc()
            status = f"552 5.3.4 This e-mail is larger than {LIMIT_TEXT}. Send it in several parts."
        await super().push(status)


class MailDoor:
    """Listens where our mail server hands mail in."""

    def __init__(self, room: MailRoom, offices: Mapping[str, Office], address: str) -> None:
        """``address`` is ``host:port``; ``offices`` are known by their e-mail addresses.

        Raises BadConfiguration.
        """
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise BadConfiguration(file="JEJAK_MAIL_IN", reason="write it as host:port")
        self._host, self._port = host.strip("[]"), int(port)
        self._room = room
        self._offices = {one.email: one for one in offices.values() if one.email}
        self._turn = asyncio.Semaphore(AT_ONCE)
        self.inside = 0

    async def run(self) -> None:
        """Take mail in for ever."""
        # The library would log every command, and with it whose mail it is.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._protocol, self._host, self._port)
        async with server:
            await server.serve_forever()

    def _protocol(self) -> LMTP:
        return _Lmtp(
            self,
            hostname="jejak",
            ident="Jejak",
            data_size_limit=MAX_BYTES,
            enable_SMTPUTF8=True,
            timeout=_SECONDS,
            loop=asyncio.get_running_loop(),
        )

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str | None, options: list[str]
    ) -> str:
        """Begin a mail, unless too many are in our memory."""
        if server.surplus:
            return "451 4.3.2 Busy, please try again"
        envelope.mail_from, envelope.mail_options = address, options
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Accept an office's address; one at a time, because there is one answer per mail."""
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time, please"
        if address.lower() not in self._offices:
            return "550 5.1.1 No office has this address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        """Take one mail in and say so once it is durable."""
        office = self._offices[envelope.rcpt_tos[0].lower()]
        try:
            async with self._turn:
                mail_id = await self._room.receive(office, envelope.content)
        except MailRefused as error:
            MAILS.labels("refused").inc()
            log.info("mail_refused", office=office.id, reason=error.code)
            return f"554 5.6.0 {error}"
        except StoreFull:
            return _later(office, "452 4.3.1 No room at the moment", StoreFull.code)
        except JejakError as error:
            return _later(office, "451 4.3.0 Not possible at the moment", error.code)
        MAILS.labels("received").inc()
        log.info("mail_received", office=office.id, mail_id=mail_id)
        return f"250 2.6.0 Received as {mail_id}"

    async def handle_exception(self, error: Exception) -> str:
        """Answer what nobody foresaw: the mail server keeps the mail and tries again."""
        log.error("mail_not_taken", error=type(error).__name__)
        MAILS.labels("later").inc()
        return "451 4.3.0 Not possible at the moment"


def _later(office: Office, line: str, reason: str) -> str:
    MAILS.labels("later").inc()
    log.warning("mail_not_taken", office=office.id, reason=reason)
    return line
