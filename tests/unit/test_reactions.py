"""The reactor: one effect per event, in order per permit, poison aside, parts that are down waited
for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.bus import Delivery
from shared.bus.local import LocalBus
from shared.codec import Codec
from shared.contracts.intake import ApplicationReturned, ApplicationWithdrawn
from shared.contracts.workflow import PermitClosed
from shared.database.sqlite import SqliteDatabase
from shared.errors import Refused, Unavailable
from shared.events import Recorded
from shared.reactions import Reaction, Reactor
from shared.store.sqlite import SqliteStore
from tests.consuming import delivery, eventually, new_event, recorded


class Killed(BaseException):
    """Not an Exception: as if the process ended here."""


class Effects:
    """Effects that are written down; some can be told to fail."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.fails: dict[int, list[BaseException]] = {}

    async def react(self, event: Any, cause: Recorded) -> None:
        """Do it, or raise what is next for this position."""
        await asyncio.sleep(0)
        if errors := self.fails.get(cause.position):
            raise errors.pop(0)
        self.done.append((event.application_id, cause.position))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "inbox.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
def effects() -> Effects:
    return Effects()


def build(
    effects: Effects, database: SqliteDatabase, table: Mapping[type[Any], Reaction] | None = None
) -> Reactor:
    """Return a reactor over two kinds of events."""
    table = table or {ApplicationWithdrawn: effects.react, PermitClosed: effects.react}
    return Reactor("tester", ("jejak.intake", "jejak.workflow"), table, Codec(), database)


@pytest.fixture
async def reactor(effects: Effects, database: SqliteDatabase) -> Reactor:
    made = build(effects, database)
    await made.prepare()
    return made


async def test_an_event_that_comes_again_has_one_effect(reactor: Reactor, effects: Effects) -> None:
    await reactor.react(delivery(recorded(1), recorded(2)))
    await reactor.react(delivery(recorded(1), recorded(2), recorded(3)))
    assert effects.done == [("a", 1), ("a", 2), ("a", 3)]


async def test_a_resend_within_one_batch_has_one_effect(reactor: Reactor, effects: Effects) -> None:
    await reactor.react(delivery(recorded(1), recorded(2), recorded(1), recorded(2)))
    assert effects.done == [("a", 1), ("a", 2)]


async def test_another_source_may_carry_it_again_without_effect(
    reactor: Reactor, effects: Effects
) -> None:
    await reactor.react(delivery(recorded(1), source="store"))
    await reactor.react(delivery(recorded(1), source="jejak.intake/3"))
    assert effects.done == [("a", 1)]


async def test_events_nobody_reacts_to_are_passed_over_and_counted(
    reactor: Reactor, effects: Effects
) -> None:
    await reactor.react(delivery(recorded(4, kind=ApplicationReturned)))
    assert effects.done == []
    assert await reactor.positions() == {"store": 4}


async def test_effects_of_one_permit_are_in_the_order_of_the_log_across_sources(
    reactor: Reactor, effects: Effects
) -> None:
    await reactor.react(
        [
            Delivery("jejak.workflow/0", [recorded(2, kind=PermitClosed)]),
            Delivery("jejak.intake/0", [recorded(1), recorded(3)]),
        ]
    )
    assert effects.done == [("a", 1), ("a", 2), ("a", 3)]


async def test_permits_run_side_by_side(database: SqliteDatabase) -> None:
    meeting = asyncio.Barrier(2)

    async def meet(event: Any, cause: Recorded) -> None:
        await meeting.wait()

    reactor = build(Effects(), database, {ApplicationWithdrawn: meet})
    await reactor.prepare()
    async with asyncio.timeout(5):
        await reactor.react(delivery(recorded(1, "a"), recorded(2, "b")))


async def test_a_crash_between_effect_and_inbox_redelivers_and_keeps_the_order(
    reactor: Reactor, effects: Effects, database: SqliteDatabase
) -> None:
    effects.fails[3] = [Killed()]
    with pytest.raises(Killed):
        await reactor.react(delivery(recorded(1), recorded(2), recorded(3)))
    assert await reactor.positions() == {}
    after_the_crash = build(effects, database)
    await after_the_crash.react(delivery(recorded(1), recorded(2), recorded(3)))
    # Twice is harmless: ids derive from the cause, so a repeated command decides nothing.
    assert effects.done == [("a", n) for n in (1, 2, 1, 2, 3)]


async def test_poison_parks_its_permit_and_the_others_flow(
    reactor: Reactor, effects: Effects
) -> None:
    effects.fails[2] = [Refused(), Refused()]
    await reactor.react(
        delivery(recorded(1), recorded(2), recorded(3), recorded(4, "b"), recorded(5, "b"))
    )
    assert sorted(effects.done) == [("a", 1), ("b", 4), ("b", 5)]
    parked = [(one.position, one.reason) for one in await reactor.parking.all()]
    assert parked == [(2, "refused"), (3, "behind")]
    await reactor.react(delivery(recorded(6), recorded(7, "b")))
    assert sorted(effects.done) == [("a", 1), ("b", 4), ("b", 5), ("b", 7)]
    assert [one.position for one in await reactor.parking.all()] == [2, 3, 6]


async def test_an_event_that_cannot_be_decoded_is_parked(reactor: Reactor) -> None:
    await reactor.react(delivery(recorded(1, data=b'{"application_id": 7}')))
    assert [one.reason for one in await reactor.parking.all()] == ["undecodable-event"]


async def test_a_parked_event_that_comes_again_stays_parked_once(
    reactor: Reactor, effects: Effects
) -> None:
    effects.fails[1] = [ValueError()]
    for _ in range(2):
        await reactor.react(delivery(recorded(1), recorded(2)))
    assert effects.done == []
    assert [one.position for one in await reactor.parking.all()] == [1, 2]


async def test_a_part_that_is_down_is_waited_for_in_order(
    reactor: Reactor, effects: Effects
) -> None:
    effects.fails[1] = [Unavailable(), Unavailable()]
    await reactor.react(delivery(recorded(1), recorded(2), recorded(3, "b")))
    assert [done for done in effects.done if done[0] == "a"] == [("a", 1), ("a", 2)]
    assert ("b", 3) in effects.done
    assert await reactor.parking.all() == []


async def test_a_lost_inbox_reacts_again_from_the_first_event(tmp_path: Path) -> None:
    effects = Effects()
    store = SqliteStore(tmp_path / "events.sqlite")
    checkpoints = SqliteDatabase(tmp_path / "bus.sqlite")
    bus = LocalBus(store, checkpoints)
    for number in range(3):
        await store.append("application-a", [new_event("a", number)])
    for inbox in ("first.sqlite", "second.sqlite"):
        database = SqliteDatabase(tmp_path / inbox)
        effects.done.clear()
        reactor = build(effects, database)
        subscription = await bus.subscribe(reactor.name, reactor.topics)
        running = asyncio.create_task(reactor.run(subscription))
        await eventually(lambda: _done(effects, 3))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await subscription.close()
        await database.close()
    assert effects.done == [("a", 1), ("a", 2), ("a", 3)]
    await bus.close()
    await checkpoints.close()
    await store.close()


async def _done(effects: Effects, count: int) -> bool:
    return len(effects.done) >= count
