"""What an application can be, one type per state, and how facts change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, TypeAlias

from shared.contracts.intake import (
    ApplicantPhoneCorrected,
    ApplicationCorrected,
    ApplicationForwarded,
    ApplicationRegistered,
    ApplicationReturned,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    Document,
    Shortcoming,
)
from shared.errors import NotFound
from shared.events import AnyFact


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What the office holds: the submission as it came in, and what it became by corrections.

    ``answers`` and ``documents`` are as they now stand; ``earlier`` are replaced documents;
    ``forwarded_to`` is the office it was handed over to, the last one; ``corrected_phone`` is the
    applicant's mobile number where the counter put it right.
    """

    submission: ApplicationSubmitted
    submitted_at: datetime
    answers: Mapping[str, str]
    documents: tuple[Document, ...]
    earlier: tuple[Document, ...] = ()
    corrections: int = 0
    forwarded_to: str = ""
    corrected_phone: str = ""

    @property
    def phone(self) -> str:
        """The applicant's mobile number as it is known now, E.164."""
        return self.corrected_phone or self.submission.applicant.phone

    @property
    def office(self) -> str:
        """The id of the office it belongs to: where it came in, or was handed over to."""
        return self.forwarded_to or self.submission.office

    @property
    def number(self) -> str:
        """The registration number."""
        return self.submission.number


@dataclass(frozen=True, slots=True)
class NotSubmitted:
    """Nothing came in yet."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """It waits for the counter's completeness check."""

    status: ClassVar[str] = "submitted"

    file: File


@dataclass(frozen=True, slots=True)
class Returned:
    """It waits for the applicant. ``registered``: it was complete once, the permit is open."""

    status: ClassVar[str] = "returned"

    file: File
    shortcomings: tuple[Shortcoming, ...]
    note: str
    registered: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """It is complete; the back office works on the permit."""

    status: ClassVar[str] = "registered"

    file: File


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The applicant took it back."""

    status: ClassVar[str] = "withdrawn"

    file: File
    reason: str


Held: TypeAlias = Submitted | Returned | Registered | Withdrawn
State: TypeAlias = NotSubmitted | Held


def evolve(state: State, fact: AnyFact) -> State:
    """Return the state after ``fact``; accepts every fact in any state."""
    if isinstance(fact.event, ApplicationSubmitted):
        event = fact.event
        return Submitted(
            File(
                submission=event,
                submitted_at=fact.at,
                answers=event.answers,
                documents=event.documents,
            )
        )
    return state if isinstance(state, NotSubmitted) else _evolve(state, fact.event)


def _evolve(state: Held, event: object) -> State:
    was_registered = isinstance(state, Registered) or (
        isinstance(state, Returned) and state.registered
    )
    match event:
        case ApplicationReturned():
            return Returned(state.file, event.shortcomings, event.note, was_registered)
        case ApplicationCorrected():
            file = _corrected(state.file, event)
            return Registered(file) if was_registered else Submitted(file)
        case ApplicationRegistered():
            return Registered(state.file)
        case ApplicationForwarded():
            return replace(state, file=replace(state.file, forwarded_to=event.office))
        case ApplicantPhoneCorrected():
            return replace(state, file=replace(state.file, corrected_phone=event.phone))
        case ApplicationWithdrawn():
            return Withdrawn(state.file, event.reason)
        case _:
            return state


def _corrected(file: File, event: ApplicationCorrected) -> File:
    kept = {document.sha256 for document in event.documents}
    replaced = tuple(document for document in file.documents if document.sha256 not in kept)
    return replace(
        file,
        answers=event.answers,
        documents=event.documents,
        earlier=(*file.earlier, *replaced),
        corrections=file.corrections + 1,
    )


def stream(application_id: str) -> str:
    """Return the name of an application's stream."""
    return f"application-{application_id}"


def held(state: State) -> Held:
    """Return the state of an application that is there. Raises NotFound."""
    if isinstance(state, NotSubmitted):
        raise NotFound
    return state
