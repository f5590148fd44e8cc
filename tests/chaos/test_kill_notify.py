"""kill -9 of notify at every step of a send: nothing is lost, and no second copy is a secret."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from services.notify.message import DECIDER, Delivered, Failed, Message, Read, Sent
from shared.codec import Codec
from shared.contracts.notify import MessageAttempted, MessageOutcomeUnknown, MessageQueued
from tests.chaos.evidence import Entry, check_once, read_log
from tests.chaos.notify_office import (
    STUCK_SECONDS,
    UNKNOWN_SECONDS,
    News,
    NotifyProcess,
    report,
    reports_about,
)
from tests.chaos.providers import Hold, Providers, providers
from tests.running import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("JEJAK_KILLS", "200"))
# Per round; more than one, so that a kill hits messages at once.
MESSAGES = 2
CHANNELS = ("whatsapp", "sms")
QUEUED, BEFORE, DURING, AFTER, RANDOM = "queued", "before", "during", "after", "random"
STEPS = (BEFORE, DURING, AFTER, QUEUED, RANDOM)
# A message may be called about twice, each call with a window of its own, and then something.
LONGEST = 2 * (STUCK_SECONDS + UNKNOWN_SECONDS) + 10


async def test_two_hundred_kills_at_every_step_of_a_send(tmp_path: Path) -> None:
    seed = os.environ.get("JEJAK_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"JEJAK_SEED={seed}")
    async with providers() as both:
        office = NotifyProcess(tmp_path / "data", both)
        await asyncio.to_thread(office.start)
        news = News(office.events)
        try:
            storm = Storm(office, both, news, random.Random(seed))
            await storm.rage()
            await _come_to_rest(office, both)
            log = await read_log(news.store)
        finally:
            await news.store.close()
            await asyncio.to_thread(office.stop)
    check_once(log)
    _check(log, both, news.numbers)
    assert not [number for number in news.numbers.values() if number in office.logged()]
    storm.check()


class Storm:
    """The kills: at a step that is reached on purpose, or at random."""

    def __init__(
        self, office: NotifyProcess, both: Providers, news: News, chance: random.Random
    ) -> None:
        """Nothing happens yet; see ``rage``."""
        self._office, self._both, self._news, self._chance = office, both, news, chance
        # Of each step and channel: how often the store and the ledger prove that it was hit.
        self.hit: Counter[tuple[str, str]] = Counter()

    async def rage(self) -> None:
        """Kill it, start it again, and let the providers report what they have."""
        began = time.monotonic()
        for number in range(ROUNDS):
            step, channel = STEPS[number % len(STEPS)], CHANNELS[number // len(STEPS) % 2]
            head = await self._news.store.head()
            if step == RANDOM:
                await self._at_random(channel)
            elif step == QUEUED:
                await self._before_announcing(channel, head)
            else:
                await self._around_the_call(step, channel, head)
            for gate in self._both.gates.values():
                gate.hold(Hold.NOTHING)
            await asyncio.to_thread(self._office.start)
            await report(self._office, self._both)
        print(f"{ROUNDS} kills in {time.monotonic() - began:.0f} s: {dict(self.hit)}")

    def check(self) -> None:
        """Every step was hit on every channel, nearly each time that it was meant to be."""
        for step in (BEFORE, DURING, AFTER):
            for channel in CHANNELS:
                assert self.hit[step, channel] == _rounds(step, channel)
        # The time between queueing and announcing is a few milliseconds.
        hits = sum(self.hit[QUEUED, channel] for channel in CHANNELS)
        assert hits >= sum(_rounds(QUEUED, channel) for channel in CHANNELS) / 4

    async def _at_random(self, channel: str) -> None:
        await self._news.come(MESSAGES, channel)
        await asyncio.sleep(self._chance.uniform(0, 0.3))
        await asyncio.to_thread(self._office.kill)

    async def _around_the_call(self, step: str, channel: str, head: int) -> None:
        gate = self._both.gates[channel]
        gate.hold(Hold.REQUESTS if step == BEFORE else Hold.ANSWERS)
        fresh = await self._news.come(MESSAGES, channel)
        numbers = tuple(fresh.values())
        await _soon(lambda: gate.has_requests_to(*numbers), f"the calls of {channel}")
        if step == BEFORE:
            await asyncio.to_thread(self._office.kill)
        else:
            await _soon(lambda: gate.has_answers(MESSAGES), f"the answers of {channel}")
            await self._with_answers(step, gate.release)
        calls = Counter(self._taken_by(channel))
        ends = {app: story[-1] for app, story in self._office.stories(head).items() if app in fresh}
        assert ends == dict.fromkeys(fresh, "MessageAttempted"), (step, channel, ends)
        assert [calls[number] for number in numbers] == [int(step != BEFORE)] * MESSAGES
        self.hit[step, channel] += 1

    async def _with_answers(self, step: str, release: Callable[[], None]) -> None:
        """Kill it while it waits for answers, or with answers that it could not record."""
        if step == DURING:
            await asyncio.to_thread(self._office.kill)
            return
        with self._office.frozen():
            release()
            # Long enough for the answers to be read: only the store is in the way.
            await asyncio.sleep(0.1)
            await asyncio.to_thread(self._office.kill)

    async def _before_announcing(self, channel: str, head: int) -> None:
        fresh = await self._news.come(1, channel)

        def queued() -> bool:
            return self._office.stories(head).keys() >= fresh.keys()

        await _soon(queued, "queueing", every=0.001)
        with self._office.frozen():
            (application,) = fresh
            story = self._office.stories(head)[application]
            await asyncio.to_thread(self._office.kill)
        # The calls of both channels begin in the same way, so this is the way to either.
        self.hit[QUEUED, channel] += story == ["MessageQueued"]

    def _taken_by(self, channel: str) -> list[str]:
        if channel == "whatsapp":
            return [one["to"] for one in self._both.meta.ledger]
        return [one["to"].removeprefix("+") for one in self._both.gateway.ledger]


def _rounds(step: str, channel: str) -> int:
    chosen = [(STEPS[n % len(STEPS)], CHANNELS[n // len(STEPS) % 2]) for n in range(ROUNDS)]
    return chosen.count((step, channel))


async def _soon(holds: Callable[[], bool], what: str, every: float = 0.005) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come"
        await asyncio.sleep(every)


async def _come_to_rest(office: NotifyProcess, both: Providers) -> None:
    """Wait until every message has ended: it must within its windows."""
    began = time.monotonic()

    async def rests() -> bool:
        await report(office, both)
        return not await asyncio.to_thread(office.unfinished)

    await until(rests, seconds=LONGEST, what="the end of every message")
    print(f"at rest {time.monotonic() - began:.1f} s after the last start")


def _check(log: list[Entry], both: Providers, numbers: Mapping[str, str]) -> None:
    """Compare what is on record with what the providers' ledgers hold."""
    stories: dict[str, list[Entry]] = {}
    for entry in log:
        if entry.recorded.stream.startswith("message-"):
            stories.setdefault(entry.recorded.correlation_id, []).append(entry)
    # One message for each application: none lost, none queued twice.
    assert stories.keys() == numbers.keys()
    calls, ends = both.calls(), Counter[str]()
    for story in stories.values():
        ends[_check_message(story, calls)] += 1
    print(f"{len(stories)} messages, {sum(calls.values())} taken: {dict(ends)}")
    resent = sum(times - 1 for times in calls.values() if times > 1)
    print(f"{resent} possible duplicates were taken, each on record")
    assert resent, "nothing was ever sent again: the test proves nothing"


