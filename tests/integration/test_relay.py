"""The relay against a real broker: no gap, no inversion, whatever is killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from kafka.admin import KafkaAdminClient

from shared.bus.records import from_record
from shared.database.sqlite import SqliteDatabase
from shared.errors import Unavailable
from shared.events import Recorded
from shared.leases import LeaseLost, TableLease
from shared.relay import KafkaPublisher, Relay, partition_of
from shared.store.sqlite import SqliteStore
from shared.topic_admin import apply
from shared.topics import MissingTopic, topic_of
from tests.consuming import eventually, new_event
from tests.fixtures import Broker

TOPICS = ("jejak.intake", "jejak.workflow", "jejak.payment", "jejak.notify")


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


class Place:
    """A store and a relay's database in files."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "events.sqlite")
        self.database = SqliteDatabase(folder / "relay.sqlite")
        self._numbers = 0

    async def append(self, count: int, applications: int = 7) -> None:
        """Append ``count`` events, of several applications in turn."""
        for number in range(self._numbers, self._numbers + count):
            name = f"p{number % applications}"
            await self.store.append(f"application-{name}", [new_event(name, number)])
        self._numbers += count

    def lease(self, holder: str, seconds: float = 5) -> TableLease:
        """Return a candidate's lease."""
        return TableLease(self.database, "relay", holder, seconds=seconds)

    async def checkpoint(self) -> int:
        """Return the durable checkpoint."""
        rows = await self.database.query("SELECT position FROM leases")
        return int(rows[0][0]) if rows else 0


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    await made.database.close()
    await made.store.close()


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    """Run a relay while the block runs."""
    task = asyncio.create_task(relay.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def is_at(place: Place, position: int) -> asyncio.Task[None]:
    """Wait until the checkpoint is at ``position``."""

    async def there() -> bool:
        rows = await place.database.query("SELECT name FROM sqlite_master WHERE name = 'leases'")
        return bool(rows) and await place.checkpoint() >= position

    return asyncio.create_task(eventually(there))


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


@pytest.mark.kafka
async def test_a_missing_topic_says_what_to_do(place: Place, spare_broker: Broker) -> None:
    relay = Relay(place.store, KafkaPublisher(spare_broker.bootstrap), place.lease("one"))
    await place.append(1)
    with pytest.raises(MissingTopic, match="jejak topics apply"):
        async with asyncio.timeout(20):
            await relay.run()


@pytest.mark.kafka
async def test_events_reach_their_topics_and_partitions(place: Place, spare_broker: Broker) -> None:
    apply(spare_broker.bootstrap)
    await place.append(500, applications=40)
    relay = Relay(place.store, KafkaPublisher(spare_broker.bootstrap), place.lease("one"))
    async with running(relay):
        await is_at(place, 500)
    got = await everything(spare_broker.bootstrap, 500)
    assert sorted(one for events in got.values() for one in events) == await place.store.read_all(0)
    for (topic, partition), events in got.items():
        for one in events:
            assert topic == topic_of(one.stream).name
            assert partition == partition_of(one.correlation_id.encode(), 12)


@pytest.mark.kafka
async def test_topics_that_were_lost_are_filled_again_from_the_store(
    place: Place, spare_broker: Broker
) -> None:
    apply(spare_broker.bootstrap)
    await place.append(300)
    relay = Relay(place.store, KafkaPublisher(spare_broker.bootstrap), place.lease("one"))
    async with running(relay):
        await is_at(place, 300)
    admin = KafkaAdminClient(bootstrap_servers=spare_broker.bootstrap)
    await asyncio.to_thread(admin.delete_topics, list(TOPICS))
    await eventually(lambda: _gone(admin))
    admin.close()
    apply(spare_broker.bootstrap)
    await place.append(1)
    async with running(relay):
        await is_at(place, 301)
    got = await everything(spare_broker.bootstrap, 301)
    assert {one.position for events in got.values() for one in events} == set(range(1, 302))


async def _gone(admin: KafkaAdminClient) -> bool:
    return not set(await asyncio.to_thread(admin.list_topics)) & set(TOPICS)


@pytest.mark.kafka
async def test_an_event_larger_than_a_batch_goes_out_too(
    place: Place, spare_broker: Broker
) -> None:
    apply(spare_broker.bootstrap)
    big = new_event("big", 1)._replace(data=b'{"note":"' + b"x" * 2_000_000 + b'"}')
    await place.append(3, applications=1)
    await place.store.append("application-p0", [big._replace(correlation_id="p0")])
    await place.append(3, applications=1)
    relay = Relay(place.store, KafkaPublisher(spare_broker.bootstrap), place.lease("one"))
    async with running(relay):
        await is_at(place, 7)
    [events] = (await everything(spare_broker.bootstrap, 7)).values()
    assert [one.position for one in events] == list(range(1, 8))


@pytest.mark.kafka
@pytest.mark.chaos
async def test_nothing_is_lost_or_overtaken_while_relays_and_the_broker_are_killed(
    tmp_path: Path, place: Place, spare_broker: Broker
) -> None:
    apply(spare_broker.bootstrap)
    relays = [start(tmp_path, spare_broker) for _ in range(2)]
    writing = asyncio.create_task(place.append(6000, applications=50))
    try:
        for round_ in range(6):
            await asyncio.sleep(1.2)
            relays[round_ % 2].kill()
            relays[round_ % 2].wait()
            relays[round_ % 2] = start(tmp_path, spare_broker)
            if round_ == 2:
                await asyncio.to_thread(spare_broker.kill)
                await asyncio.sleep(1)
                await asyncio.to_thread(spare_broker.start)
        await writing
        await asyncio.wait_for(is_at(place, 6000), 60)
    finally:
        for relay in relays:
            relay.kill()
            relay.wait()
    [(terms,)] = await place.database.query("SELECT token FROM leases")
    assert terms >= 4
    got = await everything(spare_broker.bootstrap, 6000)
    assert {one.position for events in got.values() for one in events} == set(range(1, 6001))
    for events in got.values():
        first_seen = list(dict.fromkeys(one.position for one in events))
        assert first_seen == sorted(first_seen)


def start(folder: Path, broker: Broker) -> subprocess.Popen[bytes]:
    """Start a relay as a process."""
    command = [sys.executable, "-m", "tests.integration.relaying", str(folder), broker.bootstrap]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def everything(bootstrap: str, least: int) -> dict[tuple[str, int], list[Recorded]]:
    """Return all events of every partition, once ``least`` different ones are there."""
    consumer = AIOKafkaConsumer(
        *TOPICS, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    got: dict[tuple[str, int], list[Recorded]] = {}
    seen: set[int] = set()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        left = {tp: end for tp, end in ends.items() if end}
        async with asyncio.timeout(30):
            while left:
                for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                    events = [from_record(record) for record in records]
                    got.setdefault((tp.topic, tp.partition), []).extend(events)
                    seen.update(one.position for one in events)
                    if records[-1].offset + 1 >= left[tp]:
                        del left[tp]
    finally:
        await consumer.stop()
    assert len(seen) >= least
    return got
