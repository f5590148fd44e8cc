"""Reconciliation looks at what is new: no statement of it reads the whole history."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from shared.database import Params, Row, Transaction
from shared.database.sqlite import SqliteDatabase
from tests.unit.payment.settlement.bank_file import Row as FileRow
from tests.unit.payment.settlement.house import House, account, later

T = TypeVar("T")
# With the names that joins give them.
BIG = ("settlement_lines", "settlement_moneys", "settlement_bills", "l", "m")


class Overheard:
    """A transaction that keeps what it is asked."""

    def __init__(self, tx: Transaction, said: dict[str, Params]) -> None:
        self._tx = tx
        self._said = said

    def execute(self, sql: str, params: Params = ()) -> list[Row]:
        self._said[sql] = params
        return self._tx.execute(sql, params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


class Listening(SqliteDatabase):
    """A database that keeps every statement with the parameters of the last time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.said: dict[str, Params] = {}

    async def transaction(self, work: Callable[[Transaction], T]) -> T:
        return await super().transaction(lambda tx: work(Overheard(tx, self.said)))

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        self.said[sql] = params
        return await super().query(sql, params)


async def test_no_statement_reads_a_whole_table(house: House, tmp_path: Path) -> None:
    file = tmp_path / "listening.sqlite"
    database = Listening(file)
    again = await house.rebuilt(database)
    for number in range(1, 4):
        await again.bill(number)
        await again.callback(number, f"NTB{number}")
    rows = [FileRow(240_000, f"NTB{n}", account(n)) for n in (2, 3, 4)]
    await again.settlement([*rows, FileRow(90_000, "LOOSE")])
    await again.settle()
    again.on(later(9))
    await again.settle()
    await again.settlement([FileRow(-240_000, "BACK", account(2), later(1), "NTB2")], "2", 10**7)
    await again.settle()
    await database.close()
    whole = [
        (sql, detail)
        for sql, params in database.said.items()
        for detail in plan(file, sql, params)
        if detail.startswith("SCAN") and "USING" not in detail and detail.split()[1] in BIG
    ]
    assert len(database.said) > 30
    assert whole == []


def plan(file: Path, sql: str, params: Params) -> list[str]:
    """Return how SQLite finds the rows of one statement."""
    if not sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
        return []
    with closing(sqlite3.connect(file)) as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
