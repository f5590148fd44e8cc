"""One message that came in: states and decisions.

::

    NotReceived ─▶ Waiting ─▶ Settled    explains a stall, is unclear, asks for a status, or none

What a reply came to is decided once. STOP, MULAI and preferences are facts about a person, not
about the reply: they are on the person's own stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from services.notify.refusals import UnknownReply
from shared.actors import Actor
from shared.contracts.notify import (
    ReplyNotUnderstood,
    ReplyReceived,
    ReplyUnclear,
    StallReplyGiven,
    StatusAsked,
)
from shared.decider import Decider
from shared.events import AnyFact

# Commands


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveReply:
    """A message came in; see ``ReplyReceived``."""

    reply_id: str
    channel: str
    sender: str
    text: str
    received_at: str
    in_reply_to: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainByReply:
    """It explains one stall; see ``StallReplyGiven``."""

    application_id: str
    office: str
    stage: str
    stall_id: str
    account: str
    explanation: str
    promised: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWhich:
    """It may be about any of ``numbers``, or lacks the reason."""

    account: str
    numbers: tuple[str, ...]
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStatus:
    """It asks where ``applications`` stand."""

    applications: tuple[str, ...]
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """It asks for nothing that we know. ``answered``: a line was due today."""

    answered: bool
    now: datetime
    by: Actor


Outcome = ExplainByReply | AskWhich | AskStatus | GiveUp
Command = ReceiveReply | Outcome

# States


@dataclass(frozen=True, slots=True)
class NotReceived:
    """There is no such reply."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """It is recorded, and nobody has looked at it."""

    reply: ReplyReceived


@dataclass(frozen=True, slots=True)
class Settled:
    """What it came to."""

    reply: ReplyReceived
    came_to: StallReplyGiven | ReplyUnclear | StatusAsked | ReplyNotUnderstood


Reply = NotReceived | Waiting | Settled


def reply_stream(reply_id: str) -> str:
    """Return the stream of a reply."""
    return f"reply-{reply_id}"


# Decisions


def decide(command: Command, state: Reply) -> Sequence[object]:
    """Return what comes of ``command``. Raises UnknownReply."""
    if isinstance(command, ReceiveReply):
        return [_received(command)] if isinstance(state, NotReceived) else []
    if isinstance(state, NotReceived):
        raise UnknownReply
    if isinstance(state, Settled):
        # Read again after a crash, it may look otherwise: what was decided first counts.
        return []
    return [_outcome(command, state.reply.reply_id)]


def _received(command: ReceiveReply) -> ReplyReceived:
    return ReplyReceived(
        reply_id=command.reply_id,
        channel=command.channel,
        sender=command.sender,
        text=command.text,
        received_at=command.received_at,
        in_reply_to=command.in_reply_to,
    )


def _outcome(command: Outcome, reply_id: str) -> object:
    match command:
        case ExplainByReply():
            return StallReplyGiven(
                application_id=command.application_id,
                office=command.office,
                stage=command.stage,
                stall_id=command.stall_id,
                reply_id=reply_id,
                account=command.account,
                explanation=command.explanation,
                promised=command.promised,
            )
        case AskWhich(account=account, numbers=numbers):
            return ReplyUnclear(reply_id=reply_id, account=account, numbers=numbers)
        case AskStatus(applications=applications):
            return StatusAsked(reply_id=reply_id, applications=applications)
        case GiveUp(answered=answered):
            return ReplyNotUnderstood(reply_id=reply_id, answered=answered)
        case _:
            assert_never(command)


def evolve(state: Reply, fact: AnyFact) -> Reply:
    """Return the state after ``fact``."""
    match fact.event:
        case ReplyReceived():
            return Waiting(fact.event)
        case StallReplyGiven() | ReplyUnclear() | StatusAsked() | ReplyNotUnderstood():
            return Settled(state.reply, fact.event) if isinstance(state, Waiting) else state
        case _:
            return state


DECIDER: Decider[Reply] = Decider(NotReceived(), decide, evolve)
