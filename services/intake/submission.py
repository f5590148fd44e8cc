"""Submitting: from a checked request to a registration number, a secret code and a receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from services.intake.application import DECIDER
from services.intake.catalogue import ONLINE, IntakeSection
from services.intake.commands import Authority, SubmitApplication
from services.intake.inspection import check_extension
from services.intake.numbering import Numbers
from services.intake.secrecy import Secrecy, code_hash, in_order, instant
from services.intake.states import File, NotSubmitted, held, stream
from services.intake.uploads import Stored, Uploads, clean_name
from shared.actors import Actor
from shared.contracts.intake import Applicant, Document
from shared.errors import InvalidInput
from shared.handle import Handler
from shared.ids import derived_id, new_id
from shared.offices import Office, PermitType
from shared.service import Now


class RequiredDocuments(InvalidInput):
    """An online application without all required documents; ``requirements`` are their ids."""

    code: ClassVar[str] = "required-documents"
    text: ClassVar[str] = "Required documents are missing: {requirements}."


class UnknownRequirement(InvalidInput):
    """A document for something that is not required, or two for the same."""

    code: ClassVar[str] = "unknown-requirement"
    text: ClassVar[str] = "Send one document for each requirement of this permit type, no others."


class NotRenewable(InvalidInput):
    """A permit to renew was named, and permits of this type are not renewed."""

    code: ClassVar[str] = "not-renewable"
    text: ClassVar[str] = "Permits of this type are not renewed. Apply for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An uploaded document as it is handed in: for which requirement, under which name."""

    requirement: str
    sha256: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """An application as it is handed in, every value checked but the documents."""

    office: Office
    kind: PermitType
    section: IntakeSection
    authority: Authority | None
    channel: str
    applicant: Applicant
    answers: Mapping[str, str]
    documents: tuple[Document, ...]
    renews: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the applicant gets. ``code`` is empty when the secret that made it was replaced."""

    file: File
    code: str
    signature: str

    @property
    def application_id(self) -> str:
        """The application's id."""
        return self.file.submission.application_id

    def receipt(self) -> dict[str, Any]:
        """Return the receipt for programs; its signature can be checked at ``/terima``."""
        submission = self.file.submission
        return {
            "number": submission.number,
            "office": submission.office,
            "permit_type": submission.permit_type,
            "submitted_at": instant(self.file.submitted_at),
            "documents": [
                {"requirement": document.requirement, "sha256": document.sha256}
                for document in in_order(submission.documents)
            ],
            "signature": self.signature,
            "verify": f"/terima/{submission.number}/{self.signature}",
        }


class Submissions:
    """Takes applications in."""

    def __init__(
        self, handler: Handler, numbers: Numbers, uploads: Uploads, secrecy: Secrecy, now: Now
    ) -> None:
        """Append through ``handler``; ``uploads`` holds what an application may name."""
        self._handler = handler
        self._numbers = numbers
        self._uploads = uploads
        self._secrecy = secrecy
        self._now = now
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def submit(self, handed: Handed, by: Actor, key: str | None = None) -> Accepted:
        """Take an application in, once per ``key``; a retry gets the same number and code.

        Raises RequiredDocuments, NotRenewable, StoreFull, Unavailable and the decider's refusals,
        such as KeyReused.
        """
        if handed.renews and not handed.kind.renewable:
            raise NotRenewable
        if handed.channel == ONLINE:
            _check_required(handed)
        if key is None:
            return await self._submit(new_id(), handed, by)
        application_id = derived_id("application", key)
        # Two tries at the same time must not take two numbers.
        lock = self._locks.setdefault(application_id, asyncio.Lock())
        async with lock:
            loaded = await self._handler.load(DECIDER, stream(application_id))
            if isinstance(loaded.state, NotSubmitted):
                return await self._submit(application_id, handed, by)
            DECIDER.decide(self._command(application_id, handed, by), loaded.state)
            return self._accepted(loaded.state.file)

    async def _submit(self, application_id: str, handed: Handed, by: Actor) -> Accepted:
        command = self._command(application_id, handed, by)
        # Decided once without a number, so that a refusal wastes none.
        DECIDER.decide(command, DECIDER.initial)
        number = await self._numbers.next(handed.office, command.now)
        # The cause is this try: what a retry of the same key means, the decider says.
        outcome = await self._handler.handle(
            DECIDER,
            stream(application_id),
            replace(command, number=number),
            cause=new_id(),
            application=application_id,
        )
        return self._accepted(held(outcome.state).file)

    def _command(self, application_id: str, handed: Handed, by: Actor) -> SubmitApplication:
        return SubmitApplication(
            now=self._now(),
            by=by,
            application_id=application_id,
            number="",
            office=handed.office.id,
            permit_type=handed.kind.id,
            permit_version=handed.kind.version,
            channel=handed.channel,
            channels=handed.office.channels,
            online=handed.office.takes_online(handed.kind.id),
            authority=handed.authority,
            applicant=handed.applicant,
            answers=handed.answers,
            documents=handed.documents,
            code_hash=code_hash(self._secrecy.code(application_id)),
            renews=handed.renews,
        )

    def _accepted(self, file: File) -> Accepted:
        submission = file.submission
        code = self._secrecy.code(submission.application_id)
        known = code_hash(code) == submission.code_hash
        signature = self._secrecy.sign(submission, instant(file.submitted_at))
        return Accepted(file, code if known else "", signature)

    async def accepted(self, application_id: str) -> Accepted:
        """Return once more what the applicant got. Raises NotFound."""
        loaded = await self._handler.load(DECIDER, stream(application_id))
        return self._accepted(held(loaded.state).file)

    async def documents(
        self, section: IntakeSection, named: Sequence[Named]
    ) -> tuple[Document, ...]:
        """Return uploaded documents as an application holds them.

        Raises UnknownRequirement, UnknownDocument, BadFileName, WrongExtension.
        """
        known = [item.id for item in section.requirements]
        asked = [item.requirement for item in named]
        if len(set(asked)) != len(asked) or not set(asked) <= set(known):
            raise UnknownRequirement
        kept = await self._uploads.find([item.sha256 for item in named])
        found = [_document(item, stored) for item, stored in zip(named, kept, strict=True)]
        return tuple(sorted(found, key=lambda document: known.index(document.requirement)))


def _document(named: Named, stored: Stored) -> Document:
    name = clean_name(named.name)
    check_extension(name, stored.media_type)
    return Document(
        requirement=named.requirement,
        name=name,
        sha256=stored.sha256,
        size=stored.size,
        media_type=stored.media_type,
    )


def _check_required(handed: Handed) -> None:
    there = {document.requirement for document in handed.documents}
    missing = [required for required in handed.section.required if required not in there]
    if missing:
        raise RequiredDocuments(requirements=", ".join(missing))
