"""The pace of calls: laws that hold for any demand, on a clock that the test moves."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.notify.traffic.pace import MOST_WAITING, Bucket, Pace, Speed

RATES = st.one_of(st.integers(1, 200).map(float), st.floats(0.05, 200.0))
PERSONS = st.lists(st.integers(0, 5).map(str), min_size=1, max_size=120)
STEPS = st.lists(st.floats(0.0, 0.3), min_size=1, max_size=300)


@for_all(RATES, STEPS)
def test_no_second_holds_more_calls_than_the_rate(rate: float, steps: list[float]) -> None:
    bucket, now, calls = Bucket(rate), 0.0, list[float]()
    for step in steps:
        now += step
        while bucket.free_at() <= now:
            bucket.take(now)
            calls.append(now)
    for first in calls:
        # A second is as long as floating point makes it.
        within = [call for call in calls if first <= call < first + 1.0 - 1e-9]
        assert len(within) <= max(rate, 1.0)
    for one, other in pairwise(calls):
        assert rate >= 1 or other - one >= 1 / rate - 1e-9


@for_all(st.integers(8, 200))
def test_whoever_always_has_messages_gets_the_whole_rate(rate: int) -> None:
    bucket, now, calls = Bucket(float(rate)), 0.0, 0
    while now < 10.0:
        while bucket.free_at() <= now:
            bucket.take(now)
            calls += 1
        now = max(bucket.free_at(), now)
    # Bursts are whole calls: at most an eighth of a rate is lost to their rounding.
    assert calls >= 10 * rate * 7 / 8


def test_eighty_a_second_are_eighty_a_second_in_ten_small_bursts() -> None:
    bucket, calls = Bucket(80.0), list[float]()
    for tick in range(10_000):
        while bucket.free_at() <= tick / 1000:
            bucket.take(tick / 1000)
            calls.append(tick / 1000)
    assert len(calls) == 800
    assert set(Counter(calls).values()) == {10}


@for_all(PERSONS, STEPS)
def test_nobody_is_called_twice_within_their_gap(persons: list[str], steps: list[float]) -> None:
    pace, now, calls = Pace({"w": Speed(0.0, 6.0)}), 0.0, dict[str, list[float]]()
    for step in steps:
        now += step * 10
        for person in persons:
            if pace.take("w", person, now):
                calls.setdefault(person, []).append(now)
    for times in calls.values():
        assert all(later - earlier >= 6.0 - 1e-9 for earlier, later in pairwise(times))


@for_all(PERSONS)
def test_everybody_is_called_however_many_wait(persons: list[str]) -> None:
    pace, now, waiting = Pace({"w": Speed(80.0, 6.0)}), 0.0, list(persons)
    # As the sender does: look, call who may be called, sleep until somebody may.
    for _ in range(10 * len(persons)):
        shut = set(pace.waiting("w", now))
        room = pace.room("w", now, 200)
        looked = [person for person in waiting if person not in shut][:room]
        for person in looked:
            if pace.take("w", person, now):
                waiting.remove(person)
        if not waiting:
            break
        pressed = frozenset({"w"} if len(looked) == room else ())
        following = pace.next_look(now, pressed=pressed)
        assert following is not None
        now += following + 1e-6
    assert not waiting
    assert now <= 6.0 * max(Counter(persons).values()) + len(persons) / 80.0 + 0.2


def test_who_waits_holds_up_nobody_else() -> None:
    pace = Pace({"w": Speed(80.0, 6.0)})
    assert pace.take("w", "a", 0.0)
    assert not pace.take("w", "a", 0.1)
    assert pace.waiting("w", 0.1) == ("a",)
    assert pace.take("w", "b", 0.1)
    assert pace.take("sms", "a", 0.1)
    assert pace.waiting("w", 6.0) == ()
    assert pace.take("w", "a", 6.0)


def test_a_longer_rest_wins_over_a_shorter_one() -> None:
    pace = Pace({"w": Speed(0.0, 6.0)})
    pace.take("w", "a", 0.0)
    pace.rest("w", "a", 30.0)
    pace.rest("w", "a", 10.0)
    assert not pace.take("w", "a", 29.9)
    assert pace.take("w", "a", 30.0)


def test_what_is_remembered_does_not_grow() -> None:
    pace = Pace({"w": Speed(0.0, 6.0)})
    for number in range(100_000):
        assert pace.take("w", str(number), number / 80.0)
        pace.hold("w", f"x{number}", number / 80.0 + 6.0)
    rests = pace._rests["w"]
    assert len(rests) <= 2 * 80 * 6 + 2
    assert len(rests._ends) <= 2 * 80 * 6 + 2
    assert len(pace.waiting("w", 1250.0)) <= MOST_WAITING


def test_a_channel_without_limits_never_waits() -> None:
    pace = Pace({"sms": Speed()})
    assert all(pace.take("sms", "a", 0.0) for _ in range(1000))
    assert pace.room("sms", 0.0, 200) == 200
    assert pace.next_look(0.0, pressed=frozenset({"sms"})) is None
