"""A month of payments for a load test: drawn from a seed, with faults, and what must come of each.

::

    month = plan_month(bills, date(2026, 1, 1), seed=7)
    for day in month.days:
        await deliver(day.tellings, post)      # deploy.bank.delivery: the callbacks of the day
        for content in day.files(sheet): ...   # the settlement file, perhaps half of it first
    month.expected["..."]                      # by receipt number

The plan knows nothing of the office: it says what a bank does, and which class of the published
reconciliation its payments and lines belong to in the end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from deploy.bank.client import JAKARTA
from deploy.bank.faults import Fault
from deploy.bank.plan import (
    AGAIN,
    REFUSED,
    WRONG_AMOUNT,
    Day,
    Expected,
    Month,
    Owed,
    Payment,
    Telling,
)
from deploy.bank.statement import Line

# Faults of a month, and in which class they end. They are drawn with equal chances.
MONTH_FAULTS: Final = (
    Fault.LATE,
    Fault.LOST,
    Fault.TAMPERED,
    Fault.SIGNATURE,
    Fault.CLOCK,
    Fault.AMOUNT,
    Fault.REVERSAL,
    Fault.SECOND_PAYMENT,
    Fault.UNDERPAID,
    Fault.NEAR_MIDNIGHT,
    Fault.MISSING_LINE,
    Fault.DOUBLED_LINE,
    Fault.OTHER_AMOUNT,
    Fault.ORPHAN,
)


@dataclass
class _Plan:
    """A month while it is being drawn."""

    first: date
    duplicates: float
    drawn: random.Random
    name: str
    tellings: dict[date, list[Telling]] = field(default_factory=dict)
    lines: dict[date, list[Line]] = field(default_factory=dict)
    payments: list[Payment] = field(default_factory=list)
    expected: dict[str, Expected] = field(default_factory=dict)
    given: int = 0

    def number(self) -> str:
        """Return a number that this month gave to nothing else."""
        self.given += 1
        return f"{self.name}{self.given:09d}"

    def tell(self, payment: Payment, at: datetime, fault: Fault = Fault.NONE, **told: Any) -> None:
        """Plan a callback. Some overtake others, as they do on a real line."""
        if self.drawn.random() < self.duplicates:
            at += timedelta(minutes=self.drawn.randint(-240, 240))
        telling = Telling(payment, self.number(), at, fault=fault, **told)
        if fault is Fault.NONE and self.drawn.random() < self.duplicates:
            telling = replace(telling, codes=telling.codes | AGAIN)
            self._repeat(telling)
        self._place(telling)

    def _repeat(self, telling: Telling) -> None:
        """Plan the same callback again: to the letter, as a retry, or both."""
        for kind in self.drawn.choice((("same",), ("advice",), ("same", "advice", "advice"))):
            copy = replace(telling, at=telling.at + timedelta(seconds=self.drawn.randint(-30, 600)))
            if kind == "advice":
                copy = replace(copy, external_id=self.number(), advice=True)
            self._place(copy)

    def _place(self, telling: Telling) -> None:
        self.tellings.setdefault(telling.at.date(), []).append(telling)

    def post(self, payment: Payment, on: date | None = None, amount: int = 0) -> None:
        """Plan the line of a payment."""
        day = on or payment.at.date()
        line = Line(amount or payment.amount, day, payment.reference, payment.account)
        self.lines.setdefault(day, []).append(line)

    def expect(
        self, payment: Payment, line: str, money: str, *, pays: bool = True, held: int = 0
    ) -> None:
        """Note what must come of a payment."""
        self.expected[payment.reference] = Expected(payment.fault, line, money, pays, held)


def plan_month(
    bills: Iterable[Owed],
    first: date,
    *,
    seed: int,
    duplicates: float = 0.2,
    faults: float = 0.05,
    among: Sequence[Fault] = MONTH_FAULTS,
    batches: Collection[date] = (),
) -> Month:
    """Draw one payment for each of ``bills`` in the month that begins at ``first``.

    ``duplicates`` of the callbacks are repeated and as many overtake others; ``faults`` of the
    payments have one of ``among``; ``Fault.OVERDUE`` may be added where bills have due dates. All
    payments of a day in ``batches`` are settled by one line. The same seed plans the same month.
    """
    drawn = random.Random(seed)
    plan = _Plan(first, duplicates, drawn, f"{seed % 1000:03d}")
    # The last days stay free, so that what comes late still comes within the month.
    days = ((first.replace(day=28) + timedelta(days=4)).replace(day=1) - first).days - 4
    for bill in bills:
        at = datetime.combine(first + timedelta(days=drawn.randrange(days)), time(8), JAKARTA)
        at += timedelta(seconds=drawn.randrange(10 * 3600))
        fault = drawn.choice(among) if drawn.random() < faults else Fault.NONE
        if at.date() in batches:
            fault = Fault.BATCH
        elif fault is Fault.OVERDUE:
            at, fault = _after_due(at, bill)
        number = plan.number()
        payment = Payment(bill.account, bill.amount, f"REQ{number}", f"N{number}", at, fault)
        _PLANNED.get(fault, _plain)(plan, payment)
        plan.payments.append(payment)
    return Month(list(_days(plan, faults)), plan.payments, plan.expected)


def _days(plan: _Plan, faults: float) -> Iterator[Day]:
    for on in sorted(plan.tellings.keys() | plan.lines.keys()):
        told = sorted(plan.tellings.get(on, ()), key=lambda telling: telling.at)
        half = plan.drawn.random() < faults
        yield Day(on, told, plan.lines.get(on, ()), half)


def _after_due(at: datetime, bill: Owed) -> tuple[datetime, Fault]:
    """Return a time after the due date, if the bill has one."""
    if bill.due_on is None:
        return at, Fault.NONE
    return datetime.combine(bill.due_on + timedelta(days=1), at.timetz()), Fault.OVERDUE


def _plain(plan: _Plan, payment: Payment) -> None:
    plan.tell(payment, payment.at)
    plan.post(payment)
    plan.expect(payment, "MATCHED", "MATCHED")


def _late(plan: _Plan, payment: Payment) -> None:
    plan.tell(payment, payment.at + timedelta(days=2), codes=AGAIN)
    plan.post(payment)
    plan.expect(payment, "MATCHED", "MATCHED")


def _unheard(plan: _Plan, payment: Payment) -> None:
    """Plan a payment of which the office hears nothing that it can believe."""
    if payment.fault is not Fault.LOST:
        plan.tell(payment, payment.at, payment.fault, codes=REFUSED)
    plan.post(payment)
    plan.expect(payment, "SETTLED_NO_CALLBACK", "SETTLED_NO_CALLBACK")


def _wrong_amount(plan: _Plan, payment: Payment) -> None:
    """Plan a payment that the office must refuse, so that no money moves."""
    wrong = replace(payment, amount=payment.amount + 1)
    plan.tell(wrong, payment.at, payment.fault, codes=WRONG_AMOUNT)
    plan.expect(payment, "", "", pays=False)


def _reversed(plan: _Plan, payment: Payment) -> None:
    plan.tell(payment, payment.at)
    plan.post(payment)
    on = payment.at.date() + timedelta(days=1)
    back = Line(-payment.amount, on, f"R{plan.number()}", payment.account, payment.reference)
    plan.lines.setdefault(on, []).append(back)
    plan.expect(payment, "REVERSED", "REVERSED", pays=False)


def _paid_twice(plan: _Plan, payment: Payment) -> None:
    """Plan a second payment of the bill the day after, of which only the file tells."""
    plan.tell(payment, payment.at)
    plan.post(payment)
    plan.expect(payment, "MATCHED", "MATCHED")
    second = replace(payment, reference=f"N{plan.number()}")
    plan.post(second, payment.at.date() + timedelta(days=1))
    plan.expect(second, "DUPLICATE", "DUPLICATE", pays=False, held=payment.amount)


def _underpaid(plan: _Plan, payment: Payment) -> None:
    less = max(payment.amount - 10_000, 1)
    plan.post(payment, amount=less)
    plan.expect(payment, "AMOUNT_DIFF", "AMOUNT_DIFF", pays=False, held=less)


def _near_midnight(plan: _Plan, payment: Payment) -> None:
    late = replace(payment, at=payment.at.replace(hour=23, minute=58))
    plan.tell(late, late.at)
    plan.post(late, late.at.date() + timedelta(days=1))
    plan.expect(late, "MATCHED", "MATCHED")


def _missing(plan: _Plan, payment: Payment) -> None:
    plan.tell(payment, payment.at)
    plan.expect(payment, "", "CALLBACK_NO_SETTLEMENT")


def _doubled(plan: _Plan, payment: Payment) -> None:
    """Plan a line that is in the file twice: one settles, the other waits for a person."""
    plan.tell(payment, payment.at)
    plan.post(payment)
    plan.post(payment)
    plan.expect(payment, "MATCHED", "MATCHED")


def _other_amount(plan: _Plan, payment: Payment) -> None:
    plan.tell(payment, payment.at)
    plan.post(payment, amount=payment.amount + 1_000)
    plan.expect(payment, "AMOUNT_DIFF", "AMOUNT_DIFF")


def _orphan(plan: _Plan, payment: Payment) -> None:
    """Plan a payment as it should be, and beside it money that names no bill."""
    _plain(plan, payment)
    # No sum of bills ends like this, so that it can't be taken for a day's payments.
    odd = payment.amount + 17
    stray = replace(payment, account="", amount=odd, reference=f"X{plan.number()}")
    plan.post(stray)
    plan.expect(stray, "ORPHAN_CREDIT", "", pays=False, held=odd)


def _overdue(plan: _Plan, payment: Payment) -> None:
    """Plan money that arrives after the bill's end, of which only the file tells."""
    plan.post(payment)
    plan.expect(payment, "LATE", "LATE", pays=False, held=payment.amount)


