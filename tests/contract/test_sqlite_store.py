"""What only the SQLite store promises: shared commits, lagging indexes, surviving trouble."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.errors import (
    BadConfiguration,
    Defect,
    EventIdReused,
    StoreFull,
    Unavailable,
    WrongExpectedVersion,
)
from shared.events import Recorded
from shared.ids import new_id
from shared.store import NO_STREAM, Batch
from shared.store.limits import Limits
from shared.store.sqlite import SqliteStore
from shared.store.sqlite_index import SqliteIndex
from tests.contract.stores import (
    new_event,
    new_events,
    read_everything,
    stream_name,
    take,
    versions,
)

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(file)
    yield opened
    await opened.close()


# The indexes are brought up to date every few events, so that both places are read.
MERGING = Limits(merge_events=10)


@pytest.fixture
async def merging(file: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(file, limits=MERGING)
    yield opened
    await opened.close()


@contextmanager
def peek(file: Path) -> Iterator[sqlite3.Connection]:
    """Look into the file from outside."""
    connection = sqlite3.connect(file, isolation_level=None)
    yield connection
    connection.close()


async def fill(store: SqliteStore, count: int) -> list[Recorded]:
    """Append ``count`` events to five streams, one by one."""
    streams = [stream_name() for _ in range(5)]
    recorded: list[Recorded] = []
    for number in range(count):
        stream = streams[number % 5]
        recorded += await store.append(stream, [new_event(stream, number)], number // 5)
    return recorded


async def test_appends_that_wait_share_a_commit(file: Path) -> None:
    ticks = itertools.count(1)
    store = SqliteStore(file, clock=lambda: next(ticks))
    streams = [stream_name() for _ in range(100)]
    answers = await asyncio.gather(*(store.append(s, [new_event(s)], NO_STREAM) for s in streams))
    # The clock is asked once per commit.
    assert len({recorded.recorded_us for (recorded,) in answers}) == next(ticks) - 1 <= 2
    await store.close()


async def test_a_group_larger_than_one_statement_is_still_one_transaction(
    store: SqliteStore, file: Path
) -> None:
    stream = stream_name()
    await store.append(stream, new_events(stream, 300), NO_STREAM)
    with peek(file) as outside:
        assert (
            outside.execute("SELECT count(*), max(position) FROM events").fetchone() == (300,) * 2
        )


async def indexed(file: Path, *, more_than: int) -> int:
    """Wait until the indexes hold more than so many events, and say how many."""
    async with asyncio.timeout(10):
        while True:
            with peek(file) as outside:
                (upto,) = outside.execute("SELECT upto FROM indexed").fetchone()
            if upto > more_than:
                return int(upto)
            await asyncio.sleep(0.005)


async def test_lagging_indexes_change_no_answer(merging: SqliteStore, file: Path) -> None:
    recorded = await fill(merging, 53)
    upto = await indexed(file, more_than=53 - MERGING.merge_events)
    with peek(file) as outside:
        assert outside.execute("SELECT count(*) FROM streams").fetchone() == (upto,)
        assert outside.execute("SELECT count(*) FROM ids").fetchone() == (upto,)
    assert await read_everything(merging, 7) == recorded
    for stream in {one.stream for one in recorded}:
        own = [one for one in recorded if one.stream == stream]
        for after in (0, 3, len(own) - 1, len(own)):
            assert await merging.read_stream(stream, after) == own[after:]
        # Old ids and new ids are known, wherever they are.
        for place in (0, -1):
            again = new_event(stream, recorded.index(own[place]))
            assert await merging.append(stream, [again], NO_STREAM) == [own[place]]
        with pytest.raises(WrongExpectedVersion):
            await merging.append(stream, [new_event(stream, 999)], 1)


async def test_a_merge_of_many_slices_goes_on_by_itself(file: Path) -> None:
    store = SqliteStore(file, limits=Limits(merge_events=500))
    names = [stream_name() for _ in range(300)]
    await store.append_many([Batch(name, new_events(name, 2), NO_STREAM) for name in names])
    recorded = await read_everything(store)
    assert len(recorded) == 600
    # Nobody appends any more, and yet it is brought to its end.
    upto = await indexed(file, more_than=499)
    with peek(file) as outside:
        assert outside.execute("SELECT count(*) FROM streams").fetchone() == (upto,)
        assert outside.execute("SELECT count(*) FROM ids").fetchone() == (upto,)
    assert await read_everything(store) == recorded
    for name in names:
        assert await store.read_stream(name) == [one for one in recorded if one.stream == name]
    await store.close()


async def test_a_merge_that_was_cut_short_is_begun_again(file: Path) -> None:
    store = SqliteStore(file)
    recorded = await fill(store, 100)
    await store.close()
    index = SqliteIndex(file)
    index.prepare(100)
    assert not index.step(120)
    index.close()

    again = SqliteStore(file, limits=MERGING)
    for stream in {one.stream for one in recorded}:
        assert await again.read_stream(stream) == [one for one in recorded if one.stream == stream]
    await again.append(new := stream_name(), [new_event(new)], NO_STREAM)
    assert await indexed(file, more_than=99) == 101
    assert await read_everything(again) == [*recorded, *await again.read_stream(new)]
    await again.close()


async def same_streams(store: SqliteStore, log: list[Recorded]) -> None:
    """Every stream is what the log says, from wherever it is read."""
    for stream in {one.stream for one in log}:
        own = [one for one in log if one.stream == stream]
        assert versions(own) == list(range(1, len(own) + 1))
        for after in (0, 1, len(own) - 1):
            assert await store.read_stream(stream, after) == own[after:]


async def test_a_stream_that_began_in_a_merge_that_was_cut_short_goes_on(file: Path) -> None:
    store = SqliteStore(file)
    await fill(store, 40)
    await store.append(young := stream_name(), new_events(young, 3), NO_STREAM)
    await store.close()
    index = SqliteIndex(file)
    index.prepare(43)
    # All six names, and part of their streams.
    assert not index.step(20)
    index.close()
    with peek(file) as outside:
        assert outside.execute("SELECT count(*) FROM names").fetchone() == (6,)
        assert outside.execute("SELECT upto FROM indexed").fetchone() == (0,)

    again = SqliteStore(file, limits=MERGING)
    for number in range(3, 20):
        await again.append(young, [new_event(young, number)], number)
    assert await indexed(file, more_than=49) > 49
    log = await read_everything(again)
    assert len(log) == 60
    await same_streams(again, log)
    await again.close()


async def test_a_stream_goes_on_over_many_merges_and_is_found_where_it_began(
    merging: SqliteStore, file: Path
) -> None:
    old = stream_name()
    for number in range(6):
        await merging.append(old, [new_event(old, number)], number)
        await fill(merging, 15)
        await indexed(file, more_than=number * 16)
    log = await read_everything(merging)
    await same_streams(merging, log)
    with peek(file) as outside:
        found = outside.execute(
            "SELECT s.version FROM names n JOIN streams s ON s.first = n.first "
            "WHERE n.stream = ? ORDER BY s.version",
            (old,),
        ).fetchall()
    assert found[:5] == [(1,), (2,), (3,), (4,), (5,)]
    # A process that remembers no version looks it up.
    again = SqliteStore(file)
    with pytest.raises(WrongExpectedVersion):
        await again.append(old, [new_event(old, 99)], 5)
    assert versions(await again.append(old, [new_event(old, 99)], 6)) == [7]
    await again.close()


# Alike in their last eight characters, shorter than that, or hardly anything.
ALIKE = ("a-12345678", "b-12345678", "12345678", "2345678", "345678", "8", "78", "é-12345678")


@pytest.mark.parametrize("merge_events", [len(ALIKE), 1000])
async def test_ids_that_end_alike_are_told_apart(file: Path, merge_events: int) -> None:
    store = SqliteStore(file, limits=Limits(merge_events=merge_events))
    streams = {id: stream_name() for id in ALIKE}
    kept = {
        id: await store.append(stream, [new_event(stream, event_id=id)], NO_STREAM)
        for id, stream in streams.items()
    }
    if merge_events == len(ALIKE):
        assert await indexed(file, more_than=0) == len(ALIKE)
    await store.close()
    again = SqliteStore(file, limits=Limits(merge_events=1000))
    for id, stream in streams.items():
        assert await again.append(stream, [new_event(stream, event_id=id)], NO_STREAM) == kept[id]
        with pytest.raises(EventIdReused):
            await again.append(other := stream_name(), [new_event(other, event_id=id)], NO_STREAM)
    for unknown in ("c-12345678", "45678", "-12345678"):
        await again.append(other := stream_name(), [new_event(other, event_id=unknown)], NO_STREAM)
    assert await again.head() == len(ALIKE) + 3
    await again.close()


async def test_two_events_at_one_place_are_never_merged(store: SqliteStore, file: Path) -> None:
    recorded = await fill(store, 3)
    await store.close()
    with peek(file) as outside:
        outside.execute(
            "INSERT INTO events SELECT 4, stream, version, 'other', type, schema_version, data, "
            "occurred_us, recorded_us, actor, cause_id, correlation_id FROM events WHERE position=1"
        )
    index = SqliteIndex(file)
    index.prepare(len(recorded) + 1)
    with pytest.raises(Defect):
        index.step(100)
    index.close()


async def test_an_id_of_another_stream_is_refused_wherever_it_is_kept(merging: SqliteStore) -> None:
    recorded = await fill(merging, 23)
    other = stream_name()
    for old in (recorded[0], recorded[-1]):
        with pytest.raises(EventIdReused):
            await merging.append(other, [new_event(other, event_id=old.event_id)], NO_STREAM)
    assert await merging.read_stream(other) == []


async def test_reopening_finds_everything(merging: SqliteStore, file: Path) -> None:
    recorded = await fill(merging, 27)
    await merging.close()
    again = SqliteStore(file, limits=MERGING)
    assert await read_everything(again) == recorded
    stream = recorded[-1].stream
    more = await again.append(stream, [new_event(stream, 500)], recorded[-1].version)
    assert more[0].position == 28
    assert more[0].recorded_us >= recorded[-1].recorded_us
    await again.close()


async def test_two_processes_merge_and_append_in_turns(merging: SqliteStore, file: Path) -> None:
    other = SqliteStore(file, limits=MERGING)
    follower = asyncio.create_task(take(merging.follow(), 160))
    streams = [stream_name() for _ in range(4)]

    async def write(worker: int) -> None:
        one = (merging, other)[worker % 2]
        for number in range(10):
            stream = streams[(worker + number) % 4]
            await one.append(stream, [new_event(stream, event_id=new_id()) for _ in range(2)])

    await asyncio.gather(*map(write, range(8)))
    log = await read_everything(other)
    assert [one.position for one in log] == list(range(1, 161))
    assert await asyncio.wait_for(follower, 10) == log
    for stream in streams:
        own = [one for one in log if one.stream == stream]
        assert versions(own) == list(range(1, len(own) + 1))
        assert await merging.read_stream(stream) == await other.read_stream(stream) == own
    await other.close()


async def test_a_clock_that_goes_back_does_not_take_recorded_times_back(file: Path) -> None:
    times = iter([5_000_000, 3_000_000, 4_000_000, 9_000_000])
    store = SqliteStore(file, clock=lambda: next(times))
    stream = stream_name()
    for number in range(4):
        await store.append(stream, [new_event(stream, number)])
    recorded = [one.recorded_us for one in await store.read_stream(stream)]
    assert recorded == [5_000_000, 5_000_000, 5_000_000, 9_000_000]
    await store.close()


async def test_a_full_disk_is_said_so_and_harms_nothing(file: Path) -> None:
    store = SqliteStore(file, max_bytes=400_000)
    kept: list[str] = []

    async def fill_up() -> None:
        while True:
            stream = stream_name()
            await store.append(stream, [new_event(stream, data=b"x" * 10_000)], NO_STREAM)
            kept.append(stream)

    with pytest.raises(StoreFull):
        await fill_up()
    assert len(kept) > 10
    assert [one.stream for one in await store.read_all()] == kept
    await store.close()
    # The operator made room: it goes on as if nothing had been.
    roomy = SqliteStore(file)
    stream = stream_name()
    await roomy.append(stream, [new_event(stream)], NO_STREAM)
    assert [one.stream for one in await roomy.read_all()] == [*kept, stream]
    await roomy.close()


async def test_a_slow_disk_moves_commits_to_a_thread(file: Path) -> None:
    store = SqliteStore(file, limits=Limits(slow_seconds=0.0))
    recorded = await fill(store, 30)
    assert await read_everything(store) == recorded
    assert [one.position for one in recorded] == list(range(1, 31))
    await store.close()


async def test_a_slow_disk_beside_another_process_and_busy_readers(file: Path) -> None:
    slow = Limits(slow_seconds=0.0)
    stores = [SqliteStore(file, limits=slow) for _ in range(2)]
    seen: list[list[int]] = [[], []]

    async def follow(number: int) -> None:
        async for batch in stores[number].follow():
            seen[number] += [recorded.position for recorded in batch]
            if batch[-1].position == 2 * 8 * 30:
                return

    async def write(store: SqliteStore) -> None:
        stream = stream_name()
        for index in range(30):
            await store.append(stream, [new_event(stream, event_id=new_id())], index)
            await store.read_all(0, 5)

    followers = [asyncio.create_task(follow(number)) for number in range(2)]
    await asyncio.gather(*(write(store) for store in stores for _ in range(8)))
    await asyncio.wait_for(asyncio.gather(*followers), 20)
    assert seen == [list(range(1, 2 * 8 * 30 + 1))] * 2
    for store in stores:
        await store.close()


async def test_another_process_that_is_writing_is_waited_for(
    store: SqliteStore, file: Path
) -> None:
    with peek(file) as outside:
        outside.execute("BEGIN IMMEDIATE")
        stream = stream_name()
        appending = asyncio.create_task(store.append(stream, [new_event(stream)]))
        await asyncio.sleep(0.1)
        assert not appending.done()
        outside.execute("COMMIT")
    assert versions(await appending) == [1]


async def test_another_process_that_never_stops_writing_makes_it_unavailable(
    file: Path,
) -> None:
    store = SqliteStore(file, limits=Limits(busy_seconds=0.05))
    with peek(file) as outside:
        outside.execute("BEGIN IMMEDIATE")
        stream = stream_name()
        with pytest.raises(Unavailable):
            await store.append(stream, [new_event(stream)])
        outside.execute("ROLLBACK")
    assert await store.read_stream(stream) == []
    await store.close()


async def test_more_appends_than_may_wait_are_turned_away(file: Path) -> None:
    store = SqliteStore(file, limits=Limits(waiting_appends=8, group_appends=2, wait_seconds=0.05))
    with peek(file) as outside:
        outside.execute("BEGIN IMMEDIATE")
        streams = [stream_name() for _ in range(30)]
        appends = [asyncio.create_task(store.append(s, [new_event(s)])) for s in streams]
        await asyncio.sleep(0.2)
        outside.execute("ROLLBACK")
    answers = await asyncio.gather(*appends, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert 10 < len(refused) < 30
    assert len(await store.read_all()) == 30 - len(refused)
    await store.close()


def test_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database " * 100)
    with pytest.raises(Defect):
        SqliteStore(tmp_path / "text")
    with pytest.raises(Unavailable):
        SqliteStore(tmp_path / "no" / "folder" / "here")


async def test_a_newer_format_is_refused(file: Path) -> None:
    with peek(file) as outside:
        outside.execute("PRAGMA user_version = 99")
    with pytest.raises(BadConfiguration):
        SqliteStore(file)


_WRITER = """
import asyncio, os, resource, sys
from pathlib import Path
from shared.store.sqlite import SqliteStore
from shared.telemetry import configure_logging
from tests.contract.stores import new_event

