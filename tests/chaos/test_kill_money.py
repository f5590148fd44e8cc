"""kill -9 in the middle of callbacks and settlement files, a hundred times: no rupiah is lost."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.payment.settlement.facts import LineId
from services.payment.settlement.matching import line_key
from shared.contracts.payment import BillIssued
from shared.store.sqlite import SqliteStore
from tests.chaos.books import Books, decoded
from tests.chaos.evidence import check_nothing_parked, replay_check, settle
from tests.chaos.load import Ledger, Line
from tests.chaos.money import (
    Market,
    Owed,
    Statements,
    Told,
    assess_fees,
    bank_at_work,
    treasurer_at_work,
)
from tests.process import OfficeProcess, eventually, restartable
from tests.running import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("JEJAK_KILLS", "100"))
TELLERS = 4
# More than a round can use; who runs out of bills tells no more.
TO_TELL, UNTOLD = 150 * ROUNDS, 100 * ROUNDS


async def test_a_hundred_kills_between_callbacks_and_files_move_no_rupiah(tmp_path: Path) -> None:
    seed = os.environ.get("JEJAK_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"JEJAK_SEED={seed}")
    data, told, statements = tmp_path / "data", Told(), Statements()
    with restartable(data) as office:
        market = await _market(office, random.Random(seed))
        in_files = await _killed_at_work(office, seed, market, statements, told)
        await asyncio.to_thread(eventually, lambda: _all_taken(data, told), 120)
        settle(data / "events.sqlite", 180)
        await asyncio.to_thread(eventually, lambda: _classes(data) == statements.totals(), 60)
        check_nothing_parked(data)
        assert {r["name"] for r in replay_check(data)} >= {"settlement", "treasury"}
        office.stop()
    books = await _books(data)
    books.check()
    _check_told(books, told)
    _check_lines(data, books, statements)
    print(f"{len(books.lines)} lines, {sum(line.amount for line in books.lines.values())} rupiah")
    assert in_files >= ROUNDS / 10, "hardly a kill hit a file: the test proves nothing"


async def _market(office: OfficeProcess, chance: random.Random) -> Market:
    """Have fees assessed and wait for their bills."""
    wanted = TO_TELL + UNTOLD
    store = SqliteStore(office.data / "events.sqlite")
    try:
        await assess_fees(store, wanted, chance)
        issued: list[Owed] = []
        async with asyncio.timeout(300):
            while len(issued) < wanted:
                await asyncio.sleep(1)
                issued = [
                    Owed(event.application_id, event.virtual_account, event.amount)
                    async for _, event in decoded(store)
                    if isinstance(event, BillIssued)
                ]
    finally:
        await store.close()
    return Market(deque(issued[:TO_TELL]), deque(issued[TO_TELL:]))


async def _killed_at_work(
    office: OfficeProcess, seed: str, market: Market, statements: Statements, told: Told
) -> int:
    """Kill the office again and again; return how often a file was in the middle."""
    chance, ledger, in_files = random.Random(seed), Ledger(), 0
    line = Line(office.address, ledger)
    began = time.monotonic()
    async with asyncio.TaskGroup() as people:
        for n in range(TELLERS):
            people.create_task(bank_at_work(line, office.data, market, told, f"{seed} {n}"))
        people.create_task(treasurer_at_work(line, statements, market, told))
        line.up.set()
        # Signing in takes longer than a round.
        await until(_at_work(told), 120, "the first payment and file")
        for number in range(ROUNDS):
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            if number % 3 == 0:
                await _until_a_file_waits(office.data)
            line.up.clear()
            await asyncio.to_thread(office.kill)
            in_files += _in_the_middle(office.data)
            await asyncio.to_thread(office.start)
            line.up.set()
        line.over.set()
    print(
        f"{ROUNDS} kills in {time.monotonic() - began:.0f} s, {in_files} of them with a file not "
        f"yet accepted: {len(told.paid)} payments and {len(told.files)} files answered, "
        f"{told.again} told again, {ledger.unanswered} calls unanswered"
    )
    assert ledger.unanswered >= ROUNDS / 2, "hardly a kill hit anybody: the test proves nothing"
    return in_files


def _at_work(told: Told) -> Callable[[], Awaitable[bool]]:
    async def both() -> bool:
        return bool(told.paid and told.files)

    return both


async def _until_a_file_waits(data: Path) -> None:
    """Wait for a file to be in the middle, but not for ever: few kills would miss all by chance."""
    for _ in range(1000):
        if _in_the_middle(data):
            break
        await asyncio.sleep(0.002)


def _in_the_middle(data: Path) -> bool:
    """Say whether a file that was answered for is not accepted yet."""
    return any((data / "settlements" / "waiting").glob("*.json"))


def _all_taken(data: Path, told: Told) -> bool:
    sql = "SELECT settlement_id FROM settlement_files WHERE state = 'accepted'"
    return told.files <= {name for (name,) in _query(data, sql)}


def _classes(data: Path) -> dict[str, tuple[int, int]]:
    sql = "SELECT class, COUNT(*), SUM(amount) FROM settlement_lines GROUP BY class"
    return {name: (count, amount) for name, count, amount in _query(data, sql)}


def _query(data: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(data / "payment.sqlite", isolation_level=None)) as database:
        return database.execute(sql).fetchall()


async def _books(data: Path) -> Books:
    store = SqliteStore(data / "events.sqlite")
    try:
        return await Books.of(store)
    finally:
        await store.close()


def _check_told(books: Books, told: Told) -> None:
    """Every payment and file that was answered is in the books, once, as it was told."""
    for owed in told.paid.values():
        assert books.received[owed.reference] == [owed.amount]
    assert told.files == set(books.accepted)


def _check_lines(data: Path, books: Books, statements: Statements) -> None:
    """Every line is in the class it must be in, and its money went where its class says."""
    sql = "SELECT settlement_id, line, class, reference, amount FROM settlement_lines"
    found = {line_key(LineId(file, line)): rest for file, line, *rest in _query(data, sql)}
    assert found.keys() == books.lines.keys()
    held = {case.request_id for case in books.cases.values() if case.reason == "orphan"}
    for key, (name, reference, amount) in found.items():
        assert (name, amount) == statements.expected[reference]
        assert (books.settled[key] == [amount]) == (name != "ORPHAN_CREDIT")
        assert (key in held) == (name == "ORPHAN_CREDIT")
    sums = {name: amount for name, (_, amount) in statements.totals().items()}
    on_bills = books.received.items()
    settled = sum(sum(found) for name, found in on_bills if name in statements.expected)
    assert settled == sums["MATCHED"] + sums["SETTLED_NO_CALLBACK"]
    assert books.held == sums["DUPLICATE"] + sums["ORPHAN_CREDIT"]
