"""What the KurrentDB store makes of a server (a stand-in) that is slow, away or forgetful."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from kurrentdbclient import AsyncKurrentDBClient, StreamState
from kurrentdbclient import NewEvent as KurrentEvent

from shared.errors import Unavailable, WrongExpectedVersion
from shared.store import NO_STREAM
from shared.store.kurrent import KurrentStore
from tests.contract.kurrent_server import KurrentServer
from tests.contract.stores import new_event, new_events, stream_name, take, versions


@pytest.fixture
async def server() -> AsyncIterator[KurrentServer]:
    async with KurrentServer() as started:
        yield started


@pytest.fixture
async def store(server: KurrentServer) -> AsyncIterator[KurrentStore]:
    opened = KurrentStore(server.uri)
    yield opened
    await opened.close()


async def test_a_lost_answer_is_asked_for_again_and_recorded_once(
    store: KurrentStore, server: KurrentServer
) -> None:
    stream = stream_name()
    server.lose_next(1)
    recorded = await store.append(stream, new_events(stream, 2), NO_STREAM)
    assert versions(recorded) == [1, 2]
    assert versions(await store.read_stream(stream)) == [1, 2]


async def test_a_short_absence_is_sat_out(store: KurrentStore, server: KurrentServer) -> None:
    stream = stream_name()
    server.fail_next(1)
    assert versions(await store.append(stream, new_events(stream, 1), NO_STREAM)) == [1]


async def test_a_long_absence_is_unavailable_and_leaves_nothing(
    store: KurrentStore, server: KurrentServer
) -> None:
    stream = stream_name()
    server.fail_next(1000)
    with pytest.raises(Unavailable):
        await store.append(stream, new_events(stream, 1), NO_STREAM)
    server.fail_next(0)
    assert await store.read_stream(stream) == []


async def test_a_server_that_restarts_is_found_again(
    store: KurrentStore, server: KurrentServer
) -> None:
    stream = stream_name()
    follower = asyncio.create_task(take(store.follow(), 2))
    await store.append(stream, new_events(stream, 1), NO_STREAM)
    await server.stop()
    with pytest.raises(Unavailable):
        await store.append(stream, new_events(stream, 1, first=1), 1)
    await server.start()
    await store.append(stream, new_events(stream, 1, first=1), 1)
    assert versions(await asyncio.wait_for(follower, 20)) == [1, 2]


async def test_a_slow_server_is_waited_for_and_others_wait_beside(
    store: KurrentStore, server: KurrentServer
) -> None:
    server.delay = 0.2
    streams = [stream_name() for _ in range(10)]
    appends = (store.append(s, new_events(s, 1), NO_STREAM) for s in streams)
    async with asyncio.timeout(5):
        assert len(await asyncio.gather(*appends)) == 10


async def test_events_of_others_are_passed_over(store: KurrentStore, server: KurrentServer) -> None:
    stream = stream_name()
    first = await store.append(stream, new_events(stream, 1), NO_STREAM)
    client = AsyncKurrentDBClient(server.uri)
    foreign = [KurrentEvent(type="SomethingElse", data=b"{}") for _ in range(5)]
    await client.append_to_stream("elsewhere", current_version=StreamState.ANY, events=foreign)
    await client.close()
    assert await store.head() == first[0].position
    second = await store.append(stream, new_events(stream, 1, first=1), 1)
    assert await store.read_all() == first + second
    assert await store.read_all(first[0].position, 1) == second


async def test_revisions_from_zero_are_versions_from_one(
    store: KurrentStore, server: KurrentServer
) -> None:
    stream = stream_name()
    await store.append(stream, new_events(stream, 3), NO_STREAM)
    assert [event.revision for event in server.log if event.stream == stream] == [0, 1, 2]
    with pytest.raises(WrongExpectedVersion) as conflict:
        await store.append(stream, [new_event(stream, 9)], 2)
    assert conflict.value.params == {"expected": 2, "actual": 3}


async def test_nobody_at_the_address_is_unavailable() -> None:
    store = KurrentStore("kurrentdb://127.0.0.1:1?Tls=false")
    with pytest.raises(Unavailable):
        await store.head()
    await store.close()
