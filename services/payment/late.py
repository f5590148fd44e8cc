"""The sweep over unpaid bills: expires what is past its due date, and bills it anew with interest.

One indexed question per office finds what is due; the decider decides. The id of a command's cause
is derived from the bill and its last change, so that two processes, a restart or a stale row bring
nothing about twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from prometheus_client import Counter

from services.payment.bill import DECIDER, ExpireBill, IssueLateBill, bill_stream
from services.payment.interest import InterestRules, months_after
from services.payment.views import BillRow, BillViews
from shared.actors import system
from shared.errors import JejakError
from shared.handle import Handler
from shared.ids import derived_id
from shared.offices import Catalogue
from shared.telemetry import log

LATE: Final = Counter(
    "jejak_late_bills_total", "Bills past their due date, by outcome", ["outcome"]
)
_BY: Final = system("payment")
# At a time: enough to share commits, few enough that payments get through.
CHUNK: Final = 64


class Swept(NamedTuple):
    """What one sweep came to: bills that expired, late bills issued, and failures."""

    expired: int = 0
    issued: int = 0
    failed: int = 0


class LateBills:
    """Expires bills and issues STRDs."""

    def __init__(
        self,
        handler: Handler,
        views: BillViews,
        catalogue: Catalogue,
        rules: InterestRules,
        now: Callable[[], datetime],
        *,
        seconds: float = 60.0,
    ) -> None:
        """Sweep every ``seconds``; ``now`` is the only clock."""
        self._handler = handler
        self._views = views
        self._catalogue = catalogue
        self._rules = rules
        self._now = now
        self._seconds = seconds

    async def run(self) -> None:
        """Sweep now, and then for ever."""
        while True:
            await self.sweep()
            await asyncio.sleep(self._seconds)

    async def sweep(self) -> Swept:
        """Deal with every office; one that is wrong stops no other."""
        total = Swept()
        for office in list(self._catalogue.offices):
            try:
                swept = await self._office(office)
            except Exception as error:  # noqa: BLE001 - whatever it is must not stop the others
                log.error("late_bills_failed", office=office, code=_code(error))
                swept = Swept(failed=1)
            total = Swept(*(one + more for one, more in zip(total, swept, strict=True)))
        return total

    async def _office(self, office: str) -> Swept:
        zone = ZoneInfo(self._catalogue.offices[office].zone)
        today = self._now().astimezone(zone).date()
        outcomes: list[str] = []
        # An expired bill is found again only when the process ended before its STRD.
        for state in ("open", "expired"):
            async for chunk in self._overdue(office, state, today):
                outcomes += await asyncio.gather(*(self._deal_with(row, today) for row in chunk))
        for outcome in outcomes:
            LATE.labels(outcome).inc()
        issued, expired = outcomes.count("issued"), outcomes.count("expired")
        return Swept(expired, issued, outcomes.count("failed"))

    async def _overdue(self, office: str, state: str, today: date) -> AsyncIterator[list[BillRow]]:
        since, after = "", ("", "")
        if state == "expired":
            since = months_after(today, -self._rules.longest_claim(office)).isoformat()
        while True:
            rows = await self._views.overdue(office, state, today.isoformat(), since, after, CHUNK)
            if not rows:
                return
            yield rows
            after = (rows[-1].due_on, rows[-1].bill_id)

    async def _deal_with(self, row: BillRow, today: date) -> str:
        """Expire one bill and issue its successor. Whatever is wrong with it stops nobody else."""
        try:
            return await self._late(row, today)
        except Exception as error:  # noqa: BLE001 - see above
            log.error("late_bill_failed", correlation_id=row.application_id, code=_code(error))
            return "failed"

    async def _late(self, row: BillRow, today: date) -> str:
        expire = ExpireBill(bill_id=row.bill_id, today=today, now=self._now(), by=_BY)
        await self._handle(row, expire, "expire")
        due = date.fromisoformat(row.first_due_on)
        rule = self._rules.of(row.office, due)
        if rule is None or rule.lapsed(due, today):
            return "expired"
        issue = IssueLateBill(bill_id=row.bill_id, rule=rule, today=today, now=self._now(), by=_BY)
        return "issued" if await self._handle(row, issue, "late") else "nothing"

    async def _handle(self, row: BillRow, command: ExpireBill | IssueLateBill, why: str) -> bool:
        outcome = await self._handler.handle(
            DECIDER,
            bill_stream(row.application_id),
            command,
            # With the last change: a payment taken back makes the same bill due once more.
            cause=derived_id("due", row.bill_id, row.version, why),
            application=row.application_id,
        )
        return bool(outcome.events)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, JejakError) else type(error).__name__
