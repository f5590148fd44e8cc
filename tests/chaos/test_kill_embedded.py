"""kill -9 of the whole office under load, again and again: what was answered stays, once."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import pytest

from shared.store.sqlite import SqliteStore
from tests.chaos.evidence import (
    Entry,
    check_acknowledged,
    check_effects,
    check_nothing_parked,
    check_once,
    listed,
    read_log,
    replay_check,
    settle,
    statuses,
)
from tests.chaos.load import Ledger, Line, people_at_work
from tests.process import OfficeProcess, restartable

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

ROUNDS = int(os.environ.get("JEJAK_KILLS", "50"))
APPLICANTS = 6
READ_MODELS = {"applications", "permits", "bills-2", "messages-2"}


async def test_kills_under_load_lose_nothing_and_give_no_number_twice(
    tmp_path: Path,
) -> None:
    seed = os.environ.get("JEJAK_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"JEJAK_SEED={seed}")
    with restartable(tmp_path / "data") as office:
        ledger = await _killed_under_load(office, seed)
        settle(office.data / "events.sqlite")
        assert {r["name"] for r in replay_check(office.data)} >= READ_MODELS
        check_nothing_parked(office.data)
        office.stop()
    log = await _log(office)
    check_acknowledged(log, ledger, office.data / "uploads")
    check_once(log)
    check_effects(log)
    assert listed(office.data / "intake.sqlite", _INTAKE) == statuses(log)
    assert len(ledger.submitted) >= ROUNDS
    assert ledger.unanswered >= ROUNDS / 2, "hardly a kill hit anybody: the test proves nothing"


_INTAKE = "SELECT application_id, status FROM applications"


async def _killed_under_load(office: OfficeProcess, seed: str) -> Ledger:
    """Let people work while the office is killed and started again; return what they were told."""
    chance, ledger = random.Random(seed), Ledger()
    line = Line(office.address, ledger)
    async with people_at_work(line, seed, applicants=APPLICANTS):
        began = time.monotonic()
        for _ in range(ROUNDS):
            await asyncio.sleep(chance.uniform(0.05, 0.6))
            line.up.clear()
            await asyncio.to_thread(office.restart)
            line.up.set()
        took = time.monotonic() - began
    print(f"{ROUNDS} kills in {took:.0f} s: {ledger}")
    return ledger


async def _log(office: OfficeProcess) -> list[Entry]:
    store = SqliteStore(office.data / "events.sqlite")
    try:
        return await read_log(store)
    finally:
        await store.close()
