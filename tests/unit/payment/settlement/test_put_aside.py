"""A person writes a line to suspense: its money is held once, and belongs to nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.payment import bill
from services.payment.settlement.by_hand import Aside
from services.payment.settlement.refusals import LineMatchedOtherwise, LineNotWaiting
from services.payment.suspense import Held
from services.payment.suspense import Reversed as SuspenseTakenBack
from shared.contracts.payment import SuspenseOpened
from shared.database.sqlite import SqliteDatabase
from shared.errors import NotFound
from tests.unit.payment.settlement.bank_file import DAY, Row
from tests.unit.payment.settlement.house import TREASURER, House, account, later


async def opened(house: House) -> list[SuspenseOpened]:
    """Return the suspense cases, oldest first."""
    found: list[Any] = await house.events("SuspenseOpened")
    return found


async def put_aside(house: House, settlement: str, line: int) -> None:
    """Let the treasurer write a line to suspense."""
    said = Aside(settlement_id=settlement, line=line, reason="nobody knows whose it is")
    await house.matcher.put_aside(said, TREASURER, f"aside {settlement} {line}")


async def test_money_that_is_none_of_two_payments_is_held(own_numbers: House) -> None:
    house = own_numbers
    for number, on in ((1, DAY), (2, later(1))):
        await house.bill(number, 100_000)
        await house.callback(number, f"NTB{number}", 100_000, on)
    taken = await house.settlement([Row(100_000, "BATCH", on=later(1))])
    house.on(later(3))
    await house.settle()
    assert (await house.classes(later(1)))["PENDING"] == (1, 100_000)
    await put_aside(house, taken.settlement_id, 1)
    await house.settle()
    assert await house.classes(later(1)) == {
        "ORPHAN_CREDIT": (1, 100_000),
        "AWAITING_SETTLEMENT": (1, 100_000),
    }
    (case,) = await opened(house)
    assert (case.amount, case.office, case.reason) == (100_000, "bogor", "orphan")
    assert await house.events("PaymentSettled") == []
    # Twice the same is nothing new, and the line is no payment's any more.
    before = await house.store.head()
    await put_aside(house, taken.settlement_id, 1)
    assert await house.store.head() == before
    with pytest.raises(LineMatchedOtherwise):
        await house.match(taken.settlement_id, 1, 2, "NTB2")


async def test_a_line_of_a_known_account_is_held_and_pays_nothing_afterwards(
    own_numbers: House,
) -> None:
    house = own_numbers
    await house.bill(1)
    await house.callback(1, "NTB1")
    await house.callback(1, "NTB2")
    taken = await house.settlement([Row(240_000, "J1", account(1))])
    house.on(later(3))
    await house.settle()
    await put_aside(house, taken.settlement_id, 1)
    await house.settle()
    assert (await house.classes())["ORPHAN_CREDIT"] == (1, 240_000)
    # The line for one of the payments comes after all, and is not taken for the one aside.
    await house.settlement([Row(240_000, "J2", account(1)), Row(240_000, "J3", account(1))], "2")
    await house.settle()
    classes = await house.classes()
    assert classes["ORPHAN_CREDIT"] == (1, 240_000)
    assert (classes["MATCHED"], classes["DUPLICATE"]) == ((1, 240_000), (1, 240_000))


async def test_a_repeated_line_can_be_money_of_its_own(house: House) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    taken = [
        await house.settlement([Row(240_000, "NTB1", account(1))], name) for name in ("1", "2")
    ]
    await house.settle()
    (settled,) = await house.events("PaymentSettled")
    (other,) = (one for one in taken if one.settlement_id != settled.settlement_id)
    await put_aside(house, other.settlement_id, 1)
    await house.settle()
    assert await house.classes() == {"MATCHED": (1, 240_000), "ORPHAN_CREDIT": (1, 240_000)}
    (case,) = await opened(house)
    assert case.request_id == f"{other.settlement_id}:1"
    assert isinstance(await house.state(1), bill.Paid)


async def test_two_lines_of_one_reference_are_two_cases(house: House) -> None:
    """The first is an orphan by itself; the second, in another file, by a person's word."""
    for name in ("1", "2"):
        await house.settlement([Row(50_000, "ORPHAN")], name)
    house.on(later(9))
    await house.settle()
    assert await house.classes() == {"ORPHAN_CREDIT": (1, 50_000), "PENDING": (1, 50_000)}
    (line,) = await house.views.lines(partner="bank-contoh", name="PENDING")
    assert line.why == "told-twice"
    await put_aside(house, line.settlement_id, line.line)
    await house.settle()
    assert await house.classes() == {"ORPHAN_CREDIT": (2, 100_000)}
    assert len({case.suspense_id for case in await opened(house)}) == 2


async def test_what_is_held_stays_held_when_another_file_repeats_it(house: House) -> None:
    """Whichever id is lower: held money is never called a repetition of what is not."""
    await house.settlement([Row(50_000, "ORPHAN")], "1")
    house.on(later(9))
    await house.settle()
    for name in "23456":
        await house.settlement([Row(50_000, "ORPHAN")], name)
    await house.settle()
    assert await house.classes() == {"ORPHAN_CREDIT": (1, 50_000), "PENDING": (5, 250_000)}
    assert len(await opened(house)) == 1


async def test_money_that_was_put_aside_is_taken_back(house: House) -> None:
    taken = await house.settlement([Row(50_000, "ORPHAN")])
    await house.settle()
    await put_aside(house, taken.settlement_id, 1)
    await house.settle()
    assert [type(case) for case in (await house.cases()).values()] == [Held]
    await house.settlement([Row(-50_000, "BACK", reverses="ORPHAN")], "2", opening=1_000_000)
    await house.settle()
    assert await house.classes() == {"REVERSED": (2, 0)}
    assert [type(case) for case in (await house.cases()).values()] == [SuspenseTakenBack]


async def test_only_a_credit_that_waits_is_written_to_suspense(house: House) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    rows = [Row(240_000, "NTB1", account(1)), Row(-5_000, "FEE")]
    taken = await house.settlement(rows, opening=1_000_000)
    house.on(later(9))
    await house.settle()
    for line in (1, 2):
        with pytest.raises(LineNotWaiting):
            await put_aside(house, taken.settlement_id, line)
    elsewhere = TREASURER.__class__("officer", "bendahara.mataram", "mataram", TREASURER.roles)
    said = Aside(settlement_id=taken.settlement_id, line=2, reason="not ours")
    with pytest.raises(NotFound):
        await house.matcher.put_aside(said, elsewhere, "elsewhere")


async def test_lost_tables_know_again_what_was_put_aside(house: House, tmp_path: Path) -> None:
    taken = await house.settlement([Row(50_000, "ORPHAN")])
    await house.settle()
    await put_aside(house, taken.settlement_id, 1)
    await house.settle()
    before, head = await house.classes(), await house.store.head()
    database = SqliteDatabase(tmp_path / "another.sqlite")
    again = await house.rebuilt(database)
    await again.settle()
    assert await again.classes() == before == {"ORPHAN_CREDIT": (1, 50_000)}
    assert await house.store.head() == head
    rows = await database.query("SELECT settlement_id, line FROM settlement_aside")
    assert [tuple(row) for row in rows] == [(taken.settlement_id, 1)]
    await database.close()
