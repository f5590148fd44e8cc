"""Looking at what is parked, and dealing with it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.bus import Delivery
from shared.codec import Codec
from shared.contracts.intake import ApplicationWithdrawn
from shared.database.sqlite import SqliteDatabase
from shared.errors import Unavailable
from shared.events import Recorded
from shared.parking import Consumer, parked, retry
from shared.projection import Projector
from shared.reactions import Reactor
from shared.store.sqlite import SqliteStore
from tests.consuming import Noted, new_event, noted


class Bench(NamedTuple):
    """A consumer of either kind over a store; ``broken`` holds the positions that fail."""

    consumer: Consumer
    store: SqliteStore
    broken: dict[int, type[Exception]]
    take: Callable[[Sequence[Recorded]], Any]
    done: Callable[[], Any]

    async def consume(self) -> list[Recorded]:
        """Let the consumer have everything that is in the store."""
        events = await self.store.read_all(0)
        await self.take(events)
        return events


@pytest.fixture(params=["projector", "reactor"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    store = SqliteStore(tmp_path / "events.sqlite")
    database = SqliteDatabase(tmp_path / "views.sqlite")
    build = _projector if request.param == "projector" else _reactor
    made = build(store, database)
    await made.consumer.prepare()
    yield made
    await database.close()
    await store.close()


def _projector(store: SqliteStore, database: SqliteDatabase) -> Bench:
    broken: dict[int, type[Exception]] = {}

    class Breaks(Noted):
        def apply(self, tx: Any, events: Sequence[Recorded]) -> None:
            super().apply(tx, events)
            for one in events:
                if one.position in broken:
                    raise broken[one.position]

    projector = Projector(Breaks(), database)

    async def done() -> list[int]:
        return [position for _, position in await noted(database)]

    return Bench(projector, store, broken, lambda e: projector.project(_all(e)), done)


def _reactor(store: SqliteStore, database: SqliteDatabase) -> Bench:
    broken: dict[int, type[Exception]] = {}
    effects: list[int] = []

    async def react(event: Any, cause: Recorded) -> None:
        if cause.position in broken:
            raise broken[cause.position]
        effects.append(cause.position)

    table = {ApplicationWithdrawn: react}
    reactor = Reactor("tester", ("jejak.intake",), table, Codec(), database)

    async def done() -> list[int]:
        return effects

    return Bench(reactor, store, broken, lambda e: reactor.react(_all(e)), done)


def _all(events: Sequence[Recorded]) -> list[Delivery]:
    return [Delivery("store", events)]


async def _append(store: SqliteStore, applications: str, first: int = 0) -> None:
    for number, application in enumerate(applications, first):
        await store.append(f"application-{application}", [new_event(application, number)])


async def test_what_is_shown_names_the_event_and_nothing_personal(bench: Bench) -> None:
    await _append(bench.store, "ab")
    bench.broken[1] = ZeroDivisionError
    events = await bench.consume()
    [one] = await parked([bench.consumer])
    assert one.consumer == bench.consumer.name
    assert one.application_id == "a"
    assert one.stream == "application-a"
    assert (one.event_id, one.type) == (events[0].event_id, "ApplicationWithdrawn")
    assert one.reason == "ZeroDivisionError"
    assert (one.occurred_us, one.recorded_us) == (events[0].occurred_us, events[0].recorded_us)
    assert one.parked_us >= one.recorded_us
    assert not {str(value) for value in one} & {events[0].data.decode()}


async def test_retry_drains_a_permit_in_order(bench: Bench) -> None:
    await _append(bench.store, "abaaba")
    bench.broken[1] = ValueError
    await bench.consume()
    assert await bench.done() == [2, 5]
    bench.broken.clear()
    [result] = await retry([bench.consumer], "a", bench.store)
    assert (result.done, result.failed) == (4, None)
    assert await bench.done() == [2, 5, 1, 3, 4, 6]
    assert await parked([bench.consumer]) == []


async def test_retry_stops_at_the_first_that_still_fails_and_says_so(bench: Bench) -> None:
    await _append(bench.store, "aaa")
    bench.broken[1] = ValueError
    await bench.consume()
    bench.broken.clear()
    bench.broken[2] = KeyError
    [result] = await retry([bench.consumer], "a", bench.store)
    assert result.done == 1
    assert result.failed is not None
    assert (result.failed.position, result.failed.reason) == (2, "KeyError")
    left = [(one.position, one.reason) for one in await parked([bench.consumer])]
    assert left == [(2, "KeyError"), (3, "behind")]
    assert await bench.done() == [1]


async def test_a_retried_event_that_comes_again_has_no_second_effect(bench: Bench) -> None:
    await _append(bench.store, "aa")
    bench.broken[1] = ValueError
    await bench.consume()
    bench.broken.clear()
    await retry([bench.consumer], "a", bench.store)
    await bench.consume()
    assert await bench.done() == [1, 2]


async def test_after_a_retry_the_permit_flows_again(bench: Bench) -> None:
    await _append(bench.store, "a")
    bench.broken[1] = ValueError
    await bench.consume()
    bench.broken.clear()
    await retry([bench.consumer], "a", bench.store)
    await _append(bench.store, "aa", first=1)
    await bench.consume()
    assert await bench.done() == [1, 2, 3]
    assert await parked([bench.consumer]) == []


async def test_events_that_come_while_a_retry_runs_keep_the_order(bench: Bench) -> None:
    await _append(bench.store, "a" * 30)
    bench.broken[1] = ValueError
    await bench.consume()
    bench.broken.clear()
    await _append(bench.store, "a" * 10, first=30)
    later = await bench.store.read_all(30)

    async def arrive() -> None:
        for one in later:
            await bench.take([one])

    await asyncio.gather(retry([bench.consumer], "a", bench.store), arrive())
    await retry([bench.consumer], "a", bench.store)
    assert await bench.done() == list(range(1, 41))


async def test_only_the_permit_that_was_named_is_retried(bench: Bench) -> None:
    await _append(bench.store, "ab")
    bench.broken.update({1: ValueError, 2: ValueError})
    await bench.consume()
    bench.broken.clear()
    await retry([bench.consumer], "a", bench.store)
    assert [one.application_id for one in await parked([bench.consumer])] == ["b"]


async def test_nothing_parked_is_nothing_to_retry(bench: Bench) -> None:
    assert await retry([bench.consumer], "a", bench.store) == []


async def test_a_part_that_is_down_leaves_the_event_parked_as_it_was(bench: Bench) -> None:
    await _append(bench.store, "a")
    bench.broken[1] = ValueError
    await bench.consume()
    bench.broken[1] = Unavailable
    with pytest.raises(Unavailable):
        await retry([bench.consumer], "a", bench.store)
    assert [one.reason for one in await parked([bench.consumer])] == ["ValueError"]


async def test_an_event_that_the_store_does_not_have_stays_parked(
    bench: Bench, tmp_path: Path
) -> None:
    await _append(bench.store, "a")
    bench.broken[1] = ValueError
    await bench.consume()
    bench.broken.clear()
    other = SqliteStore(tmp_path / "other.sqlite")
    await _append(other, "b")
    [result] = await retry([bench.consumer], "a", other)
    assert result.failed is not None
    assert result.failed.reason == "not-in-store"
    await other.close()
