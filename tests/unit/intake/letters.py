"""E-mails made on the spot: good ones, and each kind of bad one."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP

from tests.unit.intake import papers

OFFICE = "berkas@tebet.example.org"
SENDER = "pemohon@example.org"


def mail(
    attachments: Mapping[str, bytes] | None = None,
    *,
    text: str = "Terlampir berkas saya — terima kasih.",
    subject: str = "Permohonan IMB",
    message_id: str = "<satu@example.org>",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a mail with attachments, by file name."""
    made = EmailMessage(policy=SMTP)
    made["From"] = f"Pemohon Contoh <{SENDER}>"
    made["To"] = OFFICE
    made["Subject"] = subject
    made["Message-ID"] = message_id
    for name, value in (headers or {}).items():
        made[name] = value
    made.set_content(text)
    given = {"ktp.pdf": papers.pdf("ktp")} if attachments is None else attachments
    for name, content in given.items():
        made.add_attachment(content, "application", "octet-stream", filename=name)
    if made.is_multipart():
        # Else a random one: each delivery of a mail has the same.
        made.set_boundary("contoh")
    return made.as_bytes()


def nested(depth: int) -> bytes:
    """Return a mail in a mail in a mail, ``depth`` deep."""
    inner = b"From: a@example.org\r\nSubject: in\r\n\r\nisi\r\n"
    for _ in range(depth):
        inner = (
            b"From: a@example.org\r\nSubject: out\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: message/rfc822\r\n\r\n" + inner
        )
    return inner


def forwarded() -> bytes:
    """Return a mail that passes another one on, with its attachment."""
    outer = EmailMessage(policy=SMTP)
    outer["From"], outer["Subject"] = SENDER, "Fwd: berkas"
    outer.set_content("Saya teruskan.")
    inner = EmailMessage(policy=SMTP)
    inner["From"], inner["Subject"] = "anak@example.org", "berkas"
    inner.set_content("Ini berkasnya.")
    inner.add_attachment(papers.pdf("ktp"), "application", "pdf", filename="ktp.pdf")
    outer.add_attachment(inner)
    return outer.as_bytes()


def raw(headers: str, body: bytes = b"isi\r\n") -> bytes:
    """Return a mail as some program wrote it."""
    return headers.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body
