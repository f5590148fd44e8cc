"""The relay against a real broker: no gap, no inversion, whatever is killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from kafka.admin import KafkaAdminClient

from shared.bus.records import from_record
from shared.events import Recorded
from shared.relay import KafkaPublisher, Relay, partition_of
from shared.topic_admin import apply
from shared.topics import MissingTopic, topic_of
from tests.consuming import eventually, new_event
from tests.fixtures import Broker
from tests.relays import Place, is_at, running

pytestmark = pytest.mark.kafka
TOPICS = ("jejak.intake", "jejak.workflow", "jejak.payment", "jejak.notify")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    await made.database.close()
    await made.store.close()


async def test_a_missing_topic_says_what_to_do(place: Place, spare_broker: Broker) -> None:
    relay = Relay(place.store, KafkaPublisher(spare_broker.bootstrap), place.lease("one"))
    await place.append(1)
    with pytest.raises(MissingTopic, match="jejak topics apply"):
        async with asyncio.timeout(20):
            await relay.run()


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
