"""A permit's states and how facts move it between them. ``evolve`` never judges.

::

    NotOpened ──PermitOpened──▶ InProgress ◀──Resumed── AwaitingApplicant
                                 │  ▲   └────Returned────────▲
                                 │  └─FeeSettled── AwaitingPayment ◀─FeeUnsettled─ (InProgress)
                                 ├──PermitIssued──▶ InForce ──StageStarted──▶ Issued
                                 │                     ▲  └──────HandedOver──────┘
                                 │    (Issued, InForce)──Revoked | Expired | Renewed──▶ Closed
                                 └──Rejected | Withdrawn | PermitClosed──▶ Closed

A signed permit is in force at once. It is ``Issued`` for as long as the counter has still to hand
it over. A complaint may be filed and answered in every state of an opened permit, ``Closed`` too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from services.workflow import clock
from services.workflow.clock import ClockState
from services.workflow.file import File, recorded
from shared.contracts.workflow import (
    FeeSettled,
    FeeUnsettled,
    PermitClosed,
    PermitExpired,
    PermitHandedOver,
    PermitIssued,
    PermitOpened,
    PermitOpeningRejected,
    PermitRejected,
    PermitRenewed,
    PermitResumed,
    PermitReturned,
    PermitRevoked,
    PermitWithdrawn,
    StageStarted,
)
from shared.events import AnyFact

Closing: TypeAlias = (
    PermitRejected | PermitWithdrawn | PermitClosed | PermitRevoked | PermitExpired | PermitRenewed
)


@dataclass(frozen=True, slots=True)
class NotOpened:
    """No procedure yet; ``rejected`` is why the last attempt failed, if one did."""

    rejected: str = ""


@dataclass(frozen=True, slots=True)
class InProgress:
    """The office works on it, or its procedure waits (``file.stage`` says which)."""

    file: File


@dataclass(frozen=True, slots=True)
class AwaitingApplicant:
    """A correction was asked for."""

    file: File
    returned: PermitReturned


@dataclass(frozen=True, slots=True)
class AwaitingPayment:
    """A payment was taken back; nothing goes on until it is made again."""

    file: File


@dataclass(frozen=True, slots=True)
class Issued:
    """The permit is signed and in force; what is left happens at the counter."""

    file: File


@dataclass(frozen=True, slots=True)
class InForce:
    """The permit holds, and nothing of its procedure is left to do."""

    file: File


@dataclass(frozen=True, slots=True)
class Closed:
    """The procedure ended without a permit, or the permit holds no longer."""

    file: File
    closing: Closing


Opened: TypeAlias = InProgress | AwaitingApplicant | AwaitingPayment | Issued | InForce | Closed
State: TypeAlias = NotOpened | Opened


def evolve(state: State, fact: AnyFact) -> State:
    """Return the state after ``fact``, whatever it is and whenever it comes."""
    match fact.event:
        case PermitOpened() as opened:
            return InProgress(File(opened=opened, clock=clock.evolve(ClockState(), fact)))
        case PermitOpeningRejected(reason=reason) if isinstance(state, NotOpened):
            return NotOpened(reason)
    if isinstance(state, NotOpened):
        return state
    file = replace(recorded(state.file, fact.event), clock=clock.evolve(state.file.clock, fact))
    return _moved(state, file, fact.event)


def _moved(state: Opened, file: File, event: Any) -> State:
    match event:
        case (
            PermitRejected()
            | PermitWithdrawn()
            | PermitClosed()
            | PermitRevoked()
            | PermitExpired()
            | PermitRenewed()
        ):
            return Closed(file, event)
        case PermitIssued() | PermitHandedOver() if not isinstance(state, Closed):
            return InForce(file)
        case StageStarted() if isinstance(state, InForce) and file.handed is None:
            return Issued(file)
        case PermitReturned() if not isinstance(state, Issued | InForce | Closed):
            return AwaitingApplicant(file, event)
        case PermitResumed() if isinstance(state, AwaitingApplicant):
            return AwaitingPayment(file) if file.unpaid else InProgress(file)
        case FeeUnsettled() if isinstance(state, InProgress):
            return AwaitingPayment(file)
        case FeeSettled() if isinstance(state, AwaitingPayment):
            return InProgress(file)
        case _:
            return replace(state, file=file)