def _check_message(story: list[Entry], calls: Counter[tuple[str, str]]) -> str:
    queued = story[0].event
    assert isinstance(queued, MessageQueued)
    assert [type(entry.event) for entry in story].count(MessageQueued) == 1
    state = _folded(story)
    assert isinstance(state, Sent | Delivered | Read | Failed), state
    for channel in CHANNELS:
        attempts, copies = _attempts(story, channel)
        taken = calls[channel, queued.message_id]
        # Every call was announced, and what was sent again is known to be a possible copy.
        assert taken <= attempts
        assert taken <= 1 + copies
        assert copies <= 1
        if isinstance(state, Sent | Delivered | Read) and state.channel == channel:
            assert taken >= 1
        if reports_about(queued.message_id) and taken:
            # The provider told in time, so a copy had no reason.
            assert isinstance(state, Delivered), state
            assert taken == 1
    if isinstance(state, Failed):
        assert state.reason == "no-outcome"
    return type(state).__name__.lower()


def _attempts(story: list[Entry], channel: str) -> tuple[int, int]:
    """Return how many calls were announced on a channel, and how many as possible copies."""
    announced = copies = 0
    before: object = None
    for _, event in story:
        if isinstance(event, MessageAttempted) and event.channel == channel:
            announced += 1
            copies += isinstance(before, MessageOutcomeUnknown)
        before = event
    return announced, copies


def _folded(story: list[Entry]) -> Message:
    codec = Codec()
    return DECIDER.fold(codec.fact(entry.recorded) for entry in story)
