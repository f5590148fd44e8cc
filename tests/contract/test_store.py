"""One suite for every event store. What it says is what services may rely on."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.errors import EventIdReused, Unavailable, WrongExpectedVersion
from shared.events import Recorded
from shared.ids import new_id
from shared.store import ANY, NO_STREAM, Batch, EventStore
from tests.contract.stores import (
    Open,
    body,
    new_event,
    new_events,
    opener,
    read_everything,
    stream_name,
    take,
    versions,
)


@pytest.fixture(params=["sqlite", "postgres", "kurrent"])
async def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Open stores over one database, all closed afterwards."""
    opened: list[EventStore] = []

    async with opener(request.param, tmp_path, request) as make:

        def open_one() -> EventStore:
            opened.append(make())
            return opened[-1]

        yield open_one
        for store in opened:
            await store.close()


@pytest.fixture
def store(open_store: Open) -> EventStore:
    """One open store, empty."""
    return open_store()


async def test_what_was_appended_is_read_back(store: EventStore) -> None:
    stream = stream_name()
    events = new_events(stream, 3)
    recorded = await store.append(stream, events, NO_STREAM)
    assert [body(one) for one in recorded] == events
    assert versions(recorded) == [1, 2, 3]
    assert {one.stream for one in recorded} == {stream}
    assert await store.read_stream(stream) == recorded
    assert await store.read_stream(stream, after=2) == recorded[2:]
    assert await store.read_stream(stream, after=3) == []
    assert await store.read_all() == recorded
    assert await store.head() == recorded[-1].position


async def test_nothing_is_there_at_first(store: EventStore) -> None:
    assert await store.read_stream(stream_name()) == []
    assert await store.read_all() == []
    assert await store.head() == 0


async def test_appending_nothing_records_nothing(store: EventStore) -> None:
    assert await store.append(stream_name(), []) == []
    assert await store.head() == 0


async def test_a_second_append_goes_on_at_the_expected_version(store: EventStore) -> None:
    stream = stream_name()
    first = await store.append(stream, new_events(stream, 2), NO_STREAM)
    second = await store.append(stream, new_events(stream, 2, first=2), 2)
    assert versions(first + second) == [1, 2, 3, 4]
    assert await store.read_stream(stream) == first + second


@pytest.mark.parametrize("expected", [0, 1, 3, 7])
async def test_another_expected_version_is_a_conflict(store: EventStore, expected: int) -> None:
    stream = stream_name()
    await store.append(stream, new_events(stream, 2), NO_STREAM)
    with pytest.raises(WrongExpectedVersion) as conflict:
        await store.append(stream, [new_event(stream, 9)], expected)
    assert conflict.value.params == {"expected": expected, "actual": 2}
    assert versions(await store.read_stream(stream)) == [1, 2]


async def test_a_version_of_a_stream_that_does_not_exist_is_a_conflict(store: EventStore) -> None:
    stream = stream_name()
    with pytest.raises(WrongExpectedVersion) as conflict:
        await store.append(stream, new_events(stream, 1), 3)
    assert conflict.value.params == {"expected": 3, "actual": 0}
    assert await store.read_stream(stream) == []


async def test_no_opinion_appends_at_the_end(store: EventStore) -> None:
    stream = stream_name()
    for number in range(3):
        await store.append(stream, [new_event(stream, number)], ANY)
    assert versions(await store.read_stream(stream)) == [1, 2, 3]


@pytest.mark.parametrize("expected", [NO_STREAM, ANY, 2, 5])
async def test_the_same_append_again_is_answered_and_adds_nothing(
    store: EventStore, expected: int
) -> None:
    stream = stream_name()
    events = new_events(stream, 2)
    first = await store.append(stream, events, NO_STREAM)
    await store.append(stream, new_events(stream, 1, first=2), 2)
    assert await store.append(stream, events, expected) == first
    assert len(await store.read_all()) == 3


