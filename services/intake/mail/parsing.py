"""Reading an e-mail that anybody may have sent: under limits, and never trusting what it says.

What is wrong with the whole mail refuses it, so that the sender's server tells the sender why:
``TooManyAttachments``, ``TooManyParts``, ``TooDeep``, ``HugeHeaders``, ``UnreadableMail`` (all
``MailRefused``).
Everything else is read as well as it can be. The old parser of the standard library is used on
purpose: it looks at a header only when asked, where the new one can be kept busy by a long one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from email.errors import CloseBoundaryNotFoundDefect, MessageError, StartBoundaryNotFoundDefect
from email.feedparser import BytesFeedParser
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Any, ClassVar, NamedTuple

from services.intake.inspection import EXTENSIONS, sniff
from shared.errors import InvalidInput

MAX_BYTES = 25 * 1024 * 1024
LIMIT_TEXT = "25 MB"
MAX_ATTACHMENTS, MAX_PARTS, MAX_DEPTH = 20, 100, 10
MAX_HEADERS, MAX_HEADER = 500, 20_000
MAX_TEXT, MAX_SUBJECT, MAX_ADDRESS, MAX_SHOWN_NAME = 20_000, 200, 254, 120

_FAILED = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*(?:soft|hard)?fail\b", re.IGNORECASE)
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_CUT = (CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect)
# What makes two deliveries the same mail; servers on the way add headers of their own.
_OWN_HEADERS = ("message-id", "date", "from", "subject")


class MailRefused(InvalidInput):
    """The whole mail is refused."""

    code: ClassVar[str] = "mail-refused"


class TooManyAttachments(MailRefused):
    """More attachments than anybody sorts at a counter."""

    code: ClassVar[str] = "too-many-attachments"
    text: ClassVar[str] = "More than {limit} attachments. Send them in several e-mails."


class TooManyParts(MailRefused):
    """Parts without end."""

    code: ClassVar[str] = "too-many-parts"
    text: ClassVar[str] = "This e-mail has too many parts. Send the documents as attachments."


class TooDeep(MailRefused):
    """Mails within mails within mails."""

    code: ClassVar[str] = "too-deep"
    text: ClassVar[str] = (
        "E-mails are attached within e-mails too deeply. Send the documents alone."
    )


class HugeHeaders(MailRefused):
    """Headers that no mail program writes."""

    code: ClassVar[str] = "huge-headers"
    text: ClassVar[str] = "The headers of this e-mail are too long."


class UnreadableMail(MailRefused):
    """Headers that no program can make sense of: trying again would not help."""

    code: ClassVar[str] = "unreadable-mail"
    text: ClassVar[str] = "This e-mail is damaged and can't be read. Send it again."


class Attachment(NamedTuple):
    """One attachment as it was sent. ``name`` is unchecked."""

    name: str
    content: bytes


class Parsed(NamedTuple):
    """What a mail says. ``identity`` (hex) is the same for each delivery of the same mail."""

    identity: str
    sender: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...]
    warnings: tuple[str, ...]


class _Part(Message):
    """A part that takes no endless headers: the parser looks into some of them by itself."""

    def set_raw(self, name: str, value: str) -> None:
        """Take one header. Raises HugeHeaders."""
        if len(value) > MAX_HEADER or len(self) >= MAX_HEADERS:
            raise HugeHeaders
        super().set_raw(name, value)


def parse(content: bytes) -> Parsed:
    """Return what a mail says. Slow for a large one: call it in a thread. Raises MailRefused."""
    try:
        return _parse(content)
    except MailRefused:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # What the library stumbles over in parameters of headers that were put together wrongly.
        raise UnreadableMail from error


def _parse(content: bytes) -> Parsed:
    parser = BytesFeedParser(_factory=_counting(), policy=compat32)
    parser.feed(content)
    mail = parser.close()
    leaves = list(_leaves(mail, 0))
    attachments = tuple(_attachments(leaves))
    if len(attachments) > MAX_ATTACHMENTS:
        raise TooManyAttachments(limit=MAX_ATTACHMENTS)
    text = _text(leaves)
    return Parsed(
        identity=_identity(mail, content),
        sender=_sender(mail),
        subject=shown(_decoded(mail.get("subject", "")), MAX_SUBJECT),
        text=text[:MAX_TEXT],
        attachments=attachments,
        warnings=tuple(_warnings(mail, leaves, text)),
    )


def shown(words: str, limit: int) -> str:
    """Return ``words`` as one line that is safe to show: no control or direction characters."""
    text = unicodedata.normalize("NFC", words[: 2 * limit])
    kept = (" " if unicodedata.category(char) in _REFUSED_CATEGORIES else char for char in text)
    return " ".join("".join(kept).split())[:limit]


def _counting() -> Callable[..., _Part]:
    made = 0

    def part(policy: Any = compat32) -> _Part:
        nonlocal made
        made += 1
        if made > MAX_PARTS:
            raise TooManyParts
        return _Part(policy)

    return part


def _leaves(part: Any, depth: int) -> Iterator[Any]:
    """Yield the parts that hold something, also those of mails that were passed on."""
    if depth > MAX_DEPTH:
        raise TooDeep
    if not part.is_multipart():
        yield part
        return
    for inner in part.get_payload():
        yield from _leaves(inner, depth + 1)


def _is_text(leaf: Any) -> bool:
    if leaf.get_content_type() not in ("text/plain", "text/html"):
        return False
    return not _name(leaf) and leaf.get_content_disposition() != "attachment"


def _attachments(leaves: Sequence[Any]) -> Iterator[Attachment]:
    for leaf in leaves:
        if _is_text(leaf):
            continue
        content = leaf.get_payload(decode=True) or b""
        name = _name(leaf)
        if not name:
            ending = EXTENSIONS.get(sniff(content[:16]) or "", ("bin",))[0]
            name = f"lampiran.{ending}"
        yield Attachment(name, content)


def _name(leaf: Any) -> str:
    try:
        return _decoded(leaf.get_filename() or "")
    except (LookupError, ValueError, TypeError):
        # A charset that is none, or a name in pieces that do not fit.
        return "\0"


def _text(leaves: Sequence[Any]) -> str:
    """Return the mail's own words: the plain ones, else those of its HTML."""
    found = [leaf for leaf in leaves if _is_text(leaf)]
    plain = [leaf for leaf in found if leaf.get_content_type() == "text/plain"]
    said = [_words(leaf) for leaf in plain] or [_without_tags(_words(leaf)) for leaf in found]
    lines = "\n".join(said).replace("\r\n", "\n").split("\n")
    # One character more than is kept tells that it was more.
    return "\n".join(shown(line, MAX_TEXT + 1) for line in lines).strip()[: MAX_TEXT + 1]


