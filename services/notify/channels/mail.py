"""E-mail by SMTP: one message, one recipient, a subject, a plain text and perhaps a paper.

The phases of one delivery say what is known when it breaks off. Until the line with the single dot
is sent, the server can't have taken the message, so it is tried again; after it only the answer
tells, and without one the outcome is unknown. The standard library's client is driven phase by
phase for that, in threads of its own: a slow server must not take those that everything shares.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from services.notify.channels.protocol import Effect, Failed, Later, Outgoing, Result, Sent, Unknown
from shared.errors import BadConfiguration
from shared.telemetry import log

# To connect, and for all that follows. Together they stay below the time after which a call counts
# as lost (JEJAK_MESSAGE_STUCK_SECONDS), or one that is under way would be taken for a dead one.
CONNECT_SECONDS, TALK_SECONDS = 8.0, 30.0
_AT_ONCE = 4
_ACCOUNT_SECONDS = 60.0
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
# Seven bits only: no server on the way has to be asked whether it can do more.
_POLICY = SMTP.clone(cte_type="7bit")
_SENDER = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
# Postfix, Exim and Sendmail say under which name the message lies in their queue.
_QUEUED = re.compile(r"(?:queued as |id=)([0-9A-Za-z-]{5,40})")


class Server(NamedTuple):
    """Where mail is handed in. ``security`` is ``smtp``, ``smtp+starttls`` or ``smtps``."""

    security: str
    host: str
    port: int
    user: str = ""
    password: str = ""


def server_of(url: str, user: str, password: str) -> Server:
    """Return the server of ``smtp+starttls://host:587``. Raises BadConfiguration.

    A password is never sent over a connection that anybody can read along.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username or parts.password:
        raise BadConfiguration(
            file="JEJAK_MAIL_URL",
            reason="write smtp://, smtp+starttls:// or smtps://, then host and port; "
            "name and password have settings of their own",
        )
    if user and parts.scheme == "smtp":
        raise BadConfiguration(
            file="JEJAK_MAIL_URL", reason="a password needs smtp+starttls:// or smtps://"
        )
    port = parts.port or _PORTS[parts.scheme]
    return Server(parts.scheme, parts.hostname, port, user, password)


def sender_of(address: str) -> str:
    """Return the sender's address. Raises BadConfiguration for one that no server would take."""
    if not _SENDER.fullmatch(address):
        raise BadConfiguration(
            file="JEJAK_MAIL_SENDER", reason="write an address, such as izin@contoh.go.id"
        )
    return address


class Mail:
    """Hands messages to one SMTP server."""

    name = "email"

    def __init__(
        self,
        server: Server,
        sender: str,
        now: Callable[[], datetime],
        *,
        tls: ssl.SSLContext | None = None,
        seconds: tuple[float, float] = (CONNECT_SECONDS, TALK_SECONDS),
    ) -> None:
        """``sender`` is what answers and bounces go to; ``seconds`` to connect, and to talk."""
        self._server = server
        self._sender = sender
        self._now = now
        self._tls = tls or ssl.create_default_context()
        self._connect, self._talk = seconds
        self._threads = ThreadPoolExecutor(_AT_ONCE, "smtp")

    async def send(self, message: Outgoing) -> Result:
        """Deliver one e-mail under our own id."""
        try:
            content = compose(message, self._sender, self._now())
        except (ValueError, IndexError, MessageError):
            # A line break in an address or a subject: the library composes no second header.
            return Failed("bad-mail", fallback=False)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._deliver, message, content)

    def _deliver(self, message: Outgoing, content: bytes) -> Result:
        opened = self._opened()
        if not isinstance(opened, smtplib.SMTP):
            return opened
        with _hanging_up(opened, self._talk):
            return (
                self._introduced(opened)
                or self._address(opened, message.recipient)
                or _hand_over(opened, content)
            )

    def _opened(self) -> smtplib.SMTP | Result:
        """Return the connection, or what came of it."""
        try:
            return self._connected()
        except ssl.SSLError:
            return self._trouble("smtp-tls", 0)
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code)
        except (OSError, smtplib.SMTPException):
            return Later("unreachable")

    def _introduced(self, client: smtplib.SMTP) -> Result | None:
        """Secure the connection and log in; return what came of it, None for success."""
        try:
            self._introduce(client)
        except smtplib.SMTPAuthenticationError as error:
            return self._trouble("smtp-account", error.smtp_code)
        except (ssl.SSLError, smtplib.SMTPNotSupportedError):
            return self._trouble("smtp-tls", 0)
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code)
        except (OSError, smtplib.SMTPException):
            return Later("smtp-broken")
        return None

    def _connected(self) -> smtplib.SMTP:
        server, own = self._server, self._sender.rpartition("@")[2]
        if server.security == "smtps":
            return smtplib.SMTP_SSL(
                server.host, server.port, own, timeout=self._connect, context=self._tls
            )
        return smtplib.SMTP(server.host, server.port, own, timeout=self._connect)

    def _introduce(self, client: smtplib.SMTP) -> None:
        client.ehlo_or_helo_if_needed()
        if self._server.security == "smtp+starttls":
            client.starttls(context=self._tls)
            client.ehlo_or_helo_if_needed()
        if self._server.user:
            client.login(self._server.user, self._server.password)

    def _address(self, client: smtplib.SMTP, recipient: str) -> Result | None:
        try:
            for code, _ in (client.mail(self._sender), client.rcpt(recipient)):
                if code not in (250, 251):
                    return _answered(code)
        except UnicodeEncodeError:
            return Failed("smtp-address")
        except ValueError:
            return Failed("bad-mail", fallback=False)
        except (OSError, smtplib.SMTPException):
            return Later("smtp-broken")
        return None

    def _trouble(self, reason: str, code: int) -> Later:
        # The message is not to blame: every one will wait until people act.
        log.error("smtp_needs_attention", reason=reason, provider_code=code)
        return Later(reason, _ACCOUNT_SECONDS, Effect.PAUSE)


