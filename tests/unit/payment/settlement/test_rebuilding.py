"""The tables of reconciliation may be lost, or in another database: the events hold everything."""

from __future__ import annotations

from pathlib import Path

from deploy.replay import Difference, rebuild
from services.payment.settlement.projection import SettlementProjection
from services.payment.suspense import DECIDER, OpenSuspense, suspense_stream
from shared.actors import system
from shared.database.postgres import PostgresDatabase
from shared.database.sqlite import SqliteDatabase
from shared.ids import derived_id
from tests.unit.payment.settlement.bank_file import DAY, Row, layout
from tests.unit.payment.settlement.house import BANK, House, account, later, partners


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


async def test_replay_explains_the_facts_and_leaves_out_what_was_concluded(
    house: House, tmp_path: Path
) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    await house.settlement([Row(240_000, "NTB1", account(1)), Row(90_000, "NTB9")])
    house.on(later(4))
    await house.settle()
    projection = SettlementProjection(house.handler.codec, partners(layout()))

    async def difference(folder: str) -> Difference | None:
        (tmp_path / folder).mkdir()
        rebuilt = await rebuild(
            projection, house.database, house.store, tmp_path / folder, check=True
        )
        return rebuilt.difference

    assert await difference("once") is None
    await house.database.transaction(
        lambda tx: tx.execute("UPDATE settlement_lines SET amount = amount + 1 WHERE line = 1")
    )
    found = await difference("again")
    assert found is not None
    assert found.table == "settlement_lines"


async def test_an_orphan_that_no_file_told_of_is_no_line(house: House) -> None:
    await house.settlement([Row(90_000, "NTB9")])
    case = OpenSuspense(
        suspense_id="case",
        office="bogor",
        partner=BANK,
        amount=5_000,
        reason="orphan",
        source="inquiry",
        reference="NTB5",
        request_id="a request of the bank's own",
        virtual_account="",
        paid_at=house.now().isoformat(),
        now=house.now(),
        by=system("payment"),
    )
    await house.handler.handle(
        DECIDER, suspense_stream("case"), case, cause=derived_id("case"), application="case"
    )
    await house.settle()
    assert await house.classes() == {"PENDING": (1, 90_000)}
