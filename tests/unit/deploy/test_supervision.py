"""A part that fails comes back by itself, and readiness says so meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.serve import following
from deploy.supervision import Supervisor
from shared.bus import Subscription
from shared.bus.local import LocalBus
from shared.database.sqlite import SqliteDatabase
from shared.errors import Unavailable
from shared.store.sqlite import SqliteStore


class Part:
    """Fails as often as it is told to, then runs for ever."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error
        self.starts = 0
        self.let_go = False
        self.running = asyncio.Event()

    async def run(self) -> None:
        """Run, fail with ``error``, or simply end when there is none."""
        self.starts += 1
        if self.starts <= self.failures:
            if self.error is not None:
                raise self.error
            return
        self.running.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.let_go = True


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    """A supervisor that lets go of its parts after the test."""
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop()


async def running(part: Part) -> None:
    """Wait until ``part`` runs for good."""
    async with asyncio.timeout(10):
        await part.running.wait()


async def test_a_part_that_fails_is_started_again_and_readiness_heals(
    supervisor: Supervisor,
) -> None:
    part = Part(failures=2, error=RuntimeError("broken"))
    supervisor.start("part", part.run)
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await supervisor.check()
    await running(part)
    await supervisor.check()
    assert part.starts == 3


async def test_a_part_that_ends_by_itself_is_started_again(supervisor: Supervisor) -> None:
    part = Part(failures=1)
    supervisor.start("part", part.run)
    await running(part)
    assert part.starts == 2


async def test_it_waits_longer_after_each_failure(supervisor: Supervisor) -> None:
    part = Part(failures=1000, error=RuntimeError("broken"))
    supervisor.start("part", part.run)
    await asyncio.sleep(0.5)
    # 0.1 + 0.2 + 0.4 seconds: a part that can't run must not take the processor from the others.
    assert part.starts <= 3


async def test_one_failing_part_leaves_the_others_alone(supervisor: Supervisor) -> None:
    well, ill = Part(), Part(failures=1000, error=RuntimeError("broken"))
    supervisor.start("ill", ill.run)
    supervisor.start("well", well.run)
    await running(well)
    assert well.starts == 1


async def test_stopping_lets_every_part_let_go_first() -> None:
    supervisor, part, ill = Supervisor(), Part(), Part(failures=9, error=RuntimeError("broken"))
    supervisor.start("part", part.run)
    supervisor.start("ill", ill.run)
    await running(part)
    await supervisor.stop()
    starts = ill.starts
    await asyncio.sleep(0.3)
    assert part.let_go
    assert ill.starts == starts


async def test_a_consumer_that_fails_gives_its_place_in_the_group_free(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "events.sqlite")
    database = SqliteDatabase(tmp_path / "bus.sqlite")
    bus = LocalBus(store, database)
    consumer = Part(failures=2, error=RuntimeError("broken"))

    async def run(subscription: Subscription) -> None:
        await consumer.run()

    # A group of the local bus takes one member: were the failed one still in, it would refuse.
    supervisor.start("consumer", following(bus, "group", ("jejak.intake",), run))
    await running(consumer)
    await supervisor.stop()
    await bus.close()
    await database.close()
    await store.close()
