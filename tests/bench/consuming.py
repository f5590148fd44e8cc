"""Consumers of the same topics: bare ``getmany``, our projector, plain Faust."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from shared.bus import Delivery, Subscription
from shared.bus.kafka import MAX_RECORDS, KafkaBus
from shared.database.sqlite import SqliteDatabase
from shared.events import Recorded
from shared.ids import new_id
from shared.projection import Projection, Projector
from shared.topics import belongs_to
from tests.bench.measure import Contestant, Reading
from tests.bench.plan import Plan
from tests.bench.processes import kill, spawn

FAUST = "plain Faust with a table"
_LIMIT_SECONDS = 180.0


def raw_name(topics: Sequence[str]) -> str:
    """Return the series of bare ``getmany`` on ``topics``."""
    return f"getmany {', '.join(topic.removeprefix('jejak.') for topic in topics)}"


def _wanted(topics: Sequence[str], rows: Sequence[Recorded]) -> int:
    ours = belongs_to(topics)
    return sum(ours(row.stream) for row in rows)


class _Clock:
    """Counts from the first batch on, which is not counted: joining a group is no throughput."""

    def __init__(self, total: int) -> None:
        self._left = total
        self._counted = 0
        self._began = 0.0
        self.rate = 0.0

    def batch(self, events: int) -> bool:
        """Note ``events`` more; return whether these were the last."""
        self._left -= events
        if self._began:
            self._counted += events
        else:
            self._began = time.perf_counter()
        if self._left <= 0:
            self.rate = self._counted / (time.perf_counter() - self._began)
        return self._left <= 0


def raw(plan: Plan, bootstrap: str, topics: Sequence[str], rows: Sequence[Recorded]) -> Contestant:
    """Return a consumer that fetches the records and lets them fall."""
    total = _wanted(topics, rows)

    async def contestant() -> Sequence[Reading]:
        consumer = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=bootstrap,
            group_id=f"bench-{new_id()}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        clock = _Clock(total)
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                ended = False
                while not ended:
                    records = await consumer.getmany(timeout_ms=1000, max_records=_batch(total))
                    ended = bool(records) and clock.batch(sum(map(len, records.values())))
        finally:
            await consumer.stop()
        return [Reading(raw_name(topics), clock.rate)]

    return contestant


def _batch(total: int) -> int:
    """Return the batch size: ours, or less where so few events would be a single batch."""
    return min(MAX_RECORDS, max(100, total // 8))


class _Timed:
    """A subscription that notes what was committed, and ends after the last event."""

    def __init__(self, subscription: Subscription, clock: _Clock) -> None:
        self._subscription = subscription
        self._clock = clock
        self._batch = 0
        self.done = asyncio.Event()

    async def batches(self) -> AsyncIterator[list[Delivery]]:
        async for deliveries in self._subscription.batches():
            self._batch = sum(len(delivery.events) for delivery in deliveries)
            yield deliveries

    async def commit(self) -> None:
        await self._subscription.commit()
        if self._clock.batch(self._batch):
            self.done.set()

    async def rewind(self, held: Mapping[str, int] | None = None) -> None:
        await self._subscription.rewind(held)

    async def close(self) -> None:
        await self._subscription.close()


def projected(
    plan: Plan, bootstrap: str, projection: Projection, series: str, rows: Sequence[Recorded]
) -> Contestant:
    """Return our bus and projector: what is counted is in SQLite and committed to the group."""
    total = _wanted(projection.topics, rows)

    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        database = SqliteDatabase(folder / "read.sqlite")
        bus = KafkaBus(bootstrap, max_records=_batch(total))
        clock = _Clock(total)
        try:
            subscription = await bus.subscribe(f"bench-{new_id()}", projection.topics)
            timed = _Timed(subscription, clock)
            projector = Projector(projection, database)
            await _run_until(projector, timed)
        finally:
            await bus.close()
            await database.close()
            shutil.rmtree(folder)
        return [Reading(series, clock.rate)]

    return contestant


async def _run_until(projector: Projector, timed: _Timed) -> None:
    running = asyncio.create_task(projector.run(timed))
    ended = asyncio.create_task(timed.done.wait())
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            await asyncio.wait([running, ended], return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await running
    finally:
        for task in (running, ended):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def faust(plan: Plan, bootstrap: str) -> Contestant:
    """Return the peer, in a process of its own; it is killed once it told its rate."""

    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        process = spawn("peer_faust", bootstrap, str(folder), str(plan.faust_events))
        try:
            assert process.stdout is not None
            line = await asyncio.to_thread(process.stdout.readline)
            return [Reading(FAUST, float(line))]
        finally:
            kill(process)
            shutil.rmtree(folder)

    return contestant
