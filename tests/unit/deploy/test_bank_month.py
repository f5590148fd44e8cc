"""A month of the demonstration's bank against a running payment service, fault by fault."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from deploy.bank.delivery import SnapPost, deliver
from deploy.bank.faults import Fault
from deploy.bank.keys import open_keys
from deploy.bank.month import MONTH_FAULTS, plan_month
from deploy.bank.plan import Day, Month, Owed
from services.payment.banks.profile import Banks
from shared.contracts.workflow import FeeAssessed
from shared.ids import derived_id
from shared.settings import Settings
from tests.running import Office, running_office, settings_in, until
from tests.unit.payment.settlement.house import account, open_house

BANK = "bank-contoh"
CONFIG = Settings().config
SHEET = yaml.safe_load((CONFIG / "banks" / f"{BANK}.yaml").read_text("utf-8"))["settlement"]["file"]
AMOUNT = 240_000


def owed(count: int, amount: int = AMOUNT) -> list[Owed]:
    banks = Banks.load(CONFIG / "banks")
    numbers = [f"BGR-2026-{n:06d}" for n in range(1, count + 1)]
    return [Owed(banks.virtual_account("bogor", number), amount) for number in numbers]


def some_month() -> date:
    """Return the first day of a month whose every grace is over by now."""
    return (date.today().replace(day=1) - timedelta(days=40)).replace(day=1)


def test_the_same_seed_plans_the_same_month_and_another_one_another() -> None:
    first, bills = some_month(), owed(200)
    assert plan_month(bills, first, seed=7) == plan_month(bills, first, seed=7)
    assert plan_month(bills, first, seed=7) != plan_month(bills, first, seed=8)


def test_a_month_has_its_share_of_duplicates_and_faults() -> None:
    month = plan_month(owed(5_000), some_month(), seed=1)
    faulty = sum(count for fault, count in month.injected().items() if fault)
    assert 0.04 < faulty / len(month.payments) < 0.06
    assert set(month.injected()) == {Fault.NONE, *MONTH_FAULTS}
    tellings = [telling for day in month.days for telling in day.tellings]
    repeated = Counter(telling.payment.request_id for telling in tellings)
    assert 0.18 < sum(count > 1 for count in repeated.values()) / len(repeated) < 0.22
    assert sum(a.payment.at > b.payment.at for a, b in itertools.pairwise(tellings))


def test_what_a_month_expects_adds_up_to_its_lines() -> None:
    month = plan_month(owed(2_000), some_month(), seed=3, faults=0.5)
    lines = [line for day in month.days for line in day.lines]
    classes = month.classes()
    assert sum(count for count, _ in classes.values()) == len(lines)
    assert sum(amount for _, amount in classes.values()) == sum(line.amount for line in lines)


async def test_every_fault_of_a_month_ends_in_its_class(tmp_path: Path) -> None:
    bills = owed(120)
    first = some_month()
    month = plan_month(bills, first, seed=4, faults=0.7, batches={first + timedelta(days=9)})
    assert set(month.injected()) == {Fault.NONE, Fault.BATCH, *MONTH_FAULTS}
    async with running_office(settings_in(tmp_path), ["payment"]) as office:
        await assess(office, len(bills))
        keys = await asyncio.to_thread(open_keys, tmp_path, office.running.kernel.secret("bank"))
        await office.sign_in("bendahara")
        for day in month.days:
            told = await deliver(day.tellings, SnapPost(office.http, keys), at_once=8)
            assert told.surprises == []
            await hand_in(office, day)
        await until(lambda: as_planned(office, month), 60, what="every line in its class")
        await until(lambda: books_balance(office, month), 30, what="the payments as planned")


async def test_money_after_the_due_date_is_late(tmp_path: Path) -> None:
    due = date(2026, 2, 4)
    bills = [Owed(account(n), AMOUNT, due) for n in range(1, 21)]
    among = (Fault.OVERDUE,)
    month = plan_month(bills, date(2026, 1, 6), seed=2, faults=0.5, among=among, duplicates=0)
    async with open_house(tmp_path) as house:
        for n in range(1, 21):
            await house.bill(n)
        house.on(due + timedelta(days=9))
        for day in month.days:
            for content in day.files(SHEET):
                await house.bring(content, f"{day.on}.csv")
        await house.settle()
        late = await house.classes(due + timedelta(days=1))
    assert late == {"LATE": month.classes()["LATE"]}
    assert late["LATE"][0] == month.injected()[Fault.OVERDUE] > 0


async def assess(office: Office, count: int) -> None:
    """Have a fee of Rp240.000 assessed for each of the month's applications."""
    for n in range(1, count + 1):
        number = f"BGR-2026-{n:06d}"
        application = derived_id("month", number)
        fee = FeeAssessed(
            application_id=application,
            number=number,
            office="bogor",
            permit_type="situ",
            permit_version=1,
            measures={"area_m2": 120},
        )
        await office.happened(f"permit-{application}", fee, application=application)

    for n in range(1, count + 1):
        # Each of them: the last fee's bill is not always the last one.
        path = f"/api/bills/BGR-2026-{n:06d}"

        async def billed(path: str = path) -> bool:
            return (await office.http.get(path)).status_code == 200

        await until(billed, 30, what=path)


async def hand_in(office: Office, day: Day) -> None:
    """Bring the day's files; the half of one is refused, the whole one taken in."""
    files = day.files(SHEET)
    for number, content in enumerate(files, 1):
        brought = await office.http.post(f"/api/settlement/{BANK}/files", content=content)
        path = f"/api/settlement/files/{brought.json()['settlement_id']}"

        async def judged(path: str = path) -> str:
            found = await office.http.get(path)
            state = found.json()["state"] if found.status_code == 200 else "taking"
            return "" if state == "taking" else str(state)

        state = await until(judged, what="the file's end")
        assert state == ("accepted" if number == len(files) else "rejected")


async def as_planned(office: Office, month: Month) -> bool:
    """Say whether every line is in the class that the plan says, by its receipt number."""
    rows: list[dict[str, Any]] = []
    while len(rows) % 1000 == 0:
        query = {"limit": 1000, "page": len(rows) // 1000 + 1}
        page = (await office.http.get(f"/api/settlement/{BANK}/lines", params=query)).json()
        rows += page
        if not page:
            break
    seen: dict[str, set[str]] = {}
    for row in rows:
        seen.setdefault(row["reverses"] or row["reference"], set()).add(row["name"])
    doubled = {p.reference for p in month.payments if p.fault is Fault.DOUBLED_LINE}
    planned = {
        reference: {one.line} | ({"PENDING"} if reference in doubled else set())
        for reference, one in month.expected.items()
        if one.line
    }
    return seen == planned


async def books_balance(office: Office, month: Month) -> bool:
    """Say whether paid bills and money in suspense are the plan's, to the rupiah."""
    kernel = office.running.kernel
    rows = await kernel.store.read_all(0, 1_000_000)
    events = Counter(row.type for row in rows)
    held = sum(kernel.codec.decode(row).amount for row in rows if row.type == "SuspenseOpened")
    expected = month.expected.values()
    reversals = sum(one.line == "REVERSED" for one in expected)
    return (
        events["PaymentReceived"] == sum(one.pays for one in expected) + reversals
        and events["PaymentReversed"] == reversals
        and held == sum(one.held for one in expected)
    )
