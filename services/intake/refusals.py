"""Why a command is refused, as typed errors. ``allowed`` names the commands that may be given.

::

    NotAllowed  OtherOffice, CounterOnly
    Refused     ChannelClosed, NotOnlineYet, BeyondAuthority, NothingSubmitted,
                AlreadyRegistered, NotRegistered, WaitingForApplicant, NothingToCorrect,
                DocumentsMissing, StillTheSame, AlreadyWithdrawn, AlreadyDecided,
                MailFiledBefore
"""

from __future__ import annotations

from typing import ClassVar

from shared.errors import NotAllowed, Refused

# What may be done instead, as refusals name it.
SUBMIT, CORRECT, RETURN = "SubmitApplication", "CorrectApplication", "ReturnApplication"
WITHDRAW = "WithdrawApplication"


class OtherOffice(NotAllowed):
    """An officer of another office."""

    code: ClassVar[str] = "other-office"
    text: ClassVar[str] = "This application belongs to another office."


class CounterOnly(NotAllowed):
    """Somebody without the counter's role."""

    code: ClassVar[str] = "counter-only"
    text: ClassVar[str] = "Only an officer at the counter may do this."


class ChannelClosed(Refused):
    """The office takes no applications this way; ``allowed`` names the ways it does."""

    code: ClassVar[str] = "channel-closed"
    text: ClassVar[str] = "This office does not take applications this way."


class NotOnlineYet(Refused):
    """The office has not switched on online intake for this permit type; ``allowed`` as above."""

    code: ClassVar[str] = "not-online-yet"
    text: ClassVar[str] = "This permit can't be applied for online at this office yet."


class BeyondAuthority(Refused):
    """Another level of government decides, and none of its offices takes the type here."""

    code: ClassVar[str] = "beyond-authority"
    text: ClassVar[str] = (
        "An office at the level {level} decides on this, and none is connected here. Apply there."
    )


class NothingSubmitted(Refused):
    """There is no application yet."""

    code: ClassVar[str] = "nothing-submitted"
    text: ClassVar[str] = "No application was submitted yet."


class AlreadyRegistered(Refused):
    """The completeness check is over."""

    code: ClassVar[str] = "already-registered"
    text: ClassVar[str] = "This application is already registered. The back office works on it."


class NotRegistered(Refused):
    """A later stage asks for a correction of what it can't have yet."""

    code: ClassVar[str] = "not-registered"
    text: ClassVar[str] = "This application is not registered yet."


class WaitingForApplicant(Refused):
    """It was returned, and the applicant has not sent it again."""

    code: ClassVar[str] = "waiting-for-applicant"
    text: ClassVar[str] = "This application was returned and waits for the applicant's correction."


class NothingToCorrect(Refused):
    """Nobody asked for a correction."""

    code: ClassVar[str] = "nothing-to-correct"
    text: ClassVar[str] = "No correction was asked for. The office has everything it needs now."


class DocumentsMissing(Refused):
    """Required documents are not there; ``requirements`` are their ids."""

    code: ClassVar[str] = "documents-missing"
    text: ClassVar[str] = "Required documents are missing: {requirements}."


class StillTheSame(Refused):
    """A document that was found wanting was sent again unchanged."""

    code: ClassVar[str] = "still-the-same"
    text: ClassVar[str] = (
        "These documents were returned and have not been replaced: {requirements}."
    )


class AlreadyWithdrawn(Refused):
    """The applicant took it back before."""

    code: ClassVar[str] = "already-withdrawn"
    text: ClassVar[str] = "This application was withdrawn. A new one can be submitted."


class AlreadyDecided(Refused):
    """The office issued or rejected the permit."""

    code: ClassVar[str] = "already-decided"
    text: ClassVar[str] = "The office has already decided, so it can't be withdrawn any more."


class MailFiledBefore(Refused):
    """Somebody made an application of this mail before."""

    code: ClassVar[str] = "mail-filed-before"
    text: ClassVar[str] = "An application was already made of this e-mail. Look at it again."
