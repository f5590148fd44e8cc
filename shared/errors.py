"""The one error tree.

::

    JejakError
    ├── InvalidInput            422  the input cannot be understood or is not allowed to exist
    │   ├── TooLarge            413
    │   └── UnsupportedDocument 415
    ├── NotSignedIn             401  nobody is asking
    ├── NotAllowed              403  somebody is asking who may not
    ├── NotFound                404
    ├── Refused                 409  a decider said no; subclasses live beside their decider
    │   └── KeyReused           409  the same idempotency key, another request
    ├── StaleScreen             412  the person looked at an older version
    ├── WrongExpectedVersion    412  somebody else appended first (retried by ``handle``)
    ├── TooManyRequests         429
    ├── Unavailable             503  a part is down; trying again later may work
    │   └── StoreFull           507
    └── Defect                  500  our own data or configuration is wrong; a person must look
        ├── UndecodableEvent         an unknown type or version, or broken data
        ├── EventIdReused            one event id, two different facts
        └── BadConfiguration         a file of ours is wrong; says which and why

A message is an English msgid with ``{placeholders}``; ``shared.web.i18n`` translates it. Parameters
must never hold personal data or what the caller sent: they reach logs and answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class JejakError(Exception):
    """Base of all errors: a stable ``code``, an HTTP ``status`` and a translatable message."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    text: ClassVar[str] = "Something went wrong."

    def __init__(self, *, allowed: Sequence[str] = (), **params: str | int) -> None:
        """``allowed`` names what may be done instead (command names); ``params`` fill the text."""
        self.allowed = tuple(allowed)
        self.params = params
        super().__init__(self.message().format(**params))

    def message(self) -> str:
        """Return the msgid, with its placeholders still open."""
        return self.text


class InvalidInput(JejakError):
    """The input cannot be understood. ``field`` and ``reason`` may be given as parameters."""

    code = "invalid-input"
    status = 422
    text = "Some of what was sent is not valid."


class TooLarge(InvalidInput):
    """More bytes than allowed."""

    code = "too-large"
    status = 413
    text = "What was sent is too large. The limit is {limit}."


class UnsupportedDocument(InvalidInput):
    """A document that is not what its name says, or of a kind we do not take."""

    code = "unsupported-document"
    status = 415
    text = "This document can't be accepted. Send a PDF, JPEG or PNG file that opens normally."


class NotSignedIn(JejakError):
    """Nobody is signed in."""

    code = "not-signed-in"
    status = 401
    text = "Please sign in first."


class NotAllowed(JejakError):
    """The person asking has no right to do this, here."""

    code = "not-allowed"
    status = 403
    text = "Your account may not do this."


class NotFound(JejakError):
    """There is nothing at this address. Never says whether it existed."""

    code = "not-found"
    status = 404
    text = "There is nothing here, or the number and code do not belong together."


class Refused(JejakError):
    """A decider refused the command; ``allowed`` says what may be done instead."""

    code = "refused"
    status = 409
    text = "This can't be done now."


class KeyReused(Refused):
    """An Idempotency-Key came again with another request."""

    code = "idempotency-key-reused"
    text = "This request key was already used for something else."


class StaleScreen(JejakError):
    """The page that sent this showed an older version of the permit."""

    code = "stale-screen"
    status = 412
    text = "Something changed since this page was opened. Look at it again and repeat your step."


class WrongExpectedVersion(JejakError):
    """The stream is not at the version the caller expected."""

    code = "wrong-expected-version"
    status = 412
    text = "The record is at version {actual}, not at {expected}."


class TooManyRequests(JejakError):
    """A limit was reached; ``seconds`` says when to try again."""

    code = "too-many-requests"
    status = 429
    text = "Too many tries. Wait {seconds} seconds and try again."


class Unavailable(JejakError):
    """A part we need does not answer. Nothing was recorded."""

    code = "unavailable"
    status = 503
    text = "The system can't answer right now. Nothing was recorded; please try again shortly."


class StoreFull(Unavailable):
    """The disk is full. Nothing was recorded."""

    code = "store-full"
    status = 507
    text = "The storage is full. Nothing was recorded; the operator has to make room."


class Defect(JejakError):
    """Our own data or configuration is wrong."""

    code = "defect"
    status = 500
    text = "Something is wrong on our side. It was recorded and people will look at it."


class UndecodableEvent(Defect):
    """A stored event that the codec cannot read: it is parked, never dropped."""

    code = "undecodable-event"
    text = "Event type {type} version {version} can't be read."


class EventIdReused(Defect):
    """One event id was used for two different appends."""

    code = "event-id-reused"
    text = "An event id in stream {stream} was used before for something else."


class BadConfiguration(Defect):
    """A configuration file is wrong."""

    code = "bad-configuration"
    text = "{file}: {reason}"
