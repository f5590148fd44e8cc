"""The task that talks to the banks of its own accord: tells bills, asks about doubts, reads days.

Whatever fails is tried again later, and one bank or account that is in trouble holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from prometheus_client import Counter

from services.payment.banks import waiting
from services.payment.banks.announcements import Announcement, Announcements
from services.payment.banks.calling import Bank
from services.payment.banks.days import Days
from services.payment.banks.dialects import AnyProfile
from services.payment.banks.doubts import HINT, INQUIRY, Doubt, Doubts
from services.payment.banks.profile import Banks
from services.payment.banks.recording import Money, Payee, Recorder
from services.payment.bill import Bill, Open, Paid
from shared.errors import JejakError
from shared.patience import patiently
from shared.telemetry import log

T = TypeVar("T")

# How many calls to banks are open at once.
_SIDE_BY_SIDE: Final = 8
# A customer who only looked is not in doubt for ever, nor is what anybody may have claimed: when
# the bank itself says so often that nothing was paid, it is believed.
_DENIED: Final = {INQUIRY: 4, HINT: 10}

ASKED = Counter("jejak_bank_asked_total", "Questions and news to banks", ["what", "outcome"])
IN_DOUBT = Counter("jejak_bank_doubts_total", "Accounts that stayed in doubt", ["partner"])


class Repair:
    """One round after the other."""

    def __init__(
        self,
        banks: Banks,
        lines: Mapping[str, Bank],
        recorder: Recorder,
        doubts: Doubts,
        announcements: Announcements,
        days: Days,
        now: Callable[[], datetime],
        seconds: float,
    ) -> None:
        """``lines`` are the partners that can be called, by id; ``seconds`` between rounds."""
        self._banks = banks
        self._lines = lines
        self._recorder = recorder
        self._doubts = doubts
        self._announcements = announcements
        self._days = days
        self._now = now
        self._seconds = seconds
        self._room = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look now: something was noted."""
        self._news.set()

    async def run(self) -> None:
        """Go round for ever."""
        while True:
            self._news.clear()
            await patiently("bank repair", self.round)
            try:
                async with asyncio.timeout(self._seconds):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def round(self) -> None:
        """Deal once with everything that is due."""
        await self._each(await self._announcements.take(), self._announce)
        await self._each(await self._doubts.take(), self._ask)
        await self._each(self._ended_days(), self._read_day)

    async def _each(self, items: Sequence[T], work: Callable[[T], Awaitable[None]]) -> None:
        async def one(item: T) -> None:
            async with self._room:
                try:
                    await work(item)
                except Exception:  # noqa: BLE001 - one bank's trouble must not hold up the others
                    log.exception("bank_repair_failed")

        await asyncio.gather(*map(one, items))

    async def _announce(self, one: Announcement) -> None:
        bank, profile = self._lines.get(one.partner), self._banks.by_id.get(one.partner)
        if bank is None or profile is None:
            # The profile was taken away since.
            await self._announcements.told(one, one.told)
            return
        state = await self._recorder.bill(Payee(one.application_id, ""))
        wanted = _wanted(state, one.told)
        try:
            if wanted != one.told and isinstance(state, Open):
                await bank.open_account(state.bill, known=bool(one.told))
            elif wanted != one.told and state.books.claim:
                await bank.close_account(state.books.claim[-1])
        except JejakError as error:
            await self._announcements.again(one, alerted=self._failed("tell", one, error))
            return
        ASKED.labels("tell", "ok").inc()
        await self._announcements.told(one, wanted)

    async def _ask(self, doubt: Doubt) -> None:
        bank, profile = self._lines.get(doubt.partner), self._banks.by_id.get(doubt.partner)
        if bank is None or profile is None:
            await self._doubts.settle(doubt)
            return
        payee = await self._recorder.payee(profile, doubt.virtual_account)
        if payee is not None and await self._known(doubt, payee):
            await self._doubts.settle(doubt)
            return
        office = payee.office if payee else ""
        try:
            moneys = await bank.payments(doubt.virtual_account, doubt.request_id)
        except JejakError as error:
            told = self._failed("ask", doubt, error)
            await self._doubts.again(doubt, office=office, alerted=told)
            return
        ASKED.labels("ask", "paid" if moneys else "not paid").inc()
        if payee is not None:
            for money in moneys:
                await self._recorder.record(profile, payee, money)
        # Money that the bank confirms stays in doubt until it has a bill.
        done = payee is not None if moneys else doubt.attempts >= _DENIED[doubt.reason]
        if done:
            await self._doubts.settle(doubt)
        else:
            told = (doubt.reason == HINT or bool(moneys)) and self._alert(doubt)
            await self._doubts.again(doubt, office=office, alerted=told)

    async def _known(self, doubt: Doubt, payee: Payee) -> bool:
        """Say whether the bill tells all there is to know: the money is there, or none is due."""
        state = await self._recorder.bill(payee)
        if doubt.reason == INQUIRY:
            return not isinstance(state, Open)
        named = (doubt.partner, doubt.request_id)
        return any(
            named in ((money.partner, money.request_id), (money.partner, money.reference))
            for money in state.books.moneys
            if doubt.request_id
        )

    def _ended_days(self) -> list[tuple[AnyProfile, date]]:
        """Return the last business day of each partner that can be called."""
        now = self._now()
        ended = [
            (profile, profile.business_day(now) - timedelta(days=1))
            for profile in self._banks.all
            if profile.id in self._lines
        ]
        return [one for one in ended if self._days.due(one[0].id, one[1])]

    async def _read_day(self, ended: tuple[AnyProfile, date]) -> None:
        """Record what a partner's own report of its day has and no callback told."""
        profile, day = ended
        if not await self._days.take(profile.id, day):
            return
        try:
            reported = await self._lines[profile.id].report(day)
        except JejakError as error:
            ASKED.labels("report", error.code).inc()
            log.warning("bank_report_failed", partner=profile.id, reason=error.code)
            await self._days.again(profile.id, day)
            return
        for virtual_account, money in reported:
            await self._record_reported(profile, virtual_account, money)
        ASKED.labels("report", "ok").inc()
        await self._days.done(profile.id, day)

    async def _record_reported(
        self, profile: AnyProfile, virtual_account: str, money: Money
    ) -> None:
        payee = await self._recorder.payee(profile, virtual_account)
        if payee is None:
            # Money that names no bill of ours comes with the settlement file, and to people.
            log.error("bank_report_names_no_bill", partner=profile.id)
            return
        await self._recorder.record(profile, payee, money)

    def _failed(self, what: str, one: Announcement | Doubt, error: JejakError) -> bool:
        """Count and log a try in vain; say whether people are to be told."""
        ASKED.labels(what, error.code).inc()
        log.warning("bank_call_in_vain", what=what, partner=one.partner, reason=error.code)
        return self._alert(one)

    @staticmethod
    def _alert(one: Announcement | Doubt) -> bool:
        if one.attempts < waiting.ALERT_AFTER:
            return False
        if one.attempts == waiting.ALERT_AFTER:
            IN_DOUBT.labels(one.partner).inc()
            log.error("bank_stays_in_doubt", partner=one.partner, attempts=one.attempts)
        return True


def _wanted(state: Bill, told: str) -> str:
    """Return what a bank should know: the open bill's id, amount and due date, or nothing."""
    match state:
        case Open(bill=bill):
            return f"{bill.bill_id}:{bill.amount}:{bill.due_on}"
        case Paid():
            # A closed account that was paid ends by itself.
            return told
        case _:
            return ""
