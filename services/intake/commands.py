"""What can be asked of an application; ``application.decide`` answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from shared.actors import Actor
from shared.contracts.intake import Applicant, Document, Shortcoming


@dataclass(frozen=True, slots=True)
class Authority:
    """Who decides on an application: a level, and the office of that level.

    ``office`` is empty when no office of that level has the permit type here.
    """

    level: str
    office: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitApplication:
    """Hand in an application. ``number`` is reserved; ``channels`` are those the office takes.

    ``online`` says whether the office has switched on online intake for this permit type.
    ``authority`` is None when the office itself decides. ``renews`` is the number of the permit
    that this one is to take the place of, or empty. ``code_hash`` is the SHA-256 (hex) of the
    secret tracking code.
    """

    now: datetime
    by: Actor
    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    channel: str
    channels: tuple[str, ...]
    online: bool = True
    authority: Authority | None = None
    applicant: Applicant
    answers: Mapping[str, str]
    documents: tuple[Document, ...]
    code_hash: str
    renews: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnApplication:
    """The counter asks for what is missing, requirement by requirement, with reasons."""

    now: datetime
    by: Actor
    shortcomings: tuple[Shortcoming, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenForCorrection:
    """A later stage asked the applicant for a correction, so intake takes one again."""

    now: datetime
    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectApplication:
    """The applicant sends everything again as it now stands.

    ``required`` are the requirements that need a document, by the version the permit keeps.
    ``authority`` is as in ``SubmitApplication``, over the corrected answers; it counts only until
    the application is registered.
    """

    now: datetime
    by: Actor
    answers: Mapping[str, str]
    documents: tuple[Document, ...]
    required: tuple[str, ...]
    authority: Authority | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectPhone:
    """The counter learnt that the mobile number is another one. ``phone`` is E.164."""

    now: datetime
    by: Actor
    phone: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterApplication:
    """The counter found the application complete. ``required`` as in ``CorrectApplication``."""

    now: datetime
    by: Actor
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawApplication:
    """The applicant takes it back. ``office_decided``: the permit was issued or rejected."""

    now: datetime
    by: Actor
    reason: str
    office_decided: bool = False


ApplicationCommand: TypeAlias = (
    SubmitApplication
    | ReturnApplication
    | ReopenForCorrection
    | CorrectApplication
    | CorrectPhone
    | RegisterApplication
    | WithdrawApplication
)
