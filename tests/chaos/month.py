"""A bank's month: ``python -m tests.chaos.month --payments 100000``.

The payment service runs on SQLite with a clock that goes day by day. The bank simulator's plan says
what the bank does: a fifth of its callbacks come twice or out of order, and a twentieth of its
payments have a fault. Afterwards the books must balance to the rupiah, nothing may be there twice,
and every fault must have ended in the class that the plan says. Prints what it was, or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import uvloop
import yaml

from deploy.bank import plan as planned
from deploy.bank.delivery import Heard, deliver
from deploy.bank.keys import open_keys
from deploy.bank.month import plan_month
from deploy.bank.plan import Day, Month, Telling
from services.payment.settlement.facts import LineId
from services.payment.settlement.matching import line_key
from shared.contracts.payment import BillIssued
from shared.settings import Settings
from tests.bank_partner import Partner
from tests.chaos.books import Books, decoded
from tests.chaos.money import assess_fees
from tests.chaos.month_checks import Outcome, check, report
from tests.chaos.month_office import Clock, Wire, office_at
from tests.running import Office, settings_in, until

BANK = "bank-contoh"
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
_AT_ONCE = 32
_UNHURRIED = 3600.0
# Effects follow each other within milliseconds.
_STILL = 0.3


async def run(folder: Path, payments: int, seed: int) -> Outcome:
    """Play the month of so many payments in ``folder`` and return what came of it."""
    clock, seconds = Clock(datetime.now(UTC)), dict[str, float]()
    clock.set(FIRST, 0, 5)
    settings = settings_in(folder)
    async with office_at(settings, clock) as office:
        began = time.monotonic()
        month = plan_month(await _bills(office, payments, seed), FIRST, seed=seed)
        seconds["bills"] = time.monotonic() - began
        codes, surprises = await _days(office, settings, month, clock, seconds)
        clock.set(LAST, 20)
        began = time.monotonic()
        await until(lambda: _graced(office, month), _UNHURRIED, "every class")
        await _rest(office)
        seconds["grace"] = time.monotonic() - began
        lines, moneys, failed = await _tables(office)
        books = await Books.of(office.running.kernel.store)
    halves = sum(day.half_first and bool(day.lines) for day in month.days)
    return Outcome(month, books, lines, moneys, failed, codes, surprises, halves, seconds)


async def _bills(office: Office, count: int, seed: int) -> list[planned.Owed]:
    """Have fees assessed and wait for their bills."""
    store = office.running.kernel.store
    await assess_fees(store, count, random.Random(seed))

    async def issued() -> bool:
        return await store.head() >= 2 * count

    await until(issued, _UNHURRIED, "the bills")
    await _rest(office)
    return [
        planned.Owed(event.virtual_account, event.amount)
        async for _, event in decoded(store)
        if isinstance(event, BillIssued)
    ]


async def _days(
    office: Office, settings: Settings, month: Month, clock: Clock, seconds: dict[str, float]
) -> tuple[Counter[str], list[tuple[Telling, Heard]]]:
    """Let every day pass: its callbacks, and the morning after its file."""
    keys = open_keys(settings.data, office.running.kernel.secret("bank"))
    partner = Partner(office.http, keys.private, keys.secret, keys.client_id, keys.partner_id)
    wire, codes, surprises = Wire(office, partner), Counter[str](), []
    spent = defaultdict[str, float](float)
    await office.sign_in("bendahara")
    for day in month.days:
        began = time.monotonic()
        clock.set(day.on, 23, 59)
        partner.shift = clock() - datetime.now(UTC)
        assert (await partner.sign_in())["responseCode"] == "2007300"
        async with wire.open(clock(), partner.token, _AT_ONCE):
            heard = await deliver(day.tellings, wire.post, at_once=_AT_ONCE)
        codes += heard.codes
        surprises += heard.surprises
        told = time.monotonic()
        spent["callbacks"] += told - began
        clock.set(day.on + timedelta(days=1), 6)
        await _files(office, day)
        spent["files"] += time.monotonic() - told
    seconds.update(spent)
    return codes, surprises


async def _files(office: Office, day: Day) -> None:
    """Bring the day's files: a half one is refused, the whole one taken in and reconciled."""
    profile = office.running.kernel.settings.config / "banks" / f"{BANK}.yaml"
    files = day.files(yaml.safe_load(profile.read_text("utf-8"))["settlement"]["file"])
    for at, content in enumerate(files, 1):
        path = f"/api/settlement/{BANK}/files?name={day.on}"
        answer = await office.http.post(path, content=content)
        assert answer.status_code == 202, answer.text
        name = answer.json()["settlement_id"]

        async def decided(name: str = name) -> str:
            found = await office.http.get(f"/api/settlement/files/{name}")
            state = found.json().get("state", "") if found.status_code == 200 else ""
            return state if state in ("accepted", "rejected") else ""

        state = await until(decided, _UNHURRIED, "the file")
        assert state == ("accepted" if at == len(files) else "rejected"), (day.on, at, state)
    await _rest(office)


async def _rest(office: Office) -> None:
    """Wait until nothing is left to look at and nothing new was recorded for a moment.

    Seen twice: on a busy machine the moment may be over before the first look's answer is there.
    """
    store, database = office.running.kernel.store, office.running.databases["payment"]
    dirty = (
        "SELECT 1 FROM settlement_lines WHERE dirty > 0 AND accepted = 1 "
        "UNION ALL SELECT 1 FROM settlement_moneys WHERE dirty > 0 LIMIT 1"
    )
    seen, since = -1, time.monotonic()
    while True:
        head = await store.head()
        if head != seen or await database.query(dirty):
            seen, since = head, time.monotonic()
        elif time.monotonic() - since > _STILL:
            return
        await asyncio.sleep(0.05)


async def _graced(office: Office, month: Month) -> bool:
    """Say whether every line is in the class of the plan, and every day is proved anew."""
    database = office.running.databases["payment"]
    rows = await database.query(
        "SELECT class, COUNT(*), SUM(amount) FROM settlement_lines WHERE accepted = 1 "
        "GROUP BY class"
    )
    waiting = await database.query("SELECT 1 FROM settlement_days WHERE changed > 0 LIMIT 1")
    return not waiting and {row[0]: (row[1], row[2]) for row in rows} == month.classes()


async def _tables(
    office: Office,
) -> tuple[dict[str, tuple[str, str, int]], dict[str, str], list[tuple[str, str]]]:
    """Return what the read model says of lines, payments and days that can't be proved."""
    database = office.running.databases["payment"]
    lines = await database.query(
        "SELECT settlement_id, line, class, reference, amount FROM settlement_lines "
        "WHERE accepted = 1"
    )
    moneys = await database.query("SELECT reference, class FROM settlement_moneys")
    failed = await database.query("SELECT day, failed FROM settlement_days WHERE failed <> ''")
    found = {line_key(LineId(row[0], row[1])): (row[2], row[3], row[4]) for row in lines}
    return found, dict(moneys), [(day, why) for day, why in failed]


def main() -> None:
    """Play a month and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = uvloop.run(run(Path(folder), given.payments, given.seed))
    print(report(outcome), flush=True)
    check(outcome)
    print("The books balance.")


if __name__ == "__main__":
    main()