async def test_the_same_append_from_two_callers_at_once_is_recorded_once(store: EventStore) -> None:
    stream = stream_name()
    events = new_events(stream, 2)
    answers = await asyncio.gather(*(store.append(stream, events, NO_STREAM) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(await store.read_stream(stream)) == 2


async def test_some_known_ids_among_new_ones_are_refused(store: EventStore) -> None:
    stream = stream_name()
    await store.append(stream, new_events(stream, 2), NO_STREAM)
    with pytest.raises(EventIdReused):
        await store.append(stream, new_events(stream, 2, first=1), 2)
    assert versions(await store.read_stream(stream)) == [1, 2]


async def test_an_id_twice_in_one_append_is_refused(store: EventStore) -> None:
    stream = stream_name()
    with pytest.raises(EventIdReused):
        await store.append(stream, [new_event(stream), new_event(stream)], NO_STREAM)
    assert await store.read_stream(stream) == []


async def test_an_append_is_all_or_nothing(store: EventStore) -> None:
    stream = stream_name()
    await store.append(stream, new_events(stream, 1), NO_STREAM)
    with pytest.raises(WrongExpectedVersion):
        await store.append(stream, new_events(stream, 20, first=1), NO_STREAM)
    assert len(await store.read_all()) == 1


async def test_of_two_appends_to_one_stream_exactly_one_wins(open_store: Open) -> None:
    stores = [open_store(), open_store()]
    stream = stream_name()

    async def attempt(number: int) -> bool:
        try:
            await stores[number % 2].append(stream, [new_event(stream, number)], NO_STREAM)
        except WrongExpectedVersion:
            return False
        return True

    assert sum(await asyncio.gather(*map(attempt, range(16)))) == 1
    assert versions(await stores[0].read_stream(stream)) == [1]


async def test_a_conflict_fails_that_append_alone(store: EventStore) -> None:
    good, bad, fine = stream_name(), stream_name(), stream_name()
    await store.append(bad, new_events(bad, 1), NO_STREAM)
    answers = await asyncio.gather(
        store.append(good, new_events(good, 1), NO_STREAM),
        store.append(bad, new_events(bad, 1, first=1), NO_STREAM),
        store.append(fine, new_events(fine, 2), NO_STREAM),
        return_exceptions=True,
    )
    assert isinstance(answers[1], WrongExpectedVersion)
    assert versions(await store.read_stream(good)) == [1]
    assert versions(await store.read_stream(fine)) == [1, 2]
    assert len(await store.read_stream(bad)) == 1


async def test_many_streams_at_once_are_each_judged_alone(store: EventStore) -> None:
    fresh, known, repeated = stream_name(), stream_name(), stream_name()
    await store.append(known, new_events(known, 1), NO_STREAM)
    before = await store.append(repeated, new_events(repeated, 2), NO_STREAM)
    answers = await store.append_many(
        [
            Batch(fresh, new_events(fresh, 2), NO_STREAM),
            Batch(known, new_events(known, 1, first=1), NO_STREAM),
            Batch(repeated, new_events(repeated, 2), NO_STREAM),
            Batch(fresh, [], NO_STREAM),
        ]
    )
    assert answers[0] == await store.read_stream(fresh)
    assert isinstance(answers[1], WrongExpectedVersion)
    assert len(await store.read_stream(known)) == 1
    assert answers[2:] == [before, []]
    assert await store.append_many([]) == []


async def test_many_streams_are_refused_one_by_one_when_the_store_is_closed(
    store: EventStore,
) -> None:
    await store.close()
    (answer,) = await store.append_many([Batch(name := stream_name(), new_events(name, 1))])
    assert isinstance(answer, Unavailable)


async def test_many_writers_leave_dense_versions_and_one_growing_order(open_store: Open) -> None:
    stores = [open_store(), open_store()]
    streams = [stream_name() for _ in range(10)]

    async def write(writer: int) -> None:
        for number in range(10):
            stream = streams[(writer + number) % len(streams)]
            event = new_event(stream, event_id=new_id())
            await stores[writer % 2].append(stream, [event, new_event(stream, event_id=new_id())])

    await asyncio.gather(*map(write, range(32)))
    log = await read_everything(stores[0], page=77)
    assert len(log) == 32 * 10 * 2
    assert len({one.event_id for one in log}) == len(log)
    positions = [one.position for one in log]
    assert positions == sorted(set(positions))
    assert positions[0] > 0
    by_stream: dict[str, list[int]] = defaultdict(list)
    for one in log:
        by_stream[one.stream].append(one.version)
    assert all(found == list(range(1, len(found) + 1)) for found in by_stream.values())
    recorded = [one.recorded_us for one in log]
    assert recorded == sorted(recorded)
    for stream in streams:
        assert await stores[1].read_stream(stream) == [one for one in log if one.stream == stream]


async def test_a_reader_never_later_finds_a_new_event_below_what_it_has_seen(
    open_store: Open,
) -> None:
    writers, reader = [open_store(), open_store()], open_store()
    done = asyncio.Event()
    seen: list[Recorded] = []

    async def read() -> None:
        while not done.is_set():
            seen.extend(await reader.read_all(seen[-1].position if seen else 0, 50))
            await asyncio.sleep(0)

    async def write(writer: int) -> None:
        stream = stream_name()
        for number in range(15):
            await writers[writer % 2].append(stream, new_events(stream, 2, number * 2), number * 2)

    reading = asyncio.create_task(read())
    await asyncio.gather(*map(write, range(8)))
    done.set()
    await reading
    rest = await reader.read_all(seen[-1].position if seen else 0)
    assert seen + rest == await read_everything(reader)


async def test_reading_all_goes_page_by_page(store: EventStore) -> None:
    streams = [stream_name() for _ in range(3)]
    for number in range(9):
        stream = streams[number % 3]
        await store.append(stream, [new_event(stream, number)])
    log = await store.read_all()
    assert len(log) == 9
    for limit in (1, 2, 4, 9, 100):
        assert await read_everything(store, limit) == log
        assert len(await store.read_all(0, limit)) == min(limit, 9)
    assert await store.read_all(log[4].position, 2) == log[5:7]


async def test_following_catches_up_and_goes_on_live(store: EventStore) -> None:
    stream = stream_name()
    old = await store.append(stream, new_events(stream, 5), NO_STREAM)
    batches = store.follow(after=old[1].position, limit=2)
    caught_up = await take(batches, 3)
    waiting = asyncio.create_task(take(batches, 2))
    await asyncio.sleep(0.05)
    new = await store.append(stream, new_events(stream, 2, first=5), 5)
    assert caught_up + await asyncio.wait_for(waiting, 10) == old[2:] + new


async def test_every_follower_hears_everything_once(store: EventStore) -> None:
    followers = [store.follow() for _ in range(4)]
    hearing = [asyncio.create_task(take(follower, 40)) for follower in followers]
    await asyncio.sleep(0.05)
    stream = stream_name()
    for number in range(20):
        await store.append(stream, new_events(stream, 2, number * 2), number * 2)
    heard = await asyncio.wait_for(asyncio.gather(*hearing), 20)
    log = await store.read_all()
    assert heard == [log] * 4


async def test_an_append_wakes_followers_promptly(store: EventStore) -> None:
    batches = store.follow()
    waits: list[float] = []
    stream = stream_name()
    for number in range(12):
        waiting = asyncio.create_task(take(batches, 1))
        await asyncio.sleep(0.02)
        await store.append(stream, [new_event(stream, number)])
        began = time.perf_counter()
        await asyncio.wait_for(waiting, 10)
        waits.append(time.perf_counter() - began)
    # Not a timed test: far above what it takes, far below any slow poll.
    assert sorted(waits)[len(waits) // 2] < 0.5


async def test_two_clients_of_one_database_see_each_other(open_store: Open) -> None:
    ours, theirs = open_store(), open_store()
    stream = stream_name()
    batches = ours.follow()
    waiting = asyncio.create_task(take(batches, 1))
    await asyncio.sleep(0.05)
    first = await theirs.append(stream, new_events(stream, 1), NO_STREAM)
    assert await asyncio.wait_for(waiting, 10) == first
    assert await ours.read_stream(stream) == first
    second = await ours.append(stream, new_events(stream, 1, first=1), 1)
    assert await theirs.read_stream(stream) == first + second
    assert await theirs.append(stream, new_events(stream, 1, first=1), 1) == second
    with pytest.raises(WrongExpectedVersion):
        await theirs.append(stream, [new_event(stream, 7)], 1)


async def test_a_large_event_comes_back_whole(store: EventStore) -> None:
    stream = stream_name()
    data = b'{"note":"' + b"x" * 300_000 + b'"}'
    await store.append(stream, [new_event(stream, data=data)], NO_STREAM)
    assert (await store.read_stream(stream))[0].data == data


async def test_text_of_every_script_comes_back_byte_for_byte(store: EventStore) -> None:
    stream = stream_name()
    data = '{"name":"ꦱꦸꦫꦏꦂꦠ — Ñandú 申請 🏗️ \\u0000 \\"kutip\\"","n":12345678901234567}'.encode()
    recorded = await store.append(stream, [new_event(stream, data=data)], NO_STREAM)
    assert recorded[0].data == data
    assert (await store.read_stream(stream))[0].data == data


async def test_streams_with_similar_names_are_strangers(store: EventStore) -> None:
    stream = stream_name()
    for name in (stream, f"{stream}-2", stream[:-1]):
        await store.append(name, [new_event(name)], NO_STREAM)
    assert [one.stream for one in await store.read_stream(stream)] == [stream]


async def test_a_long_stream_is_read_whole(store: EventStore) -> None:
    stream = stream_name("office")
    for start in range(0, 1200, 300):
        await store.append(stream, new_events(stream, 300, start), start)
    read = await store.read_stream(stream)
    assert versions(read) == list(range(1, 1201))
    assert await store.read_stream(stream, after=1100) == read[1100:]
    assert await read_everything(store) == read


async def test_closing_ends_the_followers(open_store: Open) -> None:
    store = open_store()
    stream = stream_name()
    await store.append(stream, new_events(stream, 1))

    async def listen() -> int:
        return len([batch async for batch in store.follow()])

    listening = [asyncio.create_task(listen()) for _ in range(3)]
    await asyncio.sleep(0.1)
    await store.close()
    assert await asyncio.wait_for(asyncio.gather(*listening), 10) == [1, 1, 1]


async def test_closing_finishes_what_was_accepted(open_store: Open) -> None:
    store = open_store()
    streams = [stream_name() for _ in range(20)]
    appends = [asyncio.create_task(store.append(s, new_events(s, 1))) for s in streams]
    await asyncio.sleep(0)
    await store.close()
    answers = await asyncio.gather(*appends, return_exceptions=True)
    kept = {one.stream for one in await open_store().read_all()}
    for stream, answer in zip(streams, answers, strict=True):
        assert (stream in kept) is not isinstance(answer, Unavailable)


async def test_a_closed_store_takes_nothing(open_store: Open) -> None:
    store = open_store()
    await store.append(stream_name(), [new_event(stream_name())])
    await store.close()
    await store.close()
    with pytest.raises(Unavailable):
        await store.append(stream_name(), [new_event(stream_name())])


async def test_a_caller_who_leaves_does_not_disturb_the_others(store: EventStore) -> None:
    streams = [stream_name() for _ in range(10)]
    appends = [asyncio.create_task(store.append(s, new_events(s, 1))) for s in streams]
    await asyncio.sleep(0)
    appends[3].cancel()
    answers = await asyncio.gather(*appends, return_exceptions=True)
    assert [isinstance(answer, list) for answer in answers].count(True) == 9


async def test_what_was_recorded_is_there_for_the_next_client(open_store: Open) -> None:
    first = open_store()
    stream = stream_name()
    recorded = await first.append(stream, new_events(stream, 3))
    await first.close()
    second = open_store()
    assert await second.read_stream(stream) == recorded
    assert await second.append(stream, new_events(stream, 3), NO_STREAM) == recorded
    assert versions(await second.append(stream, [new_event(stream, 3)], 3)) == [4]
