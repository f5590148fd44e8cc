"""How a case of money in suspense can stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from shared.contracts.payment import (
    RefundPaid,
    RefundRequested,
    SuspenseAllocated,
    SuspenseOpened,
)


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund somebody asked for. ``requester`` is the actor's text in the envelope.

    ``approved_at`` is None until another person agreed.
    """

    asked: RefundRequested
    requester: str
    approver: str = ""
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of the money in every state; ``held`` is what of it is still here.

    ``held`` is negative when the bank took money back that had been refunded already.
    ``refunds`` counts all that were ever asked for, so that each has an id of its own.
    """

    opened: SuspenseOpened
    held: int
    claimed_by: str = ""
    allocations: tuple[SuspenseAllocated, ...] = ()
    refunds: int = 0
    declined: frozenset[str] = frozenset()
    paid: tuple[RefundPaid, ...] = ()

    def moved(self, amount: int) -> Case:
        """Return the case with ``amount`` rupiah more or less in it."""
        return replace(self, held=self.held + amount)


@dataclass(frozen=True, slots=True)
class NotOpened:
    """No such money."""


@dataclass(frozen=True, slots=True)
class Held:
    """The money waits for a decision."""

    case: Case


@dataclass(frozen=True, slots=True)
class RefundAsked:
    """Somebody wants to give it back; another person has to agree."""

    case: Case
    refund: Refund


@dataclass(frozen=True, slots=True)
class RefundAgreed:
    """Two people agreed to give it back; the bank has to be told."""

    case: Case
    refund: Refund


@dataclass(frozen=True, slots=True)
class Closed:
    """All of it was used or given back."""

    case: Case


@dataclass(frozen=True, slots=True)
class Reversed:
    """The bank took it back. ``refund`` is one that had been agreed to by then."""

    case: Case
    refund: Refund | None = None


Opened: TypeAlias = Held | RefundAsked | RefundAgreed | Closed | Reversed
Suspense: TypeAlias = NotOpened | Opened

# What lists and programs call the states.
STATE_NAMES: Mapping[type[Any], str] = {
    Held: "held",
    RefundAsked: "asked",
    RefundAgreed: "agreed",
    Closed: "closed",
    Reversed: "reversed",
}
