"""The circuit breaker of one channel: states and decisions, without a clock or a table.

::

    Closed ─▶ Open ─▶ (until) one probe ─▶ Closed
                ▲                      │
                └──────── longer ──────┘

A channel whose account is in trouble, or that nobody reaches, is not called: messages take the next
one. A channel that asked us to slow down is not called either, but its messages wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

# So many calls without an answer in a row, and the channel counts as down.
UNHEARD: Final = 5
# A probe without an outcome after this long died with its process: another may try.
PROBE_SECONDS: Final = 60.0


class Trouble(StrEnum):
    """Why a channel is not called."""

    # The account, its token or its payment: people must act.
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    # The provider's limit: waiting is enough.
    THROTTLED = "throttled"


_FIRST: Final = {Trouble.PAUSED: 300.0, Trouble.UNREACHABLE: 30.0, Trouble.THROTTLED: 5.0}
_LONGEST: Final = {Trouble.PAUSED: 3600.0, Trouble.UNREACHABLE: 600.0, Trouble.THROTTLED: 600.0}


# What was heard of a call


@dataclass(frozen=True, slots=True)
class Answered:
    """The provider answered as it should, be it yes or no to this one message."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """No answer: refused connection, time-out, 5xx."""

    reason: str


@dataclass(frozen=True, slots=True)
class Troubled:
    """The provider said that no message gets through now. ``seconds`` is its own least wait."""

    trouble: Trouble
    reason: str
    seconds: float = 0.0


Heard = Answered | Unheard | Troubled


# States


@dataclass(frozen=True, slots=True)
class Closed:
    """Calls are made; the last ``failures`` of them found nobody."""

    failures: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """No calls until an instant, then one probe. ``tries`` counts how often it was opened anew.

    ``probing`` is when a probe began that has no outcome yet.
    """

    trouble: Trouble
    reason: str
    since: datetime
    until: datetime
    tries: int = 1
    probing: datetime | None = None

    @property
    def detours(self) -> bool:
        """Whether messages should take another channel, if there is one."""
        return self.trouble is not Trouble.THROTTLED


Circuit = Closed | Open

# Decisions


def hears(circuit: Circuit, heard: Heard, now: datetime, *, probe: bool = False) -> Circuit:
    """Return the circuit after a call's outcome; ``probe`` says that the call was the probe."""
    if isinstance(circuit, Open) and not probe:
        return _overheard(circuit, heard, now)
    match heard:
        case Answered():
            return Closed()
        case Unheard(reason=reason):
            failures = circuit.failures + 1 if isinstance(circuit, Closed) else UNHEARD
            if failures < UNHEARD:
                return Closed(failures)
            return _opened(circuit, Troubled(Trouble.UNREACHABLE, reason), now)
        case Troubled():
            return _opened(circuit, heard, now)
        case _:
            assert_never(heard)


def _overheard(circuit: Open, heard: Heard, now: datetime) -> Open:
    """Return what a call that began before the circuit opened changes: only for the worse."""
    worse = isinstance(heard, Troubled) and heard.trouble is Trouble.PAUSED
    if worse and circuit.trouble is not Trouble.PAUSED:
        assert isinstance(heard, Troubled)
        return _opened(Closed(), heard, now)
    return circuit


def _opened(before: Circuit, troubled: Troubled, now: datetime) -> Open:
    again = before if isinstance(before, Open) else None
    tries = again.tries + 1 if again is not None else 1
    first = max(troubled.seconds, _FIRST[troubled.trouble])
    # The exponent is bounded: a channel may be away for weeks.
    seconds = min(first * 2.0 ** min(tries - 1, 16), _LONGEST[troubled.trouble])
    return Open(
        troubled.trouble,
        troubled.reason,
        again.since if again is not None else now,
        now + timedelta(seconds=seconds),
        tries,
    )


def may_probe(circuit: Open, now: datetime) -> bool:
    """Say whether it is time for a probe and none is under way."""
    longest = timedelta(seconds=_LONGEST[circuit.trouble])
    # A clock that was set back must not close a channel for a day.
    if now < circuit.until <= now + longest:
        return False
    began = circuit.probing
    return began is None or not began <= now < began + timedelta(seconds=PROBE_SECONDS)


def probed(circuit: Open, now: datetime) -> Open:
    """Return the circuit while its probe is under way."""
    return replace(circuit, probing=now)


def retried(circuit: Circuit, now: datetime) -> Circuit:
    """Return the circuit when somebody says that it should be tried now."""
    if isinstance(circuit, Closed):
        return circuit
    return replace(circuit, until=min(circuit.until, now), probing=None)
