"""The mail room: takes mails in, and gives the counter's commands to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from services.intake.inspection import check_extension
from services.intake.mail.letter import (
    DECIDER,
    FileMail,
    Letter,
    MailCommand,
    NotReceived,
    ReceiveMail,
    SetMailAside,
    Waiting,
    mail_stream,
    received,
)
from services.intake.mail.parsing import MAX_SHOWN_NAME, Attachment, Parsed, parse, shown
from services.intake.mail.views import Mails
from services.intake.refusals import MailFiledBefore, OtherOffice
from services.intake.states import stream
from services.intake.uploads import Uploads, clean_name
from shared.actors import Actor, system
from shared.contracts.intake import MailDocument, MailReceived, RefusedAttachment
from shared.errors import InvalidInput, NotFound
from shared.handle import Handler
from shared.ids import derived_id, new_id
from shared.offices import Office
from shared.service import Now

_BY = system("mail")


class MailRoom:
    """Takes mails in once, and remembers what became of each."""

    def __init__(self, handler: Handler, uploads: Uploads, mails: Mails, now: Now) -> None:
        """``uploads`` checks and keeps attachments; ``mails`` is only waited for."""
        self._handler = handler
        self._uploads = uploads
        self._mails = mails
        self._now = now

    async def receive(self, office: Office, content: bytes) -> str:
        """Take a mail in and return its id, once it is safely recorded.

        The same mail again is the same id and records nothing. Raises MailRefused, StoreFull,
        Unavailable.
        """
        parsed = await asyncio.to_thread(parse, content)
        mail_id = derived_id("mail", office.id, parsed.identity)
        loaded = await self._handler.load(DECIDER, mail_stream(mail_id))
        if isinstance(loaded.state, NotReceived):
            mail = await self._checked(mail_id, office, parsed)
            command = ReceiveMail(now=self._now(), by=_BY, mail=mail)
            await self._give(mail_id, command, derived_id("mail received", mail_id))
        return mail_id

    async def _checked(self, mail_id: str, office: Office, parsed: Parsed) -> MailReceived:
        documents: dict[str, MailDocument] = {}
        refused = []
        for attachment in parsed.attachments:
            try:
                document = await self._keep(attachment)
            except InvalidInput as error:
                name = shown(attachment.name, MAX_SHOWN_NAME)
                refused.append(RefusedAttachment(name=name, reason=error.code))
            else:
                documents.setdefault(document.sha256, document)
        return MailReceived(
            mail_id=mail_id,
            office=office.id,
            sender=parsed.sender,
            subject=parsed.subject,
            text=parsed.text,
            documents=tuple(documents.values()),
            refused=tuple(refused),
            warnings=parsed.warnings,
        )

    async def _keep(self, attachment: Attachment) -> MailDocument:
        """Keep one attachment, by the checks of an upload."""
        name = clean_name(attachment.name)
        kept = await self._uploads.keep(_pieces(attachment.content))
        check_extension(name, kept.media_type)
        return MailDocument(
            name=name, sha256=kept.sha256, size=kept.size, media_type=kept.media_type
        )

    async def find(self, mail_id: str, office: str) -> Letter:
        """Return a mail as it is now. Raises NotFound, OtherOffice.

        A process that died between taking the application in and saying so is caught up with.
        """
        letter = await self._load(mail_id, office)
        application_id = derived_id("application", form_key(mail_id))
        if isinstance(letter, Waiting) and await self._handler.store.read_stream(
            stream(application_id)
        ):
            command = FileMail(now=self._now(), by=_BY, application_id=application_id)
            await self._give(mail_id, command, derived_id("mail caught up", mail_id))
            letter = await self._load(mail_id, office)
        return letter

    async def _load(self, mail_id: str, office: str) -> Letter:
        state = (await self._handler.load(DECIDER, mail_stream(mail_id))).state
        letter = received(state)
        if letter.mail.office != office:
            raise OtherOffice
        return letter

    async def open(self, mail_id: str, office: str) -> Letter:
        """Return a mail that no application was made of yet. Raises MailFiledBefore as well."""
        letter = await self.find(mail_id, office)
        if not isinstance(letter, Waiting):
            raise MailFiledBefore
        return letter

    async def may_file(self, mail_id: str, by: Actor, key: str) -> None:
        """Check, before anything is submitted, that the mail can be filed under a form's key.

        Raises NotFound, OtherOffice, CounterOnly, MailFiledBefore.
        """
        loaded = await self._handler.load(DECIDER, mail_stream(mail_id))
        application_id = derived_id("application", key)
        DECIDER.decide(
            FileMail(now=self._now(), by=by, application_id=application_id), loaded.state
        )

    async def file(self, mail_id: str, application_id: str, by: Actor) -> None:
        """Record that the mail's documents are in an application. Raises MailFiledBefore."""
        await self._give(
            mail_id, FileMail(now=self._now(), by=by, application_id=application_id), new_id()
        )

    async def set_aside(self, mail_id: str, reason: str, by: Actor) -> None:
        """Record that there is nothing in it. Raises MailFiledBefore."""
        await self._give(mail_id, SetMailAside(now=self._now(), by=by, reason=reason), new_id())

    async def _give(self, mail_id: str, command: MailCommand, cause: str) -> None:
        outcome = await self._handler.handle(
            DECIDER, mail_stream(mail_id), command, cause=cause, application=mail_id
        )
        if not isinstance(command, ReceiveMail):
            await self._mails.wait_for(mail_id, outcome.position)


def form_key(mail_id: str) -> str:
    """Return the idempotency key of the form that a mail opens: it makes one application."""
    return f"mail-{mail_id}"


def document_of(letter: Letter, sha256: str) -> MailDocument:
    """Return one of a mail's documents. Raises NotFound."""
    found: Sequence[MailDocument] = [
        document for document in letter.mail.documents if document.sha256 == sha256
    ]
    if not found:
        raise NotFound
    return found[0]


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    view = memoryview(content)
    for start in range(0, len(view), 1024 * 1024):
        yield bytes(view[start : start + 1024 * 1024])
