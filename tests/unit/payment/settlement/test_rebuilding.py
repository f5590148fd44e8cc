"""The tables of reconciliation may be lost, or in another database: the events hold everything."""

from __future__ import annotations

from pathlib import Path

from shared.database.postgres import PostgresDatabase
from shared.database.sqlite import SqliteDatabase
from tests.unit.payment.settlement.bank_file import DAY, Row
from tests.unit.payment.settlement.house import BANK, House, account, later


async def test_lost_tables_are_rebuilt_and_nothing_is_recorded_again(
    house: House, tmp_path: Path
) -> None:
    for number in range(1, 4):
        await house.bill(number)
        await house.callback(number, f"NTB{number}")
    rows = [Row(240_000, f"NTB{number}", account(number)) for number in range(2, 5)]
    await house.settlement([*rows, Row(90_000, "NTB9")])
    house.on(later(4))
    await house.settle()
    before, head = await house.classes(), await house.store.head()
    database = SqliteDatabase(tmp_path / "another.sqlite")
    again = await house.rebuilt(database)
    await again.settle()
    assert await again.classes() == before
    assert await house.store.head() == head
    await database.close()


async def test_the_tables_may_be_in_postgresql(house: House, postgres_dsn: str) -> None:
    for number in range(1, 4):
        await house.bill(number)
        await house.callback(number, f"NTB{number}")
    rows = [Row(240_000, f"NTB{number}", account(number)) for number in range(2, 5)]
    back = Row(-240_000, "R3", reverses="NTB3")
    taken = await house.settlement([*rows, Row(90_000, "NTB9"), back, Row(70_000)])
    house.on(later(4))
    await house.settle()
    before, head = await house.classes(), await house.store.head()
    day = await house.views.day(BANK, DAY.isoformat())
    database = PostgresDatabase(postgres_dsn, "payment")
    try:
        again = await house.rebuilt(database)
        await again.settle()
        assert await again.classes() == before
        assert await again.views.day(BANK, DAY.isoformat()) == day
        assert await house.store.head() == head
        assert await again.views.line(taken.settlement_id, 1) == await house.views.line(
            taken.settlement_id, 1
        )
        files = await again.views.files([BANK], 10)
        assert [one.recorded for one in files] == [6]
        found = await again.views.line(taken.settlement_id, 6)
        assert found is not None
        assert await again.views.candidates(found) == []
    finally:
        await database.close()
