"""Who works in slices gives way to whoever works in steps, and a slow disk to everybody."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from shared.store.limits import Limits
from shared.store.nearby import Nearby
from shared.turns import give_way


async def told_by_another_task() -> str:
    """Have another task answer, as an append is answered by the writer."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    async def reply() -> None:
        answer.set_result("durable")

    replying = loop.create_task(reply())
    return f"{await answer} {replying.done()}"


async def test_a_chain_of_steps_ends_between_two_slices() -> None:
    written: list[str] = []

    async def write(request: asyncio.Task[str]) -> None:
        written.append(await request)

    for number in range(1, 10):
        # Each step follows from the one before: begun, taken, answered, written.
        writing = asyncio.create_task(write(asyncio.create_task(told_by_another_task())))
        await give_way()
        assert written == ["durable True"] * number
        await writing


def run_in() -> int:
    """Return the thread that this runs in."""
    return threading.get_ident()


def slowly() -> int:
    """Take longer than is allowed."""
    time.sleep(0.12)
    return threading.get_ident()


LIMITS = Limits(slow_seconds=0.1, slow_commits=3)


async def test_after_slow_work_the_next_ones_run_in_a_thread_and_then_in_the_loop_again() -> None:
    nearby, loop = Nearby(LIMITS), threading.get_ident()
    assert [await nearby.run(work) == loop for work in (run_in, slowly)] == [True, True]
    assert [await nearby.run(run_in) == loop for _ in range(5)] == [False] * 3 + [True] * 2


async def test_slow_work_in_a_thread_keeps_the_next_ones_there() -> None:
    nearby, loop = Nearby(LIMITS), threading.get_ident()
    works = (slowly, run_in, slowly, run_in, run_in, run_in, run_in)
    ran = [await nearby.run(work) == loop for work in works]
    assert ran == [True, False, False, False, False, False, True]


async def test_work_that_fails_tells_its_caller_wherever_it_runs() -> None:
    def fail() -> int:
        raise LookupError(threading.get_ident())

    nearby, loop = Nearby(LIMITS), threading.get_ident()
    for _ in range(2):
        with pytest.raises(LookupError) as in_loop:
            await nearby.run(fail)
        assert in_loop.value.args == (loop,)
    await nearby.run(slowly)
    with pytest.raises(LookupError) as in_thread:
        await nearby.run(fail)
    assert in_thread.value.args != (loop,)
