"""May this message go out on its channel now? Asked before a call is announced, told after it.

Pace, circuit, stopped templates and people to be left alone meet here. A message that must wait
stays in the queue without an event, and the queue's query passes over it until it may go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from services.notify.channels import Effect, Failed, Later, Result, Unknown
from services.notify.channels.http import UNREACHABLE
from services.notify.channels.routes import OUTBOX
from services.notify.traffic.circuit import Answered, Heard, Trouble, Troubled, Unheard, may_probe
from services.notify.traffic.circuits import Circuits
from services.notify.traffic.counts import Counts
from services.notify.traffic.pace import Pace, Speed
from services.notify.views import Share
from shared.database import Database

# Meta's limit on marketing-like messages to one person; it says no more of when it ends.
NOT_TODAY: Final = timedelta(hours=24)
# A message that only its own channel may carry is looked at again after this long.
_LOOK_AGAIN: Final = 30.0
_NOBODY: Final = frozenset({UNREACHABLE, "smtp-broken"})


class Go(NamedTuple):
    """Call now. ``probe``: the outcome decides whether the channel is back."""

    probe: bool = False


class Wait(NamedTuple):
    """Leave it in the queue."""


class Detour(NamedTuple):
    """Take the next channel. ``lasting``: waiting for this one would not help."""

    reason: str
    lasting: bool


Answer = Go | Wait | Detour


class Gate:
    """Guards the channels of one process."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        speeds: Mapping[str, Speed] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` counts seconds and never goes back; ``now`` is the wall clock."""
        # Hears that there is something to show about the channels.
        self.on_news: Callable[[], None] = lambda: None
        self.circuits = Circuits(database, now)
        self.counts = Counts(database, now)
        self._pace = Pace(speeds or {})
        self._now = now
        self._clock = clock

    def shares(self, channels: frozenset[str], most: int) -> list[Share]:
        """Return what of each channel's queue is worth a look now, at most ``most`` messages."""
        clock, now = self._clock(), self._now()
        shares = []
        opened = self.circuits.opened().keys()
        for channel in sorted(channels):
            found, room = self.circuits.open(channel), self._pace.room(channel, clock, most)
            stays = found is not None and not (found.detours and channels - opened - {OUTBOX})
            if found is not None and stays:
                # Only the one message that finds out whether the channel is back.
                room = min(room, 1) if may_probe(found, now) else 0
            if room:
                shares.append(Share(channel, room, self._pace.waiting(channel, clock)))
        return shares

    def closed(self, channel: str) -> bool:
        """Say whether ``channel`` is called at all."""
        return self.circuits.open(channel) is None

    async def ask(self, channel: str, template: str, person: str) -> Answer:
        """Decide about one message to ``person``. A slot is taken when it may go."""
        if template and (reason := self.circuits.stopped(channel, template)):
            return Detour(reason, lasting=True)
        if reason := await self.circuits.left_alone(channel, person):
            return Detour(reason, lasting=True)
        found = self.circuits.open(channel)
        if found is None:
            return Go() if self._take(channel, person) else Wait()
        due = may_probe(found, self._now()) and self._take(channel, person)
        if due and await self.circuits.claim(channel):
            return Go(probe=True)
        return Detour(found.reason, lasting=False) if found.detours else Wait()

    def _take(self, channel: str, person: str) -> bool:
        return self._pace.take(channel, person, self._clock())

    def hold(self, channel: str, person: str) -> None:
        """Look at this person's messages on ``channel`` again after a while, not at once."""
        self._pace.hold(channel, person, self._clock() + _LOOK_AGAIN)

    async def heard(
        self, channel: str, template: str, person: str, result: Result, *, probe: bool = False
    ) -> None:
        """Take in what a call, or a report about one, says beyond its message."""
        await self.circuits.hear(channel, heard(result), probe=probe)
        effect = result.effect if isinstance(result, Failed | Later) else Effect.NONE
        reason = getattr(result, "reason", "")
        match effect:
            case Effect.TEMPLATE_OFF:
                await self.circuits.note_template(channel, template, reason, stopped=True)
            case Effect.OUR_BUG:
                await self.circuits.note_template(channel, template, reason, stopped=False)
            case Effect.NOT_TODAY:
                until = self._now() + NOT_TODAY
                await self.circuits.leave_alone(channel, person, reason, until)
            case _:
                return

    async def write(self) -> None:
        """Write down now and then what came of the calls. Raises Unavailable."""
        if await self.counts.write():
            self.on_news()

    def rest(self, channel: str, person: str, seconds: float) -> None:
        """Send ``person`` nothing on ``channel`` for so long."""
        self._pace.rest(channel, person, self._clock() + seconds)

    def next_look(self, pressed: frozenset[str]) -> float | None:
        """See ``Pace.next_look``. An open circuit is looked at with the next poll."""
        closed = frozenset(filter(self.closed, pressed))
        return self._pace.next_look(self._clock(), pressed=closed)


def heard(result: Result) -> Heard:
    """Return what a result says about its channel."""
    match result:
        case Unknown(reason=reason):
            return Unheard(reason)
        case Failed(reason=reason, effect=Effect.PAUSE):
            return Troubled(Trouble.PAUSED, reason)
        case Later(reason=reason, effect=Effect.PAUSE):
            return Troubled(Trouble.PAUSED, reason)
        case Later(reason=reason, seconds=seconds, effect=Effect.SLOW):
            return Troubled(Trouble.THROTTLED, reason, seconds)
        case Later(reason=reason) if reason in _NOBODY:
            return Unheard(reason)
        case _:
            return Answered()
