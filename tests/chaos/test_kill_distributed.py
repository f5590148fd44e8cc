"""kill -9 of each process of ``make up``, and the broker away for a while: nothing lost, all once.

The tests share one installation, which takes half a minute to start.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.parts import end, free_port
from deploy.up import Installation
from shared.bus.records import from_record
from shared.events import Recorded
from shared.relay import BATCH
from shared.store.postgres import PostgresStore
from shared.topics import TOPICS, topic_of
from tests.chaos.evidence import (
    Entry,
    check_acknowledged,
    check_effects,
    check_nothing_parked,
    check_once,
    read_log,
    replay_check,
    statuses,
)
from tests.chaos.load import Ledger, Line, people_at_work
from tests.installation import installation, listens
from tests.process import JEJAK, eventually, is_ready

pytestmark = [pytest.mark.kafka, pytest.mark.chaos, pytest.mark.timeout(900)]

KILLED = ("intake", "workflow", "payment", "notify", "worker", "kafka")
BROKER_AWAY = 15.0
# Candidates hear of a dead worker after 6 seconds; the rest is for a busy machine.
HAND_OVER = 60.0


@pytest.fixture(scope="module")
def office() -> Iterator[Installation]:
    """Everything that ``make up`` starts."""
    with installation() as running:
        yield running


async def test_each_process_is_killed_once_and_the_broker_goes_away(office: Installation) -> None:
    seed = str(random.SystemRandom().randrange(10**9))
    ledger = Ledger()
    line = Line(office.url("intake"), ledger, office.url("workflow"))
    async with people_at_work(line, seed, applicants=2, pause=0.1):
        await asyncio.sleep(2)
        for name in KILLED:
            await asyncio.to_thread(_killed, office, name)
            await asyncio.sleep(1)
        accepted = await _broker_away(office, ledger)
        await asyncio.sleep(2)
    print(f"{ledger}; {accepted} of them while the broker was away")
    log = await _settled(office, ledger)
    check_acknowledged(log, ledger, office.folder / "uploads")
    check_once(log)
    check_effects(log)
    _check_topics(log, await _everything_published(office))
    assert _listed(office) == statuses(log)
    check_nothing_parked(office.folder, office.environment())
    rebuilt = replay_check(office.folder, office.environment())
    assert {"applications", "permits", "bills-2", "messages-2"} <= {r["name"] for r in rebuilt}


def _killed(office: Installation, name: str) -> None:
    """Kill a part and wait until supervisor has it back and it works."""
    pid = office.pid(name)
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    eventually(lambda: office.pid(name) not in (0, pid), 60)
    if name == "kafka":
        eventually(lambda: listens(office.ports["kafka"]), 60)
    else:
        eventually(lambda: is_ready(office.url(name)), 90)
    print(f"{name} was back after {time.monotonic() - began:.1f} s")


async def _broker_away(office: Installation, ledger: Ledger) -> int:
    """Stop the broker for a while; return how many applications were accepted meanwhile.

    Intake starts anew without it. The worker can't, and must come back once the broker is there.
    """
    await asyncio.to_thread(office.control, "stop", "kafka")
    before = len(ledger.submitted)
    os.kill(office.pid("worker"), signal.SIGKILL)
    await asyncio.to_thread(_killed, office, "intake")
    await asyncio.sleep(BROKER_AWAY)
    accepted = len(ledger.submitted) - before
    assert accepted >= BROKER_AWAY, "intake hardly accepted anything without the broker"
    await asyncio.to_thread(office.control, "start", "kafka")
    await asyncio.to_thread(eventually, lambda: is_ready(office.url("worker")), 90)
    return accepted


async def _settled(office: Installation, ledger: Ledger, seconds: float = 120) -> Sequence[Entry]:
    """Return the log once every effect of it has come and nothing more comes."""
    store = PostgresStore(office.postgres.dsn)
    deadline = time.monotonic() + seconds
    try:
        log: Sequence[Entry] = ()
        while True:
            before, log = len(log), await read_log(store)
            try:
                check_effects(log)
            except AssertionError:
                assert time.monotonic() < deadline, "effects are still missing"
            else:
                if len(log) == before:
                    return log
            await asyncio.sleep(3)
    finally:
        await store.close()


async def _everything_published(office: Installation) -> list[Recorded]:
    """Return every record of every topic, partition by partition in its order."""
    names = [topic.name for topic in TOPICS]
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=office.kafka, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        wanted, found = sum(ends.values()), list[Recorded]()
        async with asyncio.timeout(60):
            while len(found) < wanted:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [from_record(record) for record in records]
        return found
    finally:
        await consumer.stop()


def _check_topics(log: Sequence[Entry], published: Sequence[Recorded]) -> None:
    """Every event is on its topic, each application's in order; few twice, after a kill only."""
    expected = {recorded.position for recorded, _ in log}
    times = Counter(recorded.position for recorded in published)
    assert times.keys() == expected
    twice = sum(times.values()) - len(times)
    print(f"{len(times)} events on the topics, {twice} of them sent again")
    assert twice <= BATCH * (len(KILLED) + 1)
    last: dict[tuple[str, str], int] = {}
    seen: set[int] = set()
    for recorded in published:
        if recorded.position in seen:
            continue
        seen.add(recorded.position)
        place = (topic_of(recorded.stream).name, recorded.correlation_id)
        assert recorded.position > last.get(place, 0), "events of a permit overtook each other"
        last[place] = recorded.position


def _listed(office: Installation) -> dict[str, str]:
    with psycopg.connect(office.postgres.dsn) as connection:
        rows = connection.execute("SELECT application_id, status FROM intake.applications")
        return dict(rows.fetchall())


def test_the_timers_move_to_another_worker_when_theirs_is_killed(office: Installation) -> None:
    with _second_worker(office) as (address, process):
        urls = {"first": office.url("worker"), "second": address}
        leader = _leader(urls)
        (other,) = urls.keys() - {leader}
        swept, began = _sweeps(urls[other]), time.monotonic()
        os.kill(office.pid("worker") if leader == "first" else process.pid, signal.SIGKILL)
        eventually(lambda: _sweeps(urls[other]) > swept, HAND_OVER)
        print(f"the {leader} worker led; the other swept {time.monotonic() - began:.1f} s later")
        if leader == "first":
            eventually(lambda: is_ready(urls[leader]), HAND_OVER)


@contextmanager
def _second_worker(office: Installation) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run another worker beside supervisor's; give its address and process."""
    port = free_port()
    with (office.folder / "logs" / "second-worker.log").open("wb") as log:
        process = subprocess.Popen(
            [str(JEJAK), "worker", "--port", str(port)],
            env=office.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: is_ready(address), 90)
        yield address, process
    finally:
        end(process, signal.SIGTERM, 20)


def _leader(urls: dict[str, str]) -> str:
    """Return which worker sweeps; exactly one must."""

    def sweeping() -> list[str]:
        before = {name: _sweeps(url) for name, url in urls.items()}
        time.sleep(3.5)
        return [name for name, url in urls.items() if _sweeps(url) > before[name]]

    eventually(lambda: len(sweeping()) == 1, HAND_OVER)
    (leader,) = sweeping()
    return leader


def _sweeps(url: str) -> float:
    """Return how many sweeps a worker has done; none while it does not answer."""
    try:
        with urlopen(f"{url}/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
    except (URLError, OSError):
        return 0.0
    found = re.search(r"^jejak_sla_sweep_seconds_count (\S+)", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0
