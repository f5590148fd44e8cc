"""What only a real broker can show of the bus: members that come and go, bad records, outages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from shared.bus import Subscription
from shared.bus.kafka import KafkaBus
from shared.bus.records import to_record
from shared.events import Recorded
from shared.ids import new_id
from shared.relay import KafkaPublisher
from shared.topic_admin import apply
from shared.topics import MissingTopic
from tests.consuming import eventually, recorded
from tests.fixtures import Broker

pytestmark = pytest.mark.kafka
INTAKE = "jejak.intake"


@pytest.fixture
async def bus(kafka_topics: str) -> AsyncIterator[KafkaBus]:
    opened = KafkaBus(kafka_topics, session_timeout_ms=3000)
    yield opened
    await opened.close()


def events(mark: str, count: int, first: int = 1) -> list[Recorded]:
    """Return events of ten applications nobody else has."""
    return [recorded(first + n, f"{mark}-{n % 10}") for n in range(count)]


async def publish(bootstrap: str, batch: Sequence[Recorded]) -> None:
    """Send events as the relay would."""
    publisher = KafkaPublisher(bootstrap)
    await publisher.publish(batch)
    await publisher.close()


class Member:
    """A member of a group that collects the events of one test."""

    def __init__(self, subscription: Subscription, mark: str) -> None:
        self.got: list[Recorded] = []
        self.subscription = subscription
        self._mark = mark
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for deliveries in self.subscription.batches():
            for _, batch in deliveries:
                self.got += [one for one in batch if one.correlation_id.startswith(self._mark)]
            await self.subscription.commit()

    async def leave(self) -> None:
        """Leave the group."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.subscription.close()


@asynccontextmanager
async def member(bus: KafkaBus, group: str, mark: str) -> AsyncIterator[Member]:
    made = Member(await bus.subscribe(group, [INTAKE]), mark)
    yield made
    await made.leave()


async def test_a_missing_topic_says_what_to_do(bus: KafkaBus) -> None:
    with pytest.raises(MissingTopic, match="jejak topics apply"):
        await bus.subscribe("tester", [INTAKE, "jejak.no-such-topic"])
    with pytest.raises(MissingTopic, match=r"jejak\.no-such-topic"):
        await anext(aiter(bus.live(["jejak.no-such-topic"])))


async def test_members_of_a_group_share_the_work(bus: KafkaBus, kafka_topics: str) -> None:
    mark = new_id()
    async with member(bus, mark, mark) as one, member(bus, mark, mark) as two:
        sent = 0

        async def both_work() -> bool:
            nonlocal sent
            await publish(kafka_topics, events(mark, 100, sent + 1))
            sent += 100
            return bool(one.got and two.got)

        await eventually(both_work)
        await eventually(lambda: _have([one, two], sent))


async def test_what_a_member_leaves_behind_is_taken_over_in_order(
    bus: KafkaBus, kafka_topics: str
) -> None:
    mark = new_id()
    async with member(bus, mark, mark) as stays:
        async with member(bus, mark, mark) as goes:
            await publish(kafka_topics, events(mark, 500))
            await eventually(lambda: _have([stays, goes], 500))
        await publish(kafka_topics, events(mark, 500, 501))
        await eventually(lambda: _have([stays, goes], 1000))
    for got in (stays.got, goes.got):
        for application in {one.correlation_id for one in got}:
            positions = [one.position for one in got if one.correlation_id == application]
            first_seen = list(dict.fromkeys(positions))
            assert first_seen == sorted(first_seen)


async def test_a_commit_after_the_partitions_were_lost_is_harmless(
    bus: KafkaBus, kafka_topics: str
) -> None:
    mark = new_id()
    await publish(kafka_topics, events(mark, 100))
    slow = await bus.subscribe(mark, [INTAKE])
    held = await anext(aiter(slow.batches()))
    assert held
    async with member(bus, mark, mark) as other:
        await eventually(lambda: _joined(other))
        await slow.commit()
        await slow.close()
        await eventually(lambda: _have([other], 1))