def _words(leaf: Any) -> str:
    content: bytes = leaf.get_payload(decode=True) or b""
    content = content[: 8 * MAX_TEXT]
    try:
        return content.decode(leaf.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError, TypeError):
        return content.decode("utf-8", "replace")


class _Tags(HTMLParser):
    """Collects the words between tags."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a line, or something that nobody reads."""
        self._hidden += tag in ("script", "style", "head")
        if tag in ("br", "p", "div", "tr", "li"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End what nobody reads."""
        self._hidden -= tag in ("script", "style", "head") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        """Keep words."""
        if not self._hidden:
            self.words.append(data)


def _without_tags(html: str) -> str:
    reader = _Tags()
    # A declaration that is none ends what it can read; what came before it stays.
    with suppress(AssertionError):
        reader.feed(html)
    return "".join(reader.words)


def _decoded(raw: object) -> str:
    text = str(raw)
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError, MessageError):
        return text


def _sender(mail: Any) -> str:
    written = _decoded(mail.get("from", ""))
    _, address = parseaddr(written)
    return shown(address if "@" in address else written, MAX_ADDRESS)


def _warnings(mail: Any, leaves: Sequence[Any], text: str) -> Iterator[str]:
    """Yield what the counter should know.

    A check that failed counts whoever says so: a forger gains nothing by it. One that passed counts
    for nothing, for anybody can write that.
    """
    found = {
        name.lower()
        for header in mail.get_all("authentication-results", [])
        for name in _FAILED.findall(str(header))
    }
    yield from (f"{name}-failed" for name in ("spf", "dkim", "dmarc") if name in found)
    if any(isinstance(defect, _CUT) for part in mail.walk() for defect in part.defects):
        yield "cut-off"
    if len(text) > MAX_TEXT:
        yield "text-shortened"


def _identity(mail: Any, content: bytes) -> str:
    digest = hashlib.sha256()
    for name in _OWN_HEADERS:
        digest.update(f"{name}:{mail.get(name, '')}\n".encode("utf-8", "surrogatepass"))
    end = re.search(rb"\r?\n\r?\n", content)
    digest.update(memoryview(content)[end.end() if end else 0 :])
    return digest.hexdigest()
