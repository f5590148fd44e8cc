"""A SQLite log of the first format: what its indexes hold is built anew when it is opened."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.errors import EventIdReused, WrongExpectedVersion
from shared.events import Recorded
from shared.store import NO_STREAM
from shared.store.limits import Limits
from shared.store.sqlite import SqliteStore
from tests.contract.stores import new_event, read_everything, stream_name, versions

ROOT = Path(__file__).parent.parent.parent
# As the first format was.
SCHEMA = """
    CREATE TABLE events (
        position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL,
        event_id TEXT NOT NULL, type TEXT NOT NULL, schema_version INTEGER NOT NULL,
        data BLOB NOT NULL, occurred_us INTEGER NOT NULL, recorded_us INTEGER NOT NULL,
        actor TEXT NOT NULL, cause_id TEXT NOT NULL, correlation_id TEXT NOT NULL
    );
    CREATE TABLE streams (
        stream TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (stream, version)
    ) WITHOUT ROWID;
    CREATE TABLE ids (
        event_id TEXT NOT NULL PRIMARY KEY, position INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE indexed (one INTEGER PRIMARY KEY, upto INTEGER NOT NULL);
    INSERT INTO indexed (one, upto) VALUES (1, 0);
    PRAGMA user_version = 1;
"""
EVENTS, MERGED = 700, 500


def rows() -> list[Recorded]:
    """Return a log of streams that began before and after the merge, and went on over it."""
    log: list[Recorded] = []
    last: dict[str, int] = {}
    for position in range(1, EVENTS + 1):
        stream = f"permit-{position % 37 if position % 3 else position}"
        last[stream] = version = last.get(stream, 0) + 1
        event = new_event(stream, version)
        log.append(
            Recorded(
                position,
                stream,
                version,
                event.event_id,
                event.type,
                event.schema_version,
                event.data,
                event.occurred_us,
                event.occurred_us + position,
                event.actor,
                event.cause_id,
                event.correlation_id,
            )
        )
    return log


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of the first format, of whose log a part was merged."""
    path = tmp_path / "events.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        connection.execute("BEGIN")
        marks = ", ".join("?" * len(Recorded._fields))
        connection.executemany(f"INSERT INTO events VALUES ({marks})", rows())
        # A merge was cut short, too: some entries are beyond what counts as merged.
        connection.execute(
            "INSERT INTO streams SELECT stream, version, position FROM events WHERE position <= ?",
            (MERGED + 20,),
        )
        connection.execute(
            "INSERT INTO ids SELECT event_id, position FROM events WHERE position <= ?", (MERGED,)
        )
        connection.execute("UPDATE indexed SET upto = ?", (MERGED,))
        connection.execute("COMMIT")
    return path


def ask(file: Path, sql: str) -> list[Any]:
    """Look into the file from outside."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


def tables(file: Path) -> list[list[Any]]:
    """Return all that a file holds."""
    names = ask(file, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [names, *(ask(file, f"SELECT * FROM {name}") for (name,) in names)]


def format_of(file: Path) -> int:
    return int(ask(file, "PRAGMA user_version")[0][0])


async def check(store: SqliteStore) -> None:
    """Everything is answered as if it had always been so."""
    log = rows()
    assert await read_everything(store) == log
    streams = {one.stream for one in log}
    for stream in streams:
        own = [one for one in log if one.stream == stream]
        for after in (0, 2, len(own) - 1):
            assert await store.read_stream(stream, after) == own[after:]
    for old in (log[0], log[MERGED - 1], log[MERGED], log[-1]):
        again = new_event(old.stream, old.version)
        assert await store.append(old.stream, [again], NO_STREAM) == [old]
        with pytest.raises(WrongExpectedVersion):
            await store.append(old.stream, [new_event(old.stream, 999)], NO_STREAM)
        with pytest.raises(EventIdReused):
            await store.append(stream_name(), [again], NO_STREAM)
    assert await store.head() == EVENTS


async def test_a_file_of_the_first_format_is_opened_and_changes_no_answer(file: Path) -> None:
    log = ask(file, "SELECT * FROM events")
    store = SqliteStore(file)
    assert format_of(file) == 2
    await check(store)
    await store.close()
    assert ask(file, "SELECT * FROM events") == log
    # Nothing but what had been merged, all of it.
    assert ask(file, "SELECT upto FROM indexed") == [(MERGED,)]
    for table in ("streams", "ids"):
        assert ask(file, f"SELECT count(*), max(position) FROM {table}") == [(MERGED, MERGED)]
    assert ask(file, f"SELECT count(*) FROM names WHERE first > {MERGED}") == [(0,)]
    again = SqliteStore(file)
    await check(again)
    await again.close()


async def test_what_was_rebuilt_goes_on_by_appends_and_merges(file: Path) -> None:
    store = SqliteStore(file, limits=Limits(merge_events=50))
    old = rows()[0].stream
    (last,) = (await store.read_stream(old))[-1:]
    async with asyncio.timeout(10):
        count = 0
        while ask(file, "SELECT upto FROM indexed")[0][0] <= EVENTS + 10:
            (recorded,) = await store.append(
                old, [new_event(old, last.version + 1 + count)], last.version + count
            )
            count += 1
            assert recorded.position == EVENTS + count
            await asyncio.sleep(0.001)
    own = await store.read_stream(old)
    assert versions(own) == list(range(1, last.version + count + 1))
    assert (await read_everything(store))[:EVENTS] == rows()
    await store.close()


_OPEN = """
import asyncio, sys
from pathlib import Path
from shared.store.sqlite import SqliteStore
from tests.contract.stores import new_event

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    store = SqliteStore(Path(sys.argv[1]))
    name = f"permit-of-{sys.argv[2]}"
    for number in range(5):
        await store.append(name, [new_event(name, number)], number)
    await store.close()

asyncio.run(main())
"""


async def test_processes_that_open_it_at_once_rebuild_it_once(file: Path) -> None:
    def begin(number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _OPEN, str(file), str(number)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe)

    others = [begin(number) for number in range(3)]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
    for other in others:
        assert other.stdin is not None
        other.stdin.write(b"\n")
        other.stdin.flush()
    codes = [await asyncio.to_thread(other.communicate) and other.returncode for other in others]
    assert codes == [0, 0, 0]
    store = SqliteStore(file)
    log = await read_everything(store)
    assert log[:EVENTS] == rows()
    for number in range(3):
        assert versions(await store.read_stream(f"permit-of-{number}")) == [1, 2, 3, 4, 5]
    await store.close()


_OPEN_WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
from shared.errors import Unavailable
from shared.store.sqlite import SqliteStore
from shared.telemetry import configure_logging

configure_logging()
bytes_allowed = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_allowed, bytes_allowed))
try:
    SqliteStore(Path(sys.argv[1]))
except Unavailable:
    sys.exit(7)
"""


async def test_a_rebuilding_that_was_cut_short_leaves_the_file_as_it_was(file: Path) -> None:
    before = tables(file)
    # The file may not grow, as on a full disk: the write-ahead log ends in the middle.
    command = [sys.executable, "-c", _OPEN_WITHOUT_ROOM, str(file), "36000"]
    ended = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True)
    assert ended.returncode == 7
    assert b"store_indexes_rebuilding" in ended.stdout + ended.stderr
    assert b"store_indexes_rebuilt" not in ended.stdout + ended.stderr
    assert format_of(file) == 1
    assert tables(file) == before
    store = SqliteStore(file)
    await check(store)
    await store.close()


_KILLED_BEFORE_THE_END = """
import os, signal, sqlite3, sys
from shared.store.sqlite_schema import make_tables

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
# Few pages in memory, so that some are written before the end.
connection.execute("PRAGMA cache_size = 5")

def see(statement):
    if statement.startswith("PRAGMA user_version ="):
        os.kill(os.getpid(), signal.SIGKILL)

connection.set_trace_callback(see)
make_tables(connection, 1)
"""


async def test_a_rebuilding_that_was_killed_leaves_the_file_as_it_was(file: Path) -> None:
    before = tables(file)
    command = [sys.executable, "-c", _KILLED_BEFORE_THE_END, str(file)]
    ended = await asyncio.to_thread(subprocess.run, command, cwd=ROOT)
    assert ended.returncode == -9
    assert format_of(file) == 1
    assert tables(file) == before
    store = SqliteStore(file)
    await check(store)
    await store.close()
