"""What an applicant is asked to pay, and when they do: through the bank that serves the office."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from deploy.simulation import seasons, work
from deploy.simulation.engine import Process
from deploy.simulation.office import Case, Desk
from services.payment.banks.recording import Money, Payee
from services.payment.bill import DECIDER, ExpireBill, IssueLateBill, Open, bill_stream
from services.workflow.sop import Stage
from shared.actors import system
from shared.contracts.payment import BillIssued
from shared.ids import derived_id

_PAYMENT = system("payment")


def measures(case: Case, stage: Stage) -> dict[str, int]:
    """Return what the officer measured. Codes and counts are small, areas and days are not."""
    found = {}
    for measure in stage.measures:
        value = case.dice.randint(measure.min, min(measure.max, measure.min + 4))
        if measure.id == "ownership_code":
            # A state building costs nothing, and nobody would ever be asked to pay.
            value = measure.min
        if measure.max > 100:
            median = 30 if measure.id == "days" else 75
            value = round(seasons.lasting(case.dice, median, 0.8))
        found[measure.id] = min(max(value, measure.min), measure.max)
    return found


async def pay(desk: Desk, case: Case) -> Process:
    """Wait for the applicant to pay; after the due date the bill of then, with interest."""
    pays = desk.after_days(seasons.lasting(case.dice, 2.2, 1.1))
    if case.happens(work.NEVER_PAID):
        pays = datetime.max.replace(tzinfo=UTC)
    while (bill := _open(desk, case)) is not None:
        over = desk.calendar.midnight(date.fromisoformat(bill.due_on) + timedelta(days=1))
        if pays < over:
            yield pays
            await _paid(desk, case, bill)
            return
        yield over
        await _late(desk, case, bill)


def _open(desk: Desk, case: Case) -> BillIssued | None:
    """Return the bill that waits for money."""
    state = desk.world.bills.get(case.application_id)
    return state.bill if isinstance(state, Open) else None


async def _paid(desk: Desk, case: Case, bill: BillIssued) -> None:
    bank, app = desk.bank, case.application_id
    if bank.profile is None:
        return
    reference = derived_id("simulated-payment", desk.world.seed, case.number, bill.bill_id)
    told = Money(
        amount=bill.amount,
        request_id=reference,
        reference=f"SIM{case.number:09d}",
        paid_at=desk.world.now.astimezone(UTC),
    )
    await bank.recorder.record(bank.profile, Payee(app, bill.office), told)
    await desk.world.hear()


async def _late(desk: Desk, case: Case, bill: BillIssued) -> None:
    """Expire a bill and issue the next one, as the sweep over late bills does."""
    world, app, today = desk.world, case.application_id, desk.today
    expire = ExpireBill(bill_id=bill.bill_id, today=today, now=world.now, by=_PAYMENT)
    await world.give(DECIDER, bill_stream(app), expire, app, bill.bill_id)
    due = date.fromisoformat(world.bills[app].books.claim[0].due_on)
    rule = desk.bank.rules.of(bill.office, due)
    if rule is None or rule.lapsed(due, today):
        return
    issue = IssueLateBill(bill_id=bill.bill_id, rule=rule, today=today, now=world.now, by=_PAYMENT)
    await world.give(DECIDER, bill_stream(app), issue, app, bill.bill_id)
