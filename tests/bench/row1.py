"""Row 1, the applicant: from an acknowledged command to the live page, at half load."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.parts import PartMissing
from shared.store.sqlite import SqliteStore
from shared.topics import PARKED
from tests.bench import limits
from tests.bench.arrivals import Seen, gathered
from tests.bench.broker import NEEDS_JAVA, broker
from tests.bench.live_office import WorkerEnded, live_office
from tests.bench.measure import MILLIS, Contestant, Reading, Row, Target, percentile
from tests.bench.plan import Plan
from tests.bench.telling import Teller

_EMBEDDED, _KAFKA = "embedded", "over Kafka"
_LIMITS = ("fdatasync p50", "socket p50")
_BROKER = "broker round trip p50"


def targets(mode: str, within: tuple[str, ...]) -> list[Target]:
    """Return what is asked of one mode: multiples of the limits' sum, and an upper bound.

    An answer waits until the lists show the command, so the page may be first. The stricter reading
    begins when the event was recorded, just before its fsync.
    """
    asked = []
    for since in ("answered", "recorded"):
        p50, p99 = (f"{mode}: {since} to visible, {share}" for share in ("p50", "p99"))
        asked += [
            Target(f"{mode}: since {since}, p50 against the limits", p50, within, at_most=5),
            Target(f"{mode}: since {since}, p99 against the limits", p99, within, at_most=20),
            Target(f"{mode}: since {since}, p99", p99, at_most=50),
        ]
    return asked


async def run(plan: Plan, teller: Teller) -> Row:
    """Measure row 1; without Java only the embedded office."""
    row = Row(1, "applicant: command acknowledged to visible on the live page")
    row.targets += targets(_EMBEDDED, _LIMITS)
    await row.interleave(_disk_and_net(plan) | _office(plan, _EMBEDDED, {}), plan.rounds, teller)
    try:
        async with broker(plan, teller) as bootstrap:
            row.targets += targets(_KAFKA, (_BROKER, *_LIMITS))
            contestants = {"broker round trip": _round_trip(plan, bootstrap)}
            environment = {"JEJAK_KAFKA": bootstrap}
            contestants |= _office(plan, _KAFKA, environment)
            await row.interleave(contestants, plan.rounds, teller)
    except WorkerEnded as error:
        row.not_run.append(f"the office over Kafka: {error}")
    except PartMissing as error:
        row.not_run.append(f"the office over Kafka: {NEEDS_JAVA}; {error}")
    row.notes.append("0 since answered: the page was there before the officer's own answer")
    return row


def _disk_and_net(plan: Plan) -> dict[str, Contestant]:
    async def disk() -> Sequence[Reading]:
        return await limits.fdatasync(plan.data, plan.seconds / 2)

    async def net() -> Sequence[Reading]:
        return await limits.socket_round_trip(plan.seconds / 4)

    return {"fdatasync": disk, "socket": net}


def _office(plan: Plan, mode: str, environment: Mapping[str, str]) -> dict[str, Contestant]:
    rounds = iter(range(1000))

    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        async with AsyncExitStack() as stack:
            worker = bool(environment)
            office = await stack.enter_async_context(
                live_office(folder, environment, worker=worker)
            )
            crowd = await gathered(office, stack)
            capacity = await crowd.capacity(plan.seconds)
            seen = await crowd.arrive(capacity / 2, plan.latency_seconds, next(rounds))
        recorded = await _recorded(folder, seen)
        return [
            Reading(f"{mode}: commands at full load", capacity),
            *_latencies(mode, "sent to answered", [one.answered - one.sent for one in seen]),
            *_latencies(mode, "sent to visible", [one.visible - one.sent for one in seen]),
            *_latencies(mode, "answered to visible", [one.visible - one.answered for one in seen]),
            *_latencies(
                mode, "recorded to visible", [one.visible - recorded[one.position] for one in seen]
            ),
        ]

    return {mode: contestant}


async def _recorded(folder: Path, seen: Sequence[Seen]) -> dict[int, float]:
    """Return position -> instant of recording, from the store that the office left behind."""
    store = SqliteStore(folder / "events.sqlite")
    try:
        first = min(one.position for one in seen) - 1
        rows = await store.read_all(first, max(one.position for one in seen) - first)
    finally:
        await store.close()
    return {row.position: row.recorded_us / 1e6 for row in rows}


def _latencies(mode: str, name: str, seconds: Sequence[float]) -> list[Reading]:
    """Return p50 and p99; what was there before it was waited for took no time."""
    return [
        Reading(f"{mode}: {name}, {label}", max(0.0, percentile(seconds, share)) * 1000, MILLIS)
        for label, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _round_trip(plan: Plan, bootstrap: str) -> Contestant:
    """Return the limit of the broker: one record, acknowledged and fetched again.

    It goes through the topic that no service reads.
    """

    async def contestant() -> Sequence[Reading]:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
        consumer = AIOKafkaConsumer(PARKED.name, bootstrap_servers=bootstrap)
        await producer.start()
        await consumer.start()
        try:
            await consumer.seek_to_end()
            times = []
            end = time.perf_counter() + plan.seconds
            while (began := time.perf_counter()) < end:
                sending = asyncio.create_task(producer.send_and_wait(PARKED.name, b"{}", key=b"b"))
                await consumer.getone()
                times.append((time.perf_counter() - began) * 1000)
                await sending
        finally:
            await producer.stop()
            await consumer.stop()
        return [Reading(_BROKER, percentile(times, 0.5), MILLIS)]

    return contestant