configure_logging()
file, name, bytes_allowed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if bytes_allowed:
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_allowed, bytes_allowed))

async def client(store, client):
    for number in range(1_000_000):
        stream = f"permit-{name}-{client}-{number}"
        (recorded,) = await store.append(stream, [new_event(stream)], 0)
        # In one piece, so that a kill can't leave half a line.
        os.write(1, f"{recorded.position} {stream}\\n".encode())

async def main():
    store = SqliteStore(file)
    await asyncio.gather(*(client(store, n) for n in range(8)))

asyncio.run(main())
"""


def run_writer(file: Path, name: str, *, kill_after: int = 0, bytes_allowed: int = 0) -> Outcome:
    """Run a process that appends until it is killed after some answers, or ends by itself."""
    command = [sys.executable, "-c", _WRITER, str(file), name, str(bytes_allowed)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(kill_after)]
        if kill_after:
            writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    acknowledged = dict(line.decode().split() for line in lines)
    return Outcome({int(p): stream for p, stream in acknowledged.items()}, writer.returncode)


class Outcome(NamedTuple):
    """What a writer was told to be durable, position -> stream, and how it ended."""

    acknowledged: dict[int, str]
    code: int


async def check(file: Path, acknowledged: dict[int, str]) -> None:
    """Everything acknowledged is there, once, in a log without holes."""
    store = SqliteStore(file)
    log = await read_everything(store)
    kept = {one.position: one.stream for one in log}
    assert {position: kept.get(position) for position in acknowledged} == acknowledged
    assert [one.position for one in log] == list(range(1, len(log) + 1))
    assert len({one.event_id for one in log}) == len(log)
    await store.close()


async def test_what_was_acknowledged_survives_a_killed_process(file: Path) -> None:
    acknowledged: dict[int, str] = {}
    for number in range(10):
        outcome = await asyncio.to_thread(
            run_writer, file, f"r{number}", kill_after=20 + 37 * number
        )
        acknowledged |= outcome.acknowledged
    assert len(acknowledged) > 1500
    await check(file, acknowledged)


async def test_a_failed_write_ends_the_process_and_is_never_taken_as_success(file: Path) -> None:
    # A file that may not grow fails the write with EFBIG: to SQLite an I/O error like any other.
    outcome = await asyncio.to_thread(run_writer, file, "x", bytes_allowed=500_000)
    assert outcome.code == 70
    assert len(outcome.acknowledged) > 50
    await check(file, outcome.acknowledged)
