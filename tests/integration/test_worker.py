"""The Faust worker over a real broker: its leader sweeps, and whoever is left takes over.

What it counts is an indication (ADR 4): after kill -9 a table may count twice, never less.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.workflow.activity import HOUR_US
from shared.codec import Codec
from shared.contracts.intake import ApplicationSubmitted
from shared.events import NewEvent, Recorded, to_micros
from shared.ids import derived_id
from shared.relay import KafkaPublisher
from shared.topic_admin import apply
from tests.examples import example
from tests.fixtures import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


class Worker:
    """One worker process and what it left behind."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.worker_program", bootstrap, str(folder)],
                stdout=log,
                stderr=log,
            )

    def sweeps(self) -> int:
        """How often it swept."""
        ticks = self.folder / "ticks"
        return len(ticks.read_text().splitlines()) if ticks.exists() else 0

    def recovered(self) -> bool:
        """Whether its tables are back."""
        return (self.folder / "recovered").exists()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def workers(spare_broker: Broker, tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
    apply(spare_broker.bootstrap)
    started: list[Worker] = []

    def start(name: str) -> Worker:
        started.append(Worker(spare_broker.bootstrap, tmp_path / name))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


def until(true: Callable[[], bool], seconds: float, workers: list[Worker]) -> float:
    """Wait until ``true``; return how long it took. Fails with the workers' logs."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            logs = "\n".join((w.folder / "log").read_text()[-1500:] for w in workers)
            raise AssertionError(f"not within {seconds} s; the workers said:\n{logs}")
        time.sleep(0.1)
    return time.monotonic() - began


def submitted(index: int, codec: Codec) -> Recorded:
    """Return one application's submission, a minute after the one before."""
    application = derived_id("worker-test", index)
    event = example(ApplicationSubmitted, application_id=application, office="bogor")
    at = to_micros(NOON + timedelta(seconds=index % 60))
    new: NewEvent = codec.envelope(event, derived_id("e", index), at, "applicant", "c", application)
    return Recorded(
        index + 1,
        f"application-{application}",
        1,
        new.event_id,
        new.type,
        new.schema_version,
        new.data,
        at,
        at,
        new.actor,
        new.cause_id,
        application,
    )


def publish(bootstrap: str, first: int, count: int) -> None:
    """Send ``count`` submissions to their topic."""

    async def work() -> None:
        codec, publisher = Codec(), KafkaPublisher(bootstrap)
        await publisher.publish([submitted(index, codec) for index in range(first, first + count)])
        await publisher.close()

    asyncio.run(work())


def counted(folder: Path) -> dict[tuple[str, str, int], int]:
    """Return (office, kind, hour) -> count, as the page adds them up."""
    with closing(sqlite3.connect(folder / "activity.sqlite")) as database:
        rows = database.execute(
            "SELECT office, kind, hour_us, SUM(count) FROM activity GROUP BY 1, 2, 3"
        )
        return {(office, kind, hour): count for office, kind, hour, count in rows}


def test_a_killed_leader_hands_the_sweep_over_and_windows_are_recovered(
    workers: Callable[[str], Worker], spare_broker: Broker, tmp_path: Path
) -> None:
    one = workers("one")
    until(lambda: one.sweeps() > 0 and one.recovered(), 60, [one])
    two = workers("two")
    until(two.recovered, 60, [one, two])
    window = ("bogor", "received", to_micros(NOON) // HOUR_US * HOUR_US)
    publish(spare_broker.bootstrap, 0, 500)
    until(lambda: counted(tmp_path).get(window, 0) >= 500, 60, [one, two])
    assert counted(tmp_path)[window] == 500

    before = one.sweeps(), two.sweeps()
    until(lambda: (one.sweeps(), two.sweeps()) != before, 20, [one, two])
    leader, other = (one, two) if one.sweeps() > before[0] else (two, one)
    assert other.sweeps() == before[1 if leader is one else 0]
    leader.kill()
    silent = other.sweeps()
    until(lambda: other.sweeps() > silent + 2, 60, [other])

    # What the dead worker had counted comes back from the changelog, and counting goes on from it.
    publish(spare_broker.bootstrap, 500, 100)
    until(lambda: counted(tmp_path).get(window, 0) >= 600, 60, [other])


def test_a_part_that_fails_ends_the_worker_so_that_it_is_started_anew(
    spare_broker: Broker, tmp_path: Path
) -> None:
    apply(spare_broker.bootstrap)
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from services.workflow.worker import build_worker, run_worker\n"
        "async def part(): raise RuntimeError('the part failed')\n"
        "async def sweep(): pass\n"
        "async def main():\n"
        "    app = build_worker(sys.argv[1], Path(sys.argv[2]), parts={'Projector': part},\n"
        "        sweep=sweep, sweep_seconds=1, database=None, codes={})\n"
        "    await run_worker(app, stop=asyncio.Event(), recovered=asyncio.Event(),\n"
        "        recovery_seconds=60)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, spare_broker.bootstrap, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1
    assert "the part failed" in done.stderr
