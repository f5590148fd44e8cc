"""A storm that is decided in a process beside: the same facts, whatever becomes of that process."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from services.workflow import beside as module
from services.workflow.beside import Beside
from services.workflow.nudges import Due
from services.workflow.permit import stream
from services.workflow.timers import GROUP, Swept
from shared.events import Recorded, to_micros
from tests.running import until
from tests.unit.workflow.kit import CALENDAR, local
from tests.unit.workflow.office import SmallOffice, small_office

ROOT = Path(__file__).resolve().parents[3]
STORM = 3 * GROUP + 10


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SmallOffice]:
    async with small_office(tmp_path) as made:
        yield made


@pytest.fixture
async def beside(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Beside]:
    """A process that is there, and is waited for on a machine however busy."""
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 20.0)
    made = Beside(many=1, processors=2)
    made.seen(1)
    await until(lambda: ready(made), seconds=60)
    yield made
    await made.close()


async def ready(beside: Beside) -> bool:
    return beside.ready


def pid_of(beside: Beside) -> int:
    process = beside._process
    assert process is not None
    return process.pid


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def filled(office: SmallOffice, count: int = STORM) -> list[str]:
    apps = [await office.open(index) for index in range(count)]
    await office.project()
    office.at = local(6, 8)
    return apps


async def recorded(office: SmallOffice, apps: list[str]) -> list[Recorded]:
    """Return what a sweep appended, without where and when it was stored."""
    found = [event for app in apps for event in await office.store.read_stream(stream(app))]
    return [event._replace(position=0, recorded_us=0) for event in found if event.version > 2]


async def assert_all_fired_once(office: SmallOffice, apps: list[str]) -> None:
    kinds = Counter(event.type for event in await recorded(office, apps))
    assert kinds == {"StageOverdue": STORM, "StallExplanationRequested": STORM}


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the groups that were answered beside."""
    answered, decide = [], Beside.decide

    async def counting(self: Beside, *args: Any) -> Any:
        answer = await decide(self, *args)
        answered.append(answer is not None)
        return answer

    monkeypatch.setattr(Beside, "decide", counting)
    return lambda: sum(answered)


