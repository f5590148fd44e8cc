"""What intake publishes: an application from submission to registration, and mail that came in.

Streams: ``application-{id}``, ``mail-{id}`` and ``office-{id}``. Class names are the storage
format; see ``registry.event`` before touching anything here.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.registry import event
from shared.privacy import Personal


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who applies. ``phone`` is E.164, ``language`` is ``id`` or ``en``."""

    name: Personal
    nik: Personal
    phone: Personal
    email: Personal = ""
    address: Personal = ""
    language: str = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One uploaded document for one requirement. ``sha256`` is lower-case hex of its bytes."""

    requirement: str
    name: Personal
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcoming:
    """Why one requirement is not met."""

    requirement: str
    reason: str


@event("ApplicationSubmitted", version=2)
class ApplicationSubmitted:
    """An application came in and has its registration number.

    ``permit_version`` is the permit type's version it keeps for ever; ``channel`` is ``online``,
    ``counter``, ``email``, ``phone`` or a foreign log's own word; ``answers`` holds the form's
    fields by name; ``code_hash`` is the SHA-256 (hex) of the secret tracking code. ``renews`` is
    the number of the permit that this one is to take the place of, or empty.
    """

    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    channel: str
    applicant: Applicant
    answers: dict[str, Personal]
    documents: tuple[Document, ...]
    code_hash: str
    renews: str = ""


@event("ApplicationReturned")
class ApplicationReturned:
    """The completeness check found something missing; the applicant has to correct it."""

    application_id: str
    shortcomings: tuple[Shortcoming, ...]
    note: str = ""


@event("ApplicationCorrected")
class ApplicationCorrected:
    """The applicant corrected and sent it again. Holds everything as it now stands."""

    application_id: str
    answers: dict[str, Personal]
    documents: tuple[Document, ...]


@event("ApplicantPhoneCorrected")
class ApplicantPhoneCorrected:
    """The counter put the applicant's mobile number right: messages go to ``phone`` from now on.

    ``phone`` is E.164; ``reason`` is the officer's own words: how they know.
    """

    application_id: str
    office: str
    phone: Personal
    reason: str


@event("ApplicationRegistered")
class ApplicationRegistered:
    """The application is complete: the legal clock starts at this instant.

    ``planned_end`` is an ISO 8601 instant that a foreign log planned, or empty.
    """

    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    planned_end: str = ""


@event("ApplicationForwarded")
class ApplicationForwarded:
    """The application came to an office without authority for it, and belongs to ``office`` now.

    ``level`` is the level with authority; the registration number stays.
    """

    application_id: str
    number: str
    from_office: str
    office: str
    level: str
    reason: str


@event("ApplicationWithdrawn")
class ApplicationWithdrawn:
    """The applicant took the application back."""

    application_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDocument:
    """One attachment that was taken. ``sha256`` is lower-case hex of its bytes."""

    name: Personal
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAttachment:
    """One attachment that was not taken; ``reason`` is the refusal's code."""

    name: Personal
    reason: str


@event("MailReceived")
class MailReceived:
    """An e-mail came in for an office.

    ``sender`` is what the mail says; nobody has proved it. ``warnings`` are codes: ``spf-failed``,
    ``dkim-failed``, ``dmarc-failed``, ``cut-off``, ``text-shortened``.
    """

    mail_id: str
    office: str
    sender: Personal
    subject: Personal
    text: Personal
    documents: tuple[MailDocument, ...]
    refused: tuple[RefusedAttachment, ...]
    warnings: tuple[str, ...]


@event("MailFiled")
class MailFiled:
    """The counter made an application of the mail, or added its documents to one."""

    mail_id: str
    application_id: str


@event("MailSetAside")
class MailSetAside:
    """The counter found nothing in the mail to make an application of."""

    mail_id: str
    reason: str


@event("RegistrationNumbersReserved")
class RegistrationNumbersReserved:
    """``count`` numbers from ``first`` on were set aside for one office and year."""

    office: str
    year: int
    first: int
    count: int
