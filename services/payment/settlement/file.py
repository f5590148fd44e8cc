"""One settlement file: taken in whole, or refused whole.

::

    Unknown ──OpenFile──▶ Taking ──AcceptFile──▶ Accepted ──what people say──▶ Accepted
       └──────RejectFile────┴──▶ Rejected ──OpenFile──▶ Taking

What people say of a line is MatchLine, WriteToSuspense (a credit) or ExplainLine (a debit).

The lines are in streams of their own, a few hundred each, written between OpenFile and AcceptFile:
nothing counts before AcceptFile, so a file that was half taken in changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from services.payment.settlement.commands import (
    AcceptFile,
    Command,
    ExplainLine,
    MatchLine,
    OpenFile,
    RecordLines,
    RejectFile,
    Saying,
    WriteToSuspense,
)
from services.payment.settlement.refusals import (
    FileNotAccepted,
    LineMatchedOtherwise,
    LineNotWaiting,
    LinesDiffer,
    LinesMissing,
    NoSuchLine,
    OriginalNeeded,
    ReasonNeeded,
)
from shared.actors import Role
from shared.contracts.payment import (
    LineExplained,
    LineMatchedByHand,
    LineWrittenToSuspense,
    SettlementFileAccepted,
    SettlementFileOpened,
    SettlementFileRejected,
    SettlementLinesRecorded,
)
from shared.decider import Decider
from shared.errors import NotAllowed
from shared.events import AnyFact
from shared.ids import derived_id

# States


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody brought this file yet."""


@dataclass(frozen=True, slots=True)
class Taking:
    """Its lines are being recorded."""

    opened: SettlementFileOpened


@dataclass(frozen=True, slots=True)
class Rejected:
    """It was refused."""

    rejected: SettlementFileRejected


Said = LineMatchedByHand | LineWrittenToSuspense | LineExplained


@dataclass(frozen=True, slots=True)
class Accepted:
    """It counts. ``said`` holds what people said, by line."""

    opened: SettlementFileOpened
    said: Mapping[int, Said] = field(default_factory=dict)


File = Unknown | Taking | Rejected | Accepted

# Identity


def settlement_id(partner: str, sha256: str) -> str:
    """Return the id of a file: the same bytes from the same partner are the same file."""
    return derived_id("settlement", partner, sha256)


def file_stream(identity: str) -> str:
    """Return the stream of a file's own story."""
    return f"settlement-{identity}"


def lines_stream(identity: str, part: int) -> str:
    """Return the stream of a file's ``part``-th lines, counted from 1."""
    return f"settlement-{identity}-{part}"


# Decisions


def decide(command: Command, state: File) -> Sequence[object]:
    """Return what comes of ``command``. Raises the refusals above."""
    match command:
        case OpenFile():
            return _open(command, state)
        case RejectFile():
            return _reject(command, state)
        case AcceptFile():
            return _accept(command, state)
        case MatchLine() | WriteToSuspense() | ExplainLine():
            return _place(command, state)
        case _:
            assert_never(command)


def _open(command: OpenFile, state: File) -> Sequence[object]:
    match state:
        case Taking() | Accepted():
            return []
        case Unknown() | Rejected():
            # A refused file may be right once the bank's profile was put right.
            return [
                SettlementFileOpened(
                    settlement_id=command.settlement_id,
                    partner=command.partner,
                    sha256=command.sha256,
                    name=command.name,
                    first_day=command.first_day,
                    last_day=command.last_day,
                    opening=command.opening,
                    closing=command.closing,
                    lines=command.lines,
                )
            ]
        case _:
            assert_never(state)


def _reject(command: RejectFile, state: File) -> Sequence[object]:
    if isinstance(state, Accepted):
        # It was right when it was read; what counts is not taken back by reading it again.
        return []
    rejected = SettlementFileRejected(
        settlement_id=command.settlement_id,
        partner=command.partner,
        sha256=command.sha256,
        name=command.name,
        reason=command.reason,
        line=command.line,
    )
    if isinstance(state, Rejected) and (state.rejected.reason, state.rejected.line) == (
        command.reason,
        command.line,
    ):
        return []
    return [rejected]


def _accept(command: AcceptFile, state: File) -> Sequence[object]:
    match state:
        case Accepted():
            return []
        case Unknown() | Rejected():
            raise FileNotAccepted(allowed=["OpenFile"])
        case Taking(opened=opened):
            moved = command.credits - command.debits
            if command.lines != opened.lines or opened.opening + moved != opened.closing:
                raise LinesMissing
            return [
                SettlementFileAccepted(
                    settlement_id=opened.settlement_id,
                    partner=opened.partner,
                    lines=command.lines,
                    credits=command.credits,
                    debits=command.debits,
                )
            ]
        case _:
            assert_never(state)


def _place(command: Saying, state: File) -> Sequence[object]:
    """Let a line be what a person says that it is: once, and with a reason."""
    if Role.TREASURER not in command.by.roles:
        raise NotAllowed
    if not isinstance(state, Accepted):
        raise FileNotAccepted
    if not 1 <= command.line <= state.opened.lines:
        raise NoSuchLine
    said = _said(command, state.opened.settlement_id)
    before = state.said.get(command.line)
    if before is not None:
        # For whatever reason: to say the same again says nothing new.
        if replace(before, reason=command.reason) == said:
            return []
        raise LineMatchedOtherwise
    if not command.reason.strip():
        raise ReasonNeeded(allowed=[type(command).__name__])
    if not command.waits:
        raise LineNotWaiting
    if isinstance(command, MatchLine) and command.debit and not command.reference:
        raise OriginalNeeded(allowed=[ExplainLine.__name__])
    return [said]


def _said(command: Saying, settlement_id: str) -> Said:
    match command:
        case MatchLine():
            return LineMatchedByHand(
                settlement_id=settlement_id,
                line=command.line,
                application_id=command.application_id,
                bill_id=command.bill_id,
                reason=command.reason,
                reference=command.reference,
            )
        case WriteToSuspense():
            return LineWrittenToSuspense(
                settlement_id=settlement_id, line=command.line, reason=command.reason
            )
        case ExplainLine():
            return LineExplained(
                settlement_id=settlement_id, line=command.line, reason=command.reason
            )
        case _:
            assert_never(command)


def evolve(state: File, fact: AnyFact) -> File:
    """Return the state after ``fact``."""
    match fact.event:
        case SettlementFileOpened() as opened:
            return Taking(opened)
        case SettlementFileRejected() as rejected:
            return Rejected(rejected)
        case SettlementFileAccepted() if isinstance(state, Taking):
            return Accepted(state.opened)
        case LineMatchedByHand() | LineWrittenToSuspense() | LineExplained() as said if isinstance(
            state, Accepted
        ):
            return Accepted(state.opened, {**state.said, said.line: said})
        case _:
            return state


DECIDER: Decider[File] = Decider(Unknown(), decide, evolve)


# The lines of a part: a hash is enough to tell the same from another.

Lines = int | None


def decide_lines(command: RecordLines, state: Lines) -> Sequence[object]:
    """Record a part of a file once. Raises LinesDiffer when it held other lines before."""
    if state is not None:
        if state != hash(command.lines):
            raise LinesDiffer
        return []
    return [
        SettlementLinesRecorded(
            settlement_id=command.settlement_id, partner=command.partner, lines=command.lines
        )
    ]


def evolve_lines(state: Lines, fact: AnyFact) -> Lines:
    """Return the hash of the part's lines."""
    return hash(fact.event.lines)


LINES: Decider[Lines] = Decider(None, decide_lines, evolve_lines)
