"""One suite for both databases: what a service's projections, inboxes and checkpoints rely on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shared.database import Database, Transaction
from shared.database.postgres import PostgresDatabase
from shared.database.sqlite import SqliteDatabase
from shared.errors import Unavailable

Open = Callable[[str], Database]
TABLE = "CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, n BIGINT NOT NULL)"
UPSERT = (
    "INSERT INTO marks (name, n) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET n = marks.n + excluded.n RETURNING n"
)
READ = "SELECT name, n FROM marks ORDER BY name"


@pytest.fixture(params=["sqlite", "postgres"])
async def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Open databases by service name; all are closed afterwards."""
    opened: list[Database] = []
    dsn = request.getfixturevalue("postgres_dsn") if request.param == "postgres" else ""

    def open_one(service: str) -> Database:
        database = (
            PostgresDatabase(dsn, service)
            if dsn
            else SqliteDatabase(tmp_path / f"{service}.sqlite")
        )
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        await database.close()


@pytest.fixture
async def database(open_database: Open) -> Database:
    """A database with one empty table."""
    made = open_database("workflow")
    await made.transaction(lambda tx: tx.execute(TABLE))
    return made


async def test_rows_come_back_as_plain_tuples(database: Database) -> None:
    big = 2**62
    await database.transaction(lambda tx: tx.execute(UPSERT, ("é\u4e00", big)))
    rows = await database.query(READ)
    assert rows == [("é\u4e00", big)]
    assert type(rows[0]) is tuple
    assert await database.query("SELECT n FROM marks WHERE name = ?", ("missing",)) == []


async def test_a_transaction_returns_what_its_work_returns(database: Database) -> None:
    def work(tx: Transaction) -> tuple[int, int]:
        first = tx.execute(UPSERT, ("a", 1))[0][0]
        return first, tx.execute(UPSERT, ("a", 2))[0][0]

    assert await database.transaction(work) == (1, 3)


async def test_statements_without_rows_return_none(database: Database) -> None:
    def work(tx: Transaction) -> list[tuple[object, ...]]:
        return tx.execute("UPDATE marks SET n = 0 WHERE name = ?", ("a",))

    assert await database.transaction(work) == []


async def test_work_that_raises_leaves_nothing_behind(database: Database) -> None:
    def work(tx: Transaction) -> None:
        tx.execute(UPSERT, ("a", 1))
        raise KeyError("a mistake")

    with pytest.raises(KeyError, match="a mistake"):
        await database.transaction(work)
    assert await database.query(READ) == []
    await database.transaction(lambda tx: tx.execute(UPSERT, ("b", 1)))
    assert await database.query(READ) == [("b", 1)]


async def test_many_rows_in_one_statement(database: Database) -> None:
    insert = "INSERT INTO marks (name, n) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"

    def work(tx: Transaction) -> None:
        tx.executemany(insert, ((f"{n:05}", n) for n in range(5000)))
        tx.executemany(insert, [("00000", 7)])
        tx.executemany(insert, [])

    await database.transaction(work)
    assert await database.query("SELECT count(*), sum(n) FROM marks") == [(5000, 12497500)]


async def test_many_rows_may_meet_the_same_key_again_and_again(database: Database) -> None:
    insert = "INSERT INTO marks (name, n)\nVALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = "
    rows = [("ab"[n % 2], 1) for n in range(333)]

    def work(tx: Transaction) -> None:
        tx.executemany(insert + "marks.n + excluded.n", rows)
        tx.executemany(insert + "marks.n + ?", [(*row, 2) for row in rows])

    await database.transaction(work)
    assert await database.query(READ) == [("a", 167 * 3), ("b", 166 * 3)]


async def test_many_rows_for_other_statements(database: Database) -> None:
    def work(tx: Transaction) -> None:
        insert = "INSERT INTO marks (name, n) SELECT ?, CAST(? AS BIGINT) * 2"
        tx.executemany(insert, [(f"{n:03}", n) for n in range(120)])
        tx.executemany("UPDATE marks SET n = ? WHERE name = ?", [(7, "000"), (8, "001")])
        tx.executemany("DELETE FROM marks WHERE name = ?", [("002",), ("003",)])

    await database.transaction(work)
    assert await database.query("SELECT count(*), sum(n) FROM marks") == [(118, 14283)]


async def test_one_bad_row_among_many_leaves_nothing_behind(database: Database) -> None:
    insert = "INSERT INTO marks (name, n) VALUES (?, ?)"
    rows: list[tuple[str, int | None]] = [(f"{n}", n) for n in range(200)]
    rows[150] = ("bad", None)
    with pytest.raises(Exception, match=r"(?i)null"):
        await database.transaction(lambda tx: tx.executemany(insert, rows))
    assert await database.query(READ) == []


async def test_a_percent_sign_is_only_a_percent_sign(database: Database) -> None:
    await database.transaction(lambda tx: tx.execute(UPSERT, ("50% off", 1)))
    found = await database.query("SELECT n FROM marks WHERE name LIKE '50%' AND n = ?", (1,))
    assert found == [(1,)]
    assert await database.query("SELECT n FROM marks WHERE name LIKE '60%'") == []


