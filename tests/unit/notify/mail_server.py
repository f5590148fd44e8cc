"""SMTP servers for tests: a real one with a ledger, and one that breaks off where it is told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "jejak", "password-TEST-0001"


@dataclass
class MailServer:
    """What a server took, and how it is to answer. ``answers`` maps a verb to a line."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    taken: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Answer MAIL."""
        if "MAIL" not in self.answers:
            envelope.mail_from = address
        return self.answers.get("MAIL", "250 2.1.0 Ok")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Answer RCPT."""
        if "RCPT" not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 2.1.5 Ok")

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        """Take a mail, or refuse it."""
        if "." in self.answers:
            return self.answers["."]
        self.taken.append(envelope.content)
        self.recipients.extend(envelope.rcpt_tos)
        return f"250 2.0.0 Ok: queued as 4bX{len(self.taken):07d}"


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None, **more: Any) -> AsyncIterator[MailServer]:
    """Run a real SMTP server; with ``tls`` it offers STARTTLS and asks for a login."""
    found = MailServer(**more)

    def protocol() -> SMTP:
        return SMTP(
            found,
            hostname="mail.example.org",
            tls_context=tls,
            auth_required=tls is not None,
            authenticator=_authenticate,
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


def _authenticate(server: Any, session: Any, envelope: Any, way: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and given == LoginPassword(
        USER.encode(), PASSWORD.encode()
    )
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def breaking_server(
    after: str, greeting: bytes = b"220 mail.example.org\r\n", final: bytes = b""
) -> AsyncIterator[int]:
    """Run a server that hangs up when it hears ``after``: a verb, ``body`` or ``.``.

    Instead of hanging up after the dot it says ``final``.
    """

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while (line := await reader.readline()) and not line.upper().startswith(after.encode()):
            data = line.upper().startswith(b"DATA")
            writer.write(b"354 go on\r\n" if data else b"250 Ok\r\n")
            if data and after == "body":
                break
            if data:
                while await reader.readline() not in (b".\r\n", b""):
                    pass
                writer.write(final)
                break
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def certificate(folder: Path) -> Mapping[str, ssl.SSLContext]:
    """Return a server's context with a fresh certificate, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.org")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return {"server": server, "client": ssl.create_default_context(cafile=str(file))}
