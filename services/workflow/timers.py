"""The sweep: finds what is due in one indexed probe and nudges it; the decider decides.

A row carries what its nudge is decided from, so that a hundred thousand permits that are due at one
instant are decided without reading one stream (``nudges``), on another processor (``beside``), and
stored many to a commit. A row that is behind its stream fails on the expected version, and is then
nudged by itself.

The id of a nudge's cause is derived from application, stage and timer instant, so that two
sweepers, a restart or a late tick bring nothing about twice. A sweep at the start covers what came
due while nobody swept.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Final, NamedTuple

import prometheus_client

from services.workflow.beside import Beside
from services.workflow.commands import NudgePermit
from services.workflow.nudges import Due, Procedure, cause_of, decide
from services.workflow.permit import DECIDER, stream
from services.workflow.sop import Sops
from services.workflow.views import Views
from shared.actors import system
from shared.calendar import Calendars
from shared.errors import JejakError
from shared.events import from_micros, to_micros
from shared.handle import Handler
from shared.service import Now
from shared.store import Batch
from shared.telemetry import SWEEP_SECONDS, log
from shared.turns import give_way

NUDGED: Final = prometheus_client.Counter(
    "jejak_sla_nudges_total", "Timers that were dealt with", ["outcome"]
)
_BY: Final = system("workflow")
# Rows that one query brings.
PAGE: Final = 256
# Permits that are decided and given to the store together. How many of them share a commit is the
# store's to say: few while officers are at work.
GROUP: Final = 128
# Permits that are decided before others have their turn of the loop: less than a millisecond.
SLICE: Final = 16
# A nudge that failed is not tried at every tick.
RETRY_US: Final = 60_000_000
_MAX_REMEMBERED: Final = 200_000
# How many are forgotten before others have their turn of the loop: less than a millisecond.
_FORGOTTEN_TOGETHER: Final = 1024


class Swept(NamedTuple):
    """What one sweep came to: timers that were due, of which decided and failed."""

    due: int
    decided: int
    failed: int


class _Group(NamedTuple):
    """Some of what is due: how many were found, whom nobody dealt with yet, what is decided."""

    found: int
    due: Sequence[Due]
    batches: asyncio.Task[list[Batch | None]]


class Sweeper:
    """Nudges permits whose timer is due."""

    def __init__(
        self,
        handler: Handler,
        views: Views,
        sops: Sops,
        calendars: Calendars,
        now: Now,
        *,
        seconds: float = 1.0,
        beside: Beside | None = None,
    ) -> None:
        """Sweep every ``seconds``; ``now`` is the only clock. Storms are decided ``beside``."""
        self._handler = handler
        self._views = views
        self._sops = sops
        self._calendars = calendars
        self._now = now
        self._seconds = seconds
        # What is decided elsewhere is encoded there too, where a guard's keys are not.
        self._beside = beside if beside and not handler.codec.guards else Beside(many=None)
        # (application, timer) -> when it may be tried again. The read model needs a moment to show
        # what was decided; until then the same row is found again.
        self._dealt_with = OrderedDict[tuple[str, int], int]()
        self._commands: dict[Procedure, NudgePermit] = {}
        self._commands_at = 0

    async def run(self) -> None:
        """Sweep now, and then for ever."""
        try:
            while True:
                await self.sweep()
                await asyncio.sleep(self._seconds)
        finally:
            await self._beside.close()

    async def sweep(self) -> Swept:
        """Deal with everything that is due now, earliest first, a chunk at a time."""
        # Also one that finds nothing: who sweeps is seen by it, and that nobody does.
        with SWEEP_SECONDS.time():
            now_us = to_micros(self._now())
            if not await self._views.any_due(now_us):
                await self._beside.rest()
                return Swept(0, 0, 0)
            await self._forget(now_us)
            return await self._sweep(now_us)

    async def _sweep(self, now_us: int) -> Swept:
        due, outcomes = 0, Counter[str]()
        async with aclosing(self._decided(now_us)) as groups:
            async for found, group, batches in groups:
                due += found
                self._beside.seen(due)
                outcomes.update(await self._nudge_many(group, await batches, now_us))
        return Swept(due, outcomes["decided"], outcomes["failed"])

    async def _decided(self, now_us: int) -> AsyncGenerator[_Group, None]:
        """Yield what is due a group at a time, and what is decided of each permit.

        The next group is decided while one is stored, if somebody does so beside.
        """
        ahead = deque[_Group]()
        try:
            async with aclosing(self._pages(now_us)) as pages:
                async for page in pages:
                    for start in range(0, len(page), GROUP):
                        found = page[start : start + GROUP]
                        group = [due for due in found if self._key(due) not in self._dealt_with]
                        deciding = asyncio.create_task(self._decide(group, now_us))
                        ahead.append(_Group(len(found), group, deciding))
                        if len(ahead) > self._beside.ready:
                            yield ahead.popleft()
            while ahead:
                yield ahead.popleft()
        finally:
            for left in ahead:
                left.batches.cancel()

    async def _pages(self, now_us: int) -> AsyncGenerator[Sequence[Due], None]:
        """Yield what is due, the earliest first; the next page is fetched while one is at work."""
        following = self._fetch(now_us, (-(2**62), ""))
        try:
            while page := await following:
                if len(page) == PAGE:
                    following = self._fetch(now_us, (page[-1].timer_us, page[-1].application_id))
                yield page
                if len(page) < PAGE:
                    break
        finally:
            following.cancel()

    def _fetch(self, now_us: int, after: tuple[int, str]) -> asyncio.Task[list[Due]]:
        return asyncio.create_task(self._views.due(now_us, after, PAGE))

    async def _decide(self, group: Sequence[Due], now_us: int) -> list[Batch | None]:
        """Decide from the rows alone, beside or here."""
        nudges: dict[Procedure, NudgePermit] = {}
        for due in group:
            # Without a valid procedure it is nudged by itself, and the reason is told.
            with suppress(Exception):
                nudges[due.procedure] = self._command(due, now_us)
        if (decided := await self._beside.decide(group, nudges)) is not None:
            return decided
        decided = []
        for number, due in enumerate(group, start=1):
            decided.append(decide(due, nudges, self._handler.codec))
            if number % SLICE == 0:
                await give_way()
        return decided

    async def _nudge_many(
        self, group: Sequence[Due], batches: Sequence[Batch | None], now_us: int
    ) -> list[str]:
        """Store what was decided, and nudge the others, and whose row was behind, by themselves."""
        proposed = [due for due, batch in zip(group, batches, strict=True) if batch is not None]
        others = [due for due, batch in zip(group, batches, strict=True) if batch is None]
        try:
            stored = await self._handler.put_many([one for one in batches if one is not None])
        except JejakError as error:
            # The store is away: each is tried again by itself, and tells why it failed.
            log.warning("timers_one_by_one", code=error.code)
            stored = [False] * len(proposed)
        for due, ok in zip(proposed, stored, strict=True):
            if ok:
                self._dealt_with[self._key(due)] = now_us + RETRY_US
            else:
                others.append(due)
        decided = len(group) - len(others)
        NUDGED.labels("decided").inc(decided)
        return ["decided"] * decided + await asyncio.gather(
            *(self._nudge(due, now_us) for due in others)
        )

    async def _nudge(self, due: Due, now_us: int) -> str:
        """Nudge one permit. Whatever is wrong with it or its office stops nobody else."""
        try:
            outcome = await self._handle(due, now_us)
        except Exception as error:  # noqa: BLE001 - whatever it is must not stop the others
            code = error.code if isinstance(error, JejakError) else type(error).__name__
            log.error("timer_failed", correlation_id=due.application_id, code=code)
            outcome = "failed"
        self._dealt_with[self._key(due)] = now_us + RETRY_US
        NUDGED.labels(outcome).inc()
        return outcome

    async def _handle(self, due: Due, now_us: int) -> str:
        outcome = await self._handler.handle(
            DECIDER,
            stream(due.application_id),
            self._command(due, now_us),
            cause=cause_of(due),
            application=due.application_id,
        )
        return "decided" if outcome.events else "nothing"

    def _command(self, due: Due, now_us: int) -> NudgePermit:
        """Return the nudge; the same one for all permits of one procedure at one sweep."""
        if now_us != self._commands_at:
            self._commands_at = now_us
            self._commands.clear()
        found = self._commands.get(due.procedure)
        if found is None:
            office = due.procedure[0]
            found = self._commands[due.procedure] = NudgePermit(
                now=from_micros(now_us),
                by=_BY,
                sop=self._sops.of(*due.procedure),
                calendar=self._calendars.of(office),
                ladder=self._sops.ladder(office),
            )
        return found

    async def _forget(self, now_us: int) -> None:
        """Forget whose time is over and the oldest of too many, in slices: a storm leaves many."""
        number = 0
        while self._is_first_over(now_us):
            self._dealt_with.popitem(last=False)
            number += 1
            if number % _FORGOTTEN_TOGETHER == 0:
                await give_way()

    def _is_first_over(self, now_us: int) -> bool:
        if not self._dealt_with:
            return False
        # They were put in in the order in which they end. One that ends later than any can was put
        # in while the clock was ahead: it must not keep a permit waiting until that day comes.
        until = next(iter(self._dealt_with.values()))
        due_again = until <= now_us or until > now_us + RETRY_US
        return due_again or len(self._dealt_with) > _MAX_REMEMBERED

    @staticmethod
    def _key(due: Due) -> tuple[str, int]:
        return due.application_id, due.timer_us