def _batched(plan: _Plan, payment: Payment) -> None:
    """Plan a payment that is settled together with all others of its day."""
    plan.tell(payment, payment.at)
    plan.expect(payment, "", "MATCHED")
    day, name = payment.at.date(), f"BATCH{payment.at:%d%m%y}"
    lines = plan.lines.setdefault(day, [])
    before = next((line for line in lines if line.reference == name), None)
    if before is None:
        plan.expected[name] = Expected(Fault.BATCH, "MATCHED", "", pays=False)
        lines.append(Line(payment.amount, day, name))
    else:
        lines[lines.index(before)] = replace(before, amount=before.amount + payment.amount)


_PLANNED: Final[Mapping[Fault, Callable[[_Plan, Payment], None]]] = {
    Fault.LATE: _late,
    Fault.LOST: _unheard,
    Fault.TAMPERED: _unheard,
    Fault.SIGNATURE: _unheard,
    Fault.CLOCK: _unheard,
    Fault.AMOUNT: _wrong_amount,
    Fault.REVERSAL: _reversed,
    Fault.SECOND_PAYMENT: _paid_twice,
    Fault.UNDERPAID: _underpaid,
    Fault.NEAR_MIDNIGHT: _near_midnight,
    Fault.MISSING_LINE: _missing,
    Fault.DOUBLED_LINE: _doubled,
    Fault.OTHER_AMOUNT: _other_amount,
    Fault.ORPHAN: _orphan,
    Fault.OVERDUE: _overdue,
    Fault.BATCH: _batched,
}