async def test_a_rewind_holds_for_partitions_that_come_later(
    bus: KafkaBus, kafka_topics: str
) -> None:
    mark = new_id()
    await publish(kafka_topics, events(mark, 200))
    async with member(bus, mark, mark) as first:
        await eventually(lambda: _have([first], 200))
    one = await bus.subscribe(mark, [INTAKE])
    await one.rewind()
    two = await bus.subscribe(mark, [INTAKE])
    await two.rewind()
    members = [Member(one, mark), Member(two, mark)]
    await eventually(lambda: _have(members, 200))
    for each in members:
        await each.leave()


async def _have(members: Sequence[Member], count: int) -> bool:
    return len({one.event_id for each in members for one in each.got}) >= count


async def _joined(other: Member) -> bool:
    # It was given some partitions, so the first member lost them.
    return bool(other.got)


async def test_a_record_that_cannot_be_read_is_parked_and_holds_up_nobody(
    bus: KafkaBus, kafka_topics: str
) -> None:
    mark = new_id()
    good = [recorded(n, mark) for n in (1, 2)]
    key, value, headers = to_record(good[0])
    bad = [
        (key, b"not JSON", headers),
        (b"another", value, headers),
        (key, value, [h for h in headers if h[0] != "ce_id"]),
        (None, b"from somewhere else", []),
        (key, None, []),
    ]
    producer = AIOKafkaProducer(bootstrap_servers=kafka_topics)
    await producer.start()
    await publish(kafka_topics, good[:1])
    for bad_key, bad_value, bad_headers in bad:
        await producer.send_and_wait(
            INTAKE, bad_value, key=bad_key, headers=[*bad_headers, ("mark", mark.encode())]
        )
    await publish(kafka_topics, good[1:])
    await producer.stop()
    async with member(bus, mark, mark) as reader:
        await eventually(lambda: _have([reader], 2))
        # One of them has no key, so it may lie on a partition that is read only after the good two.
        parked = await _parked(kafka_topics, mark, len(bad))
    reasons = {dict(record.headers)["parkedreason"].decode() for record in parked}
    assert reasons == {
        "the value is not JSON",
        "the key is not the application's id",
        "header ce_id is missing",
        "header ce_specversion is missing",
    }
    assert {record.value for record in parked} >= {b"not JSON", b"from somewhere else"}
    about = dict(parked[0].headers)
    assert about["parkedtopic"] == b"jejak.intake"
    assert about["parkedgroup"] == mark.encode()


async def _parked(bootstrap: str, mark: str, count: int) -> list[ConsumerRecord[bytes, bytes]]:
    consumer = AIOKafkaConsumer(
        "jejak.parked", bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    found: list[ConsumerRecord[bytes, bytes]] = []
    try:
        async with asyncio.timeout(20):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [r for r in records if dict(r.headers).get("mark") == mark.encode()]
    finally:
        await consumer.stop()
    return found


async def test_nothing_ends_when_the_broker_is_gone(spare_broker: Broker) -> None:
    apply(spare_broker.bootstrap)
    bus = KafkaBus(spare_broker.bootstrap, session_timeout_ms=3000)
    heard: list[Recorded] = []

    async def listen() -> None:
        async for one in bus.live([INTAKE]):
            heard.append(one)

    listener = asyncio.create_task(listen())
    async with member(bus, "tester", "p") as reader:
        await publish(spare_broker.bootstrap, events("p", 100))
        await eventually(lambda: _have([reader], 100))
        await asyncio.to_thread(spare_broker.kill)
        await asyncio.sleep(3)
        await asyncio.to_thread(spare_broker.start)
        await publish(spare_broker.bootstrap, events("p", 100, 101))
        await eventually(lambda: _have([reader], 200), seconds=60)
        await eventually(lambda: _heard(heard, 101), seconds=60)
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    await bus.close()


async def _heard(heard: Sequence[Recorded], position: int) -> bool:
    return {one.position for one in heard} >= set(range(position, position + 100))


async def test_a_broker_that_comes_late_is_waited_for(spare_broker: Broker) -> None:
    apply(spare_broker.bootstrap)
    await asyncio.to_thread(spare_broker.kill)
    bus = KafkaBus(spare_broker.bootstrap)
    subscribing = asyncio.create_task(bus.subscribe("tester", [INTAKE]))
    await asyncio.sleep(1)
    assert not subscribing.done()
    await asyncio.to_thread(spare_broker.start)
    async with asyncio.timeout(30):
        await subscribing
    await bus.close()
