"""The relay without a broker: what is repeated, what is refused, what is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from shared.errors import Unavailable
from shared.events import Recorded
from shared.leases import LeaseLost, TableLease
from shared.relay import Relay, partition_of
from tests.consuming import eventually
from tests.relays import Place, is_at, running


class Taken:
    """A publisher that keeps what it is given; can be told to fail, or to stop in the middle."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.fail = 0
        self.pause: asyncio.Event | None = None
        self.closed = 0

    async def publish(self, events: Sequence[Recorded]) -> None:
        """Take half of them and fail, or take all."""
        if self.fail:
            self.fail -= 1
            self.events += events[: len(events) // 2]
            raise Unavailable
        self.events += events
        if self.pause is not None:
            await self.pause.wait()

    async def empty(self) -> bool:
        """Nothing was ever taken."""
        return not self.events

    async def close(self) -> None:
        """Count."""
        self.closed += 1

    def first_seen(self) -> list[int]:
        """Return positions in the order of their first arrival."""
        return list(dict.fromkeys(one.position for one in self.events))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    await made.database.close()
    await made.store.close()


async def test_events_go_out_in_order_and_the_checkpoint_follows(place: Place) -> None:
    taken = Taken()
    async with running(Relay(place.store, taken, place.lease("one"), batch=10)):
        await place.append(45)
        await is_at(place, 45)
    assert taken.first_seen() == list(range(1, 46))
    assert len(taken.events) == 45


async def test_what_failed_is_sent_again_from_the_checkpoint(place: Place) -> None:
    taken = Taken()
    taken.fail = 2
    await place.append(30)
    async with running(Relay(place.store, taken, place.lease("one"), batch=10)):
        await is_at(place, 30)
    assert taken.first_seen() == list(range(1, 31))
    assert len(taken.events) == 40
    assert taken.closed >= 2


async def test_a_killed_leader_is_followed_by_one_that_repeats_at_most_a_batch(
    place: Place,
) -> None:
    taken = Taken()
    taken.pause = asyncio.Event()
    await place.append(30)
    dead = asyncio.create_task(Relay(place.store, taken, place.lease("dead", 0.5), batch=10).run())
    await eventually(lambda: _has(taken, 10))
    # Sent and not yet on the checkpoint; its lease is left as it was, as a kill would leave it.
    assert await place.checkpoint() == 0
    await _kill(dead, place)
    taken.pause = None
    async with running(Relay(place.store, taken, place.lease("next", 0.5), batch=10)):
        await is_at(place, 30)
    assert taken.first_seen() == list(range(1, 31))
    assert len(taken.events) == 40


async def test_a_paused_old_leader_that_wakes_up_moves_nothing(place: Place) -> None:
    old_taken, new_taken = Taken(), Taken()
    old_taken.pause = asyncio.Event()
    await place.append(10)
    frozen = Frozen(place.lease("old", 0.3))
    async with running(Relay(place.store, old_taken, frozen, batch=10)):
        await eventually(lambda: _has(old_taken, 10))
        frozen.still = True
        async with running(Relay(place.store, new_taken, place.lease("new", 0.3), batch=10)):
            await place.append(10)
            await is_at(place, 20)
            # It had sent its batch, and now wants to write the checkpoint: back from 20 to 10.
            old_taken.pause.set()
            await eventually(lambda: _refused(frozen))
            assert await place.checkpoint() == 20
    assert new_taken.first_seen() == list(range(1, 21))


class Frozen:
    """A lease in a process that was stopped: it neither renews nor notices that time passed."""

    def __init__(self, lease: TableLease) -> None:
        self.lease = lease
        self.still = False
        self.refused = 0
        self.renew_every = 3600.0
        self.acquire, self.release = lease.acquire, lease.release

    async def renew(self) -> None:
        """Renew while awake."""
        if not self.still:
            await self.lease.renew()

    def check(self) -> None:
        """Notice the time while awake."""
        if not self.still:
            self.lease.check()

    async def save(self, position: int) -> None:
        """Try to write the checkpoint."""
        try:
            await self.lease.save(position)
        except LeaseLost:
            self.refused += 1
            raise


async def _has(taken: Taken, count: int) -> bool:
    return len(taken.events) >= count


async def _refused(frozen: Frozen) -> bool:
    return frozen.refused > 0


async def _kill(task: asyncio.Task[None], place: Place) -> None:
    """End a relay and put its lease back as it was: a killed process lets go of nothing."""
    before = await place.database.query("SELECT holder FROM leases")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await place.database.transaction(
        lambda tx: tx.execute("UPDATE leases SET holder = ?", before[0])
    )


def test_a_key_goes_where_every_kafka_client_would_send_it() -> None:
    # Kafka's own Utils.murmur2, as its unit test has it: 21, foobar, a-little-bit-long-string.
    hashes = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    for key, value in hashes.items():
        assert partition_of(key, 12) == (value & 0x7FFFFFFF) % 12
