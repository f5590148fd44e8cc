"""Debits that take back nothing known: a person says which payment it is, or what else."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.payment import bill
from services.payment.settlement.by_hand import Aside
from services.payment.settlement.refusals import LineNotWaiting, OriginalNeeded
from shared.database.sqlite import SqliteDatabase
from shared.errors import NotFound
from tests.unit.payment.settlement.bank_file import Row
from tests.unit.payment.settlement.house import BANK, TREASURER, House, account, later


async def explain(house: House, settlement: str, line: int) -> None:
    """Let the treasurer say what a debit is."""
    said = Aside(settlement_id=settlement, line=line, reason="the bank's charge of January")
    await house.matcher.explain(said, TREASURER, f"explain {settlement} {line}")


async def paid_and_charged(house: House, debit: Row) -> str:
    """Have a bill paid and settled, and beside it a debit; return the file."""
    await house.bill(1)
    await house.callback(1, "NTB1")
    rows = [Row(240_000, "NTB1", account(1)), debit]
    taken = await house.settlement(rows, opening=1_000_000)
    house.on(later(9))
    await house.settle()
    return taken.settlement_id


@pytest.mark.parametrize("debit", [Row(-5_000, "FEE"), Row(-5_000, "FEE", account(1))])
async def test_a_charge_waits_until_it_is_explained(house: House, debit: Row) -> None:
    settlement = await paid_and_charged(house, debit)
    assert (await house.classes())["PENDING"] == (1, -5_000)
    await explain(house, settlement, 2)
    await house.settle()
    assert await house.classes() == {"MATCHED": (1, 240_000), "EXPLAINED": (1, -5_000)}
    # The day is proved with it, the payment stands, and nothing follows from it.
    day = await house.views.day(BANK, "2026-01-06")
    assert day is not None
    assert (day.settled, day.failed) == (235_000, "")
    assert isinstance(await house.state(1), bill.Paid)
    before = await house.store.head()
    await explain(house, settlement, 2)
    assert await house.store.head() == before


async def test_a_debit_takes_back_the_payment_that_a_person_names(house: House) -> None:
    settlement = await paid_and_charged(house, Row(-240_000, "R1", reverses="UNHEARD"))
    (line,) = await house.views.lines(partner=BANK, name="PENDING")
    assert (line.line, line.why) == (2, "no-original")
    await house.match(settlement, 2, 1, "NTB1")
    await house.settle()
    assert await house.classes() == {"REVERSED": (2, 0)}
    assert isinstance(await house.state(1), bill.Open)
    assert len(await house.events("PaymentReversed")) == 1


async def test_the_payment_may_be_named_by_its_request_too(house: House) -> None:
    settlement = await paid_and_charged(house, Row(-240_000, "R1", reverses="UNHEARD"))
    await house.match(settlement, 2, 1, "REQ-NTB1")
    await house.settle()
    assert await house.classes() == {"REVERSED": (2, 0)}
    assert isinstance(await house.state(1), bill.Open)


async def test_a_debit_whose_named_payment_is_unknown_says_so(house: House) -> None:
    settlement = await paid_and_charged(house, Row(-240_000, "R1", reverses="UNHEARD"))
    with pytest.raises(OriginalNeeded):
        await house.match(settlement, 2, 1, "")
    await house.match(settlement, 2, 1, "NTB9")
    await house.settle()
    (line,) = await house.views.lines(partner=BANK, name="PENDING")
    assert line.why == "match-not-found"


async def test_what_was_explained_takes_nothing_back_afterwards(house: House) -> None:
    """The credit comes in a later file: what a person said of the debit stands."""
    taken = await house.settlement([Row(-50_000, "X1")], opening=1_000_000)
    await house.settle()
    await explain(house, taken.settlement_id, 1)
    await house.settlement([Row(50_000, "X1")], "2")
    house.on(later(9))
    await house.settle()
    assert await house.classes() == {"EXPLAINED": (1, -50_000), "ORPHAN_CREDIT": (1, 50_000)}


async def test_only_a_debit_that_waits_is_explained(house: House) -> None:
    settlement = await paid_and_charged(house, Row(-240_000, "R1", reverses="NTB1"))
    for line in (1, 2):
        with pytest.raises(LineNotWaiting):
            await explain(house, settlement, line)
    elsewhere = TREASURER.__class__("officer", "bendahara.mataram", "mataram", TREASURER.roles)
    said = Aside(settlement_id=settlement, line=2, reason="not ours")
    with pytest.raises(NotFound):
        await house.matcher.explain(said, elsewhere, "elsewhere")


async def test_lost_tables_know_again_what_was_explained(house: House, tmp_path: Path) -> None:
    settlement = await paid_and_charged(house, Row(-5_000, "FEE"))
    await explain(house, settlement, 2)
    await house.settle()
    before, head = await house.classes(), await house.store.head()
    database = SqliteDatabase(tmp_path / "another.sqlite")
    again = await house.rebuilt(database)
    await again.settle()
    assert await again.classes() == before
    assert await house.store.head() == head
    await database.close()
