"""What only the PostgreSQL store has to show: order under slow commits, life after a crash."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.postgres import PostgresServer
from shared.database.postgres import PostgresDatabase
from shared.errors import EventIdReused, Unavailable
from shared.events import Recorded
from shared.postgres_link import CONNECTIONS
from shared.store import NO_STREAM
from shared.store.postgres import PostgresStore
from tests.contract.stores import (
    new_event,
    new_events,
    read_everything,
    stream_name,
    take,
    versions,
)

# Makes every transaction of a writer wait before its commit, each for another time.
SLOW_COMMITS = """
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(random() * 0.03); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slowly();
"""


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[PostgresStore]:
    opened = PostgresStore(postgres_dsn)
    yield opened
    await opened.close()


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server for one test that stops and kills it."""
    with (
        tempfile.TemporaryDirectory(prefix="jejak-pg-") as folder,
        PostgresServer(Path(folder)) as started,
    ):
        yield started


async def test_slow_transactions_never_let_an_event_appear_below_what_was_read(
    store: PostgresStore, postgres_dsn: str
) -> None:
    await store.head()
    async with await psycopg.AsyncConnection.connect(postgres_dsn, autocommit=True) as connection:
        await connection.execute("SET search_path = jejak")
        await connection.execute(SLOW_COMMITS)
    writers = [PostgresStore(postgres_dsn) for _ in range(6)]
    seen: list[Recorded] = []
    done = asyncio.Event()

    async def read() -> None:
        while not done.is_set():
            seen.extend(await store.read_all(seen[-1].position if seen else 0))

    async def write(writer: PostgresStore) -> None:
        stream = stream_name()
        for number in range(10):
            await writer.append(stream, new_events(stream, 2, number * 2), number * 2)

    reading = asyncio.create_task(read())
    await asyncio.gather(*map(write, writers))
    done.set()
    await reading
    seen += await store.read_all(seen[-1].position if seen else 0)
    # Read in one go, the log is what the reader saw bit by bit: nothing came in behind it.
    assert seen == await read_everything(store)
    assert len(seen) == 120
    for writer in writers:
        await writer.close()


async def test_an_id_of_another_stream_is_refused(store: PostgresStore) -> None:
    stream, other = stream_name(), stream_name()
    (old,) = await store.append(stream, new_events(stream, 1), NO_STREAM)
    with pytest.raises(EventIdReused):
        await store.append(other, [new_event(other, event_id=old.event_id)], NO_STREAM)


async def test_a_lost_notification_is_healed(store: PostgresStore, postgres_dsn: str) -> None:
    follower = asyncio.create_task(take(store.follow(), 1))
    await asyncio.sleep(0.2)
    # An event that came in without a notification, as after a failure of the listener.
    async with await psycopg.AsyncConnection.connect(postgres_dsn, autocommit=True) as connection:
        await connection.execute(
            "INSERT INTO jejak.events VALUES (1, 'permit-1', 1, gen_random_uuid(), 'PermitClosed',"
            " 1, '{}', 1, 1, 'system', 'cause', '1')"
        )
    (heard,) = await asyncio.wait_for(follower, 10)
    assert heard.position == 1


async def test_a_server_that_restarts_is_found_again(server: PostgresServer) -> None:
    store = PostgresStore(server.dsn)
    stream = stream_name()
    follower = asyncio.create_task(take(store.follow(), 4))
    before = await store.append(stream, new_events(stream, 2), NO_STREAM)
    await asyncio.to_thread(server.kill)
    with pytest.raises(Unavailable):
        await store.append(stream, [new_event(stream, 2)], 2)
    with pytest.raises(Unavailable):
        await store.read_stream(stream)
    await asyncio.to_thread(server.start)
    after = await store.append(stream, [new_event(stream, 2)], 2)
    after += await store.append(stream, [new_event(stream, 3)], 3)
    assert await store.read_stream(stream) == before + after
    assert await asyncio.wait_for(follower, 20) == before + after
    await store.close()


async def test_idle_connections_that_broke_are_replaced_without_a_word(
    server: PostgresServer,
) -> None:
    store, stream = PostgresStore(server.dsn), stream_name()
    await store.append(stream, new_events(stream, 1), NO_STREAM)
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    assert versions(await store.append(stream, [new_event(stream, 1)], 1)) == [2]
    await store.close()


async def test_appends_under_repeated_crashes_are_recorded_once(server: PostgresServer) -> None:
    store, acknowledged = PostgresStore(server.dsn), dict[str, int]()

    async def client(name: int) -> None:
        for number in range(15):
            stream = f"permit-{name}-{number}"
            while stream not in acknowledged:
                try:
                    (recorded,) = await store.append(stream, new_events(stream, 1), NO_STREAM)
                    acknowledged[stream] = recorded.position
                except Unavailable:
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.01)

    clients = [asyncio.create_task(client(name)) for name in range(8)]
    for _ in range(2):
        await asyncio.sleep(0.1)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    await asyncio.gather(*clients)
    log = await read_everything(store)
    assert {one.stream: one.position for one in log} == acknowledged
    assert len(log) == len(acknowledged) == 120
    await store.close()


async def test_tables_of_a_server_that_restarts_are_found_again(server: PostgresServer) -> None:
    database = PostgresDatabase(server.dsn, "workflow")
    await database.transaction(lambda tx: tx.execute("CREATE TABLE marks (n BIGINT)"))
    await database.transaction(lambda tx: tx.execute("INSERT INTO marks VALUES (1)"))
    await database.query("SELECT n FROM marks")
    await asyncio.to_thread(server.kill)
    with pytest.raises(Unavailable):
        await database.query("SELECT n FROM marks")
    with pytest.raises(Unavailable):
        await database.transaction(lambda tx: tx.execute("INSERT INTO marks VALUES (2)"))
    await asyncio.to_thread(server.start)
    await database.transaction(lambda tx: tx.execute("INSERT INTO marks VALUES (3)"))
    assert await database.query("SELECT n FROM marks ORDER BY n") == [(1,), (3,)]
    await database.close()


async def test_many_readers_at_once_share_a_few_connections(
    store: PostgresStore, postgres_dsn: str
) -> None:
    stream = stream_name()
    await store.append(stream, new_events(stream, 3), NO_STREAM)
    answers = await asyncio.gather(*(store.read_all() for _ in range(200)))
    assert {len(answer) for answer in answers} == {3}
    async with await psycopg.AsyncConnection.connect(postgres_dsn) as connection:
        cursor = await connection.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        row = await cursor.fetchone()
    assert row is not None
    assert row[0] <= CONNECTIONS + 1