async def test_null_real_and_bytes_survive(database: Database) -> None:
    def work(tx: Transaction) -> None:
        tx.execute("CREATE TABLE kinds (a TEXT, b DOUBLE PRECISION, c INTEGER)")
        tx.execute("INSERT INTO kinds (a, b, c) VALUES (?, ?, ?)", (None, 0.5, 3))

    await database.transaction(work)
    assert await database.query("SELECT a, b, c FROM kinds") == [(None, 0.5, 3)]


async def test_a_query_sees_what_was_committed_just_before(database: Database) -> None:
    for number in range(1, 30):
        await database.transaction(lambda tx: tx.execute(UPSERT, ("a", 1)))
        assert await database.query(READ) == [("a", number)]


async def test_a_peek_sees_what_a_query_sees(database: Database) -> None:
    await database.transaction(lambda tx: tx.execute("CREATE TABLE seen (n BIGINT)"))
    assert await database.peek("SELECT n FROM seen WHERE n > ? LIMIT 1", (1,)) == []
    await database.transaction(lambda tx: tx.execute("INSERT INTO seen (n) VALUES (2)"))
    assert await database.peek("SELECT n FROM seen WHERE n > ? LIMIT 1", (1,)) == [(2,)]
    await database.close()
    with pytest.raises(Unavailable):
        await database.peek("SELECT 1")


async def test_a_query_does_not_wait_for_a_transaction_nor_see_half_of_it(
    database: Database,
) -> None:
    def slow(tx: Transaction) -> None:
        tx.execute(UPSERT, ("a", 1))
        time.sleep(0.3)
        tx.execute(UPSERT, ("b", 1))

    running = asyncio.create_task(database.transaction(slow))
    await asyncio.sleep(0.1)
    seen = await database.query(READ)
    assert not running.done()
    assert seen == []
    await running
    assert await database.query(READ) == [("a", 1), ("b", 1)]


async def test_a_slow_transaction_does_not_hold_up_the_loop(database: Database) -> None:
    running = asyncio.create_task(database.transaction(lambda tx: time.sleep(0.3)))
    turns = 0
    while not running.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 20


async def test_transactions_at_once_lose_nothing(open_database: Open, database: Database) -> None:
    other = open_database("workflow")

    def work(tx: Transaction) -> None:
        (n,) = tx.execute("SELECT n FROM marks WHERE name = 'a'")[0]
        tx.execute("UPDATE marks SET n = ? WHERE name = 'a'", (n + 1,))

    await database.transaction(lambda tx: tx.execute(UPSERT, ("a", 0)))
    await asyncio.gather(*(database.transaction(work) for _ in range(50)))
    assert await database.query(READ) == [("a", 50)]
    assert await other.query(READ) == [("a", 50)]


async def test_tables_beside_wait_for_no_transaction_of_these(database: Database) -> None:
    beside, other = database.beside("more"), "CREATE TABLE more (n BIGINT)"
    await beside.transaction(lambda tx: tx.execute(other))
    held = threading.Event()

    def hold(tx: Transaction) -> None:
        tx.execute(UPSERT, ("a", 1))
        held.wait(10)

    holding = asyncio.create_task(database.transaction(hold))
    try:
        async with asyncio.timeout(5):
            await beside.transaction(lambda tx: tx.execute("INSERT INTO more (n) VALUES (7)"))
        assert not holding.done()
    finally:
        held.set()
        await holding
    assert await beside.query("SELECT n FROM more") == [(7,)]
    assert await database.query(READ) == [("a", 1)]


async def test_tables_beside_are_kept_and_closed_with_these(
    open_database: Open, database: Database
) -> None:
    beside = database.beside("more")
    assert database.beside("more") is beside
    await beside.transaction(lambda tx: tx.execute("CREATE TABLE more (n BIGINT)"))
    await beside.transaction(lambda tx: tx.execute("INSERT INTO more (n) VALUES (7)"))
    await database.close()
    with pytest.raises(Unavailable):
        await beside.query("SELECT n FROM more")
    again = open_database("workflow").beside("more")
    assert await again.query("SELECT n FROM more") == [(7,)]


async def test_services_do_not_see_each_other(open_database: Open, database: Database) -> None:
    other = open_database("payment")
    await other.transaction(lambda tx: tx.execute(TABLE))
    await database.transaction(lambda tx: tx.execute(UPSERT, ("a", 1)))
    assert await other.query(READ) == []


async def test_tables_made_by_many_at_once_are_made_once(open_database: Open) -> None:
    many = [open_database("intake") for _ in range(6)]
    await asyncio.gather(*(one.transaction(lambda tx: tx.execute("SELECT 1")) for one in many))
    await many[0].transaction(lambda tx: tx.execute(TABLE))
    assert await asyncio.gather(*(one.query(READ) for one in many)) == [[]] * 6


async def test_what_was_committed_is_there_after_reopening(
    open_database: Open, database: Database
) -> None:
    await database.transaction(lambda tx: tx.execute(UPSERT, ("a", 4)))
    await database.close()
    await database.close()
    with pytest.raises(Unavailable):
        await database.query(READ)
    assert await open_database("workflow").query(READ) == [("a", 4)]
