"""The sweep: finds what is due in one indexed probe and nudges it; the decider decides.

The id of a nudge's cause is derived from application, stage and timer instant, so that two
sweepers, a restart or a late tick bring nothing about twice. A sweep at the start covers what came
due while nobody swept.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter

from services.workflow.commands import NudgePermit
from services.workflow.permit import DECIDER, stream
from services.workflow.sop import Sops
from services.workflow.views import Due, Views
from shared.actors import system
from shared.calendar import Calendars
from shared.errors import JejakError
from shared.events import from_micros, to_micros
from shared.handle import Handler
from shared.ids import derived_id
from shared.offices import Catalogue
from shared.service import Now
from shared.telemetry import SWEEP_SECONDS, log

NUDGED: Final = Counter("jejak_sla_nudges_total", "Timers that were dealt with", ["outcome"])
_BY: Final = system("workflow")
# At a time: enough to share commits, few enough that officers' own commands get through.
CHUNK: Final = 64
# A nudge that failed is not tried at every tick.
RETRY_US: Final = 60_000_000
_MAX_REMEMBERED: Final = 200_000


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep came to: timers that were due, of which decided and failed."""

    due: int
    decided: int
    failed: int


class Sweeper:
    """Nudges permits whose timer is due."""

    def __init__(
        self,
        handler: Handler,
        views: Views,
        catalogue: Catalogue,
        sops: Sops,
        calendars: Calendars,
        now: Now,
        *,
        seconds: float = 1.0,
    ) -> None:
        """Sweep every ``seconds``; ``now`` is the only clock."""
        self._handler = handler
        self._views = views
        self._catalogue = catalogue
        self._sops = sops
        self._calendars = calendars
        self._now = now
        self._seconds = seconds
        # (application, timer) -> when it may be tried again. The read model needs a moment to show
        # what was decided; until then the same row is found again.
        self._dealt_with: dict[tuple[str, int], int] = {}

    async def run(self) -> None:
        """Sweep now, and then for ever."""
        while True:
            await self.sweep()
            await asyncio.sleep(self._seconds)

    async def sweep(self) -> Swept:
        """Deal with everything that is due now, earliest first, a chunk at a time."""
        now_us = to_micros(self._now())
        self._forget(now_us)
        swept = Swept(0, 0, 0)
        after = (-(2**62), "")
        with SWEEP_SECONDS.time():
            while found := await self._views.due(now_us, after, CHUNK):
                after = (found[-1].timer_us, found[-1].application_id)
                fresh = [due for due in found if self._key(due) not in self._dealt_with]
                outcomes = await asyncio.gather(*(self._nudge(due, now_us) for due in fresh))
                swept = Swept(
                    swept.due + len(found),
                    swept.decided + outcomes.count("decided"),
                    swept.failed + outcomes.count("failed"),
                )
                # Between two chunks everybody else has a turn.
                await asyncio.sleep(0)
        return swept

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
        office, application_id = due.procedure[0], due.application_id
        command = NudgePermit(
            now=from_micros(now_us),
            by=_BY,
            sop=self._sops.of(*due.procedure),
            calendar=self._calendars.of(office),
            ladder=self._sops.ladder(office),
        )
        outcome = await self._handler.handle(
            DECIDER,
            stream(application_id),
            command,
            cause=derived_id("timer", application_id, due.stage, due.timer_us),
            application=application_id,
        )
        return "decided" if outcome.events else "nothing"

    def _forget(self, now_us: int) -> None:
        if len(self._dealt_with) > _MAX_REMEMBERED:
            self._dealt_with.clear()
        ended = [key for key, until in self._dealt_with.items() if until <= now_us]
        for key in ended:
            del self._dealt_with[key]

    @staticmethod
    def _key(due: Due) -> tuple[str, int]:
        return due.application_id, due.timer_us
