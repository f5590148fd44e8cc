"""Keeps every line and every payment in its class, and has done what follows from it.

Commands first, classes after: who is killed in between finds the same facts dirty and gives the
same commands again, which decide nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from functools import partial

from services.payment.settlement import groups, touching
from services.payment.settlement.batches import place
from services.payment.settlement.effects import Effects
from services.payment.settlement.facts import Effect, Rules, Verdict
from services.payment.settlement.matching import reconcile
from services.payment.settlement.partners import Partners
from services.payment.settlement.touching import Touched
from shared.database import Database, Transaction
from shared.patience import patiently
from shared.service import Now
from shared.telemetry import log

# How many dirty rows one round takes: enough to share transactions, few enough to stay short.
AT_ONCE = 500
# How many commands run side by side: enough to share the store's commits.
_SIDE_BY_SIDE = 100
# How soon it looks again while facts keep coming: a payment that waits for its file is in no hurry,
# and each look costs what comes meanwhile the same whether it is one payment or a hundred.
_PACE_SECONDS = 0.2
# A million lines take 2,000 rounds; many more are a mistake of ours, and others need their turn.
_MOST_ROUNDS = 20_000


class Reconciler:
    """Looks at what new facts touched, until nothing is left to look at."""

    def __init__(
        self,
        database: Database,
        effects: Effects,
        partners: Partners,
        now: Now,
        after: Callable[[], Awaitable[None]],
        seconds: float,
    ) -> None:
        """``after`` is done whenever everything is in its class: the days are proved.

        ``seconds`` pass between two looks when no fact comes.
        """
        self._after = after
        self._database = database
        self._effects = effects
        self._partners = partners
        self._now = now
        self._seconds = seconds
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look at once: new facts were folded."""
        self._wake.set()

    async def run(self) -> None:
        """Reconcile for ever."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._wake.clear()
            await patiently("settlement", self.work, reactor="settlement")
            await patiently("settlement", self._after, reactor="settlement")
            await asyncio.sleep(began + _PACE_SECONDS - loop.time())
            try:
                async with asyncio.timeout(self._seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def work(self) -> None:
        """Look at everything that is dirty now, and at what waited for this day."""
        now = self._now()
        for partner in self._partners.settling():
            today = partner.rules(now).today.isoformat()
            look_again = partial(touching.look_again, partner=partner.id, today=today)
            await self._database.transaction(look_again)
        for _ in range(_MOST_ROUNDS):
            found = await self._database.transaction(lambda tx: touching.touched(tx, AT_ONCE))
            if not found:
                return
            await self._look(found, now)
        log.error("settlement_never_settles", rounds=_MOST_ROUNDS)

    async def _look(self, found: Touched, now: datetime) -> None:
        if found.applications:
            await self._accounts(found.applications, now)
        for partner, day in found.days:
            await self._day(partner, day, now)

    async def _accounts(self, applications: Sequence[str], now: datetime) -> None:
        accounts, seen = await self._database.transaction(
            lambda tx: groups.accounts(tx, applications)
        )
        rules = {
            partner: self._rules(partner, now)
            for partner in {stamp.partner for part in seen for stamp in part.values()}
        }
        verdicts = [reconcile(account, rules) for account in accounts]
        await self._do(effect for verdict in verdicts for effect in verdict.effects)

        def save(tx: Transaction) -> None:
            for verdict in verdicts:
                groups.save(tx, verdict, seen, _latest(rules.values()))

        await self._database.transaction(save)

    async def _day(self, partner: str, day: date, now: datetime) -> None:
        rules = self._rules(partner, now)
        loose, seen = await self._database.transaction(lambda tx: groups.loose(tx, partner, day))
        verdict: Verdict = place(loose, rules)
        await self._do(verdict.effects)
        today = rules.today.isoformat()
        await self._database.transaction(lambda tx: groups.save(tx, verdict, seen, today))

    def _rules(self, partner: str, now: datetime) -> Rules:
        known = self._partners.find(partner)
        if known is None or known.layout is None:
            # A partner that sends no files: its payments can't be disputed for want of one.
            return Rules(shared=True, today=now.date(), graced=date.min)
        return known.rules(now)

    async def _do(self, effects: Iterable[Effect]) -> None:
        limit = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def one(effect: Effect) -> None:
            async with limit:
                await self._effects.do(effect)

        results = await asyncio.gather(*map(one, effects), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            log.error("settlement_effects_failed", failed=len(errors))
            raise errors[0]


def _latest(rules: Iterable[Rules]) -> str:
    return max((one.today for one in rules), default=date.min).isoformat()