@contextmanager
def _hanging_up(client: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Hang up in the end, and after ``seconds`` whatever the server is saying by then."""

    def cut() -> None:
        # The one of now: securing the connection puts another in its place.
        current = client.sock
        with suppress(OSError):
            if current is not None:
                # Not the TLS layer's own way to close, which would wait for the other side.
                socket.socket.shutdown(current, socket.SHUT_RDWR)

    if client.sock is not None:
        client.sock.settimeout(seconds)
    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        client.close()


def compose(message: Outgoing, sender: str, now: datetime) -> bytes:
    """Return the e-mail as it is sent. Raises ValueError for a line break in a header.

    The message's id is the Message-ID: who gets a second copy can tell that it is one.
    """
    mail = EmailMessage(policy=_POLICY)
    office = message.parameters.get("office", "")
    mail["From"] = Address(office, addr_spec=sender)
    mail["To"] = Address(addr_spec=message.recipient)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.message_id}@{sender.rpartition('@')[2]}>"
    mail["X-Jejak-Message"] = message.message_id
    # No machine is to answer a machine (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    for paper in message.papers:
        kind, _, detail = paper.media_type.partition("/")
        mail.add_attachment(paper.content, kind, detail, filename=paper.name)
    if mail.is_multipart():
        # Else a random one: the same message is the same bytes.
        mail.set_boundary(f"jejak-{message.message_id}")
    mail["Content-Language"] = message.language
    return mail.as_bytes()


def _hand_over(client: smtplib.SMTP, content: bytes) -> Result:
    try:
        code, _ = client.docmd("DATA")
        if code != 354:
            return _answered(code)
        client.send(re.sub(rb"(?m)^\.", b"..", content))
    except (OSError, smtplib.SMTPException):
        # Without the last dot there is no message.
        return Later("smtp-broken")
    try:
        client.send(b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")
        code, words = client.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Unknown(type(error).__name__)
    with suppress(OSError, smtplib.SMTPException):
        client.docmd("QUIT")
    if code == 250:
        queued = _QUEUED.search(words.decode("ascii", "replace"))
        return Sent(queued[1] if queued else "")
    return _answered(code) if 400 <= code < 600 else Unknown("smtp-unreadable")


def _answered(code: int) -> Result:
    """Return what a refusal comes to: 4yz is for now, 5yz for good (RFC 5321, 4.2.1)."""
    if 400 <= code < 500:
        return Later(f"smtp-{code}")
    if 500 <= code < 600:
        return Failed(f"smtp-{code}")
    # Not SMTP at all, or an answer to something that was not asked.
    return Later("smtp-unreadable")