async def test_what_is_decided_beside_is_what_is_decided_here(
    tmp_path: Path, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = counted(monkeypatch)
    found = []
    for name, by in (("here", None), ("beside", beside)):
        folder = tmp_path / name
        folder.mkdir()
        async with small_office(folder) as office:
            apps = await filled(office)
            before = answered()
            assert await office.sweeper(beside=by).sweep() == Swept(STORM, STORM, 0)
            assert answered() - before == (4 if by else 0)
            found.append(await recorded(office, apps))
    assert found[0] == found[1]
    assert len(found[0]) == 2 * STORM


async def test_each_sweep_is_decided_at_its_own_instant(
    office: SmallOffice, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, sweeper = counted(monkeypatch), office.sweeper(beside=beside)
    app, *_ = await filled(office, 1)
    await sweeper.sweep()
    await office.project()
    office.at = local(6, 12)
    await sweeper.sweep()
    assert answered() == 2
    _, asked, escalated = await recorded(office, [app])
    assert asked.occurred_us == to_micros(local(6, 8))
    assert (escalated.type, escalated.occurred_us) == ("StallEscalated", to_micros(local(6, 12)))


async def test_a_process_that_is_killed_in_a_storm_takes_nothing_with_it(
    office: SmallOffice, beside: Beside
) -> None:
    apps = await filled(office)
    sweeping = asyncio.create_task(office.sweeper(beside=beside).sweep())
    await asyncio.sleep(0.005)
    os.kill(pid_of(beside), signal.SIGKILL)
    assert await sweeping == Swept(STORM, STORM, 0)
    await assert_all_fired_once(office, apps)


async def test_a_process_that_does_not_answer_is_not_waited_for(
    office: SmallOffice, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.02)
    answered, apps = counted(monkeypatch), await filled(office)
    os.kill(pid_of(beside), signal.SIGSTOP)
    async with asyncio.timeout(30):
        assert await office.sweeper(beside=beside).sweep() == Swept(STORM, STORM, 0)
    assert answered() == 0
    # Its answer came too late for anybody: the next ones are those to their own questions.
    os.kill(pid_of(beside), signal.SIGCONT)
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 20.0)

    async def asks_again() -> bool:
        return beside._question is None

    await until(asks_again)
    await office.project()
    office.at = local(6, 12)
    assert await office.sweeper(beside=beside).sweep() == Swept(STORM, STORM, 0)
    kinds = Counter(event.type for event in await recorded(office, apps))
    assert kinds["StallEscalated"] == STORM
    assert answered() > 0


async def test_a_process_that_can_not_be_begun_holds_nobody_up(
    office: SmallOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (("/nowhere/python",), (sys.executable, "-c", "print('not an answer')")):
        monkeypatch.setattr(module, "_COMMAND", command)
        made = Beside(many=1, processors=2)
        made.seen(1)
        starting = made._starting
        assert starting is not None
        await starting
        assert not made.ready
        assert await made.decide([], {}) is None
        await made.rest()
        # The next storm tries again.
        assert made._starting is None
    await filled(office, 3)
    assert await office.sweeper(beside=made).sweep() == Swept(3, 3, 0)
    await made.close()


async def test_a_row_without_a_valid_procedure_is_left_to_whoever_asks(beside: Beside) -> None:
    due = Due(1, "a", "verify", ("nowhere", "situ", 1), 1, "", "")
    assert await beside.decide([due], {}) == [None]


@pytest.mark.parametrize(
    ("many", "processors", "begun"),
    [(STORM, 2, True), (STORM + 1, 2, False), (STORM, 1, False), (None, 2, False)],
)
async def test_a_process_is_begun_for_a_storm_where_it_has_a_processor(
    office: SmallOffice, many: int | None, processors: int, *, begun: bool
) -> None:
    made = Beside(many=many, processors=processors)
    await filled(office)
    await office.sweeper(beside=made).sweep()
    assert (made._starting is not None) is begun
    await made.close()


async def test_a_process_ends_after_the_storm_and_begins_again_with_the_next(
    office: SmallOffice, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, sweeper = pid_of(beside), office.sweeper(beside=beside)
    # Nothing is due, neither soon after a storm nor long after it.
    await sweeper.sweep()
    assert beside.ready
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.0)
    await sweeper.sweep()
    assert not beside.ready
    assert not alive(first)
    beside.seen(1)
    await until(lambda: ready(beside), seconds=60)
    assert pid_of(beside) != first


async def test_it_ends_with_a_process_that_was_killed() -> None:
    script = (
        "import asyncio\n"
        "from services.workflow.beside import Beside\n"
        "async def main():\n"
        "    beside = Beside(many=1, processors=2)\n"
        "    beside.seen(1)\n"
        "    while not beside.ready:\n"
        "        await asyncio.sleep(0.01)\n"
        "    print(beside._process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    office = subprocess.Popen(  # noqa: ASYNC220 - it is killed a moment later
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert office.stdout is not None
    pid = int(await asyncio.to_thread(office.stdout.readline))
    assert alive(pid)
    office.kill()
    await asyncio.to_thread(office.wait)

    async def gone() -> bool:
        return not alive(pid)

    await until(gone)


async def test_a_sweep_that_is_cancelled_leaves_nobody_with_another_ones_answer(
    office: SmallOffice, beside: Beside
) -> None:
    apps = await filled(office)
    sweeping = asyncio.create_task(office.sweeper(beside=beside).sweep())
    await asyncio.sleep(0.005)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    assert await office.sweeper(beside=beside).sweep() == Swept(STORM, STORM, 0)
    await assert_all_fired_once(office, apps)


def test_a_calendar_that_travelled_answers_the_same() -> None:
    travelled = pickle.loads(pickle.dumps(CALENDAR))
    for day in range(1, 28):
        at = local(day, 9, 17)
        assert travelled.add(at, 1234) == CALENDAR.add(at, 1234)
        assert travelled.is_open(at) == CALENDAR.is_open(at)
    assert (travelled.zone, travelled.day_minutes) == (CALENDAR.zone, CALENDAR.day_minutes)
