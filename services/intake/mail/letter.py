"""One e-mail, from its arrival to what the counter made of it: decide and evolve.

Stream ``mail-{mail_id}``. ::

    NotReceived ──Receive──▶ Waiting ──File──▶ Filed
                                 └──SetAside──▶ SetAside ──File──▶ Filed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias, assert_never

from services.intake.refusals import CounterOnly, MailFiledBefore, OtherOffice
from shared.actors import Actor, Role
from shared.contracts.intake import MailFiled, MailReceived, MailSetAside
from shared.decider import Decider
from shared.errors import NotFound
from shared.events import AnyFact

WAITING, FILED, ASIDE = "waiting", "filed", "aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveMail:
    """Take a mail in; every attachment is checked, and those named are safely kept."""

    now: datetime
    by: Actor
    mail: MailReceived


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMail:
    """Its documents are in an application now."""

    now: datetime
    by: Actor
    application_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMailAside:
    """There is nothing in it for an application."""

    now: datetime
    by: Actor
    reason: str


MailCommand: TypeAlias = ReceiveMail | FileMail | SetMailAside


@dataclass(frozen=True, slots=True)
class NotReceived:
    """Nothing came in yet."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """It waits for the counter."""

    status: ClassVar[str] = WAITING

    mail: MailReceived
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Filed:
    """Its documents are in the application."""

    status: ClassVar[str] = FILED

    mail: MailReceived
    received_at: datetime
    application_id: str


@dataclass(frozen=True, slots=True)
class Aside:
    """It was set aside; a mistake can be put right by filing it after all."""

    status: ClassVar[str] = ASIDE

    mail: MailReceived
    received_at: datetime
    reason: str


Letter: TypeAlias = Waiting | Filed | Aside
State: TypeAlias = NotReceived | Letter


def mail_stream(mail_id: str) -> str:
    """Return the name of a mail's stream."""
    return f"mail-{mail_id}"


def received(state: State) -> Letter:
    """Return the state of a mail that is there. Raises NotFound."""
    if isinstance(state, NotReceived):
        raise NotFound
    return state


def decide(command: MailCommand, state: State) -> Sequence[object]:
    """Return what happens; ``[]`` for what already happened. Raises the refusals."""
    if isinstance(command, ReceiveMail):
        return [command.mail] if isinstance(state, NotReceived) else []
    letter = received(state)
    _allow_counter(command.by, letter.mail.office)
    match command:
        case FileMail(application_id=application_id):
            return _file(letter, application_id)
        case SetMailAside(reason=reason):
            return _set_aside(letter, reason)
        case _:
            assert_never(command)


def _file(letter: Letter, application_id: str) -> Sequence[object]:
    if isinstance(letter, Filed):
        if letter.application_id == application_id:
            return []
        raise MailFiledBefore
    return [MailFiled(mail_id=letter.mail.mail_id, application_id=application_id)]


def _set_aside(letter: Letter, reason: str) -> Sequence[object]:
    match letter:
        case Waiting():
            return [MailSetAside(mail_id=letter.mail.mail_id, reason=reason)]
        case Aside():
            return []
        case Filed():
            raise MailFiledBefore
        case _:
            assert_never(letter)


def _allow_counter(by: Actor, office: str) -> None:
    if by.kind == "system":
        # The mail room itself catches up with what a process left undone when it died.
        return
    if Role.COUNTER not in by.roles:
        raise CounterOnly
    if by.office != office:
        raise OtherOffice


def evolve(state: State, fact: AnyFact) -> State:
    """Return the state after ``fact``; accepts every fact in any state."""
    event = fact.event
    if isinstance(event, MailReceived):
        return Waiting(event, fact.at)
    if isinstance(state, NotReceived):
        return state
    match event:
        case MailFiled(application_id=application_id):
            return Filed(state.mail, state.received_at, application_id)
        case MailSetAside(reason=reason):
            return Aside(state.mail, state.received_at, reason)
        case _:
            return state


DECIDER: Decider[State] = Decider(NotReceived(), decide, evolve)
