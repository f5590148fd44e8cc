"""The circuit breaker: given a circuit, when something is heard, then another circuit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.notify.traffic.circuit import (
    PROBE_SECONDS,
    UNHEARD,
    Answered,
    Circuit,
    Closed,
    Heard,
    Open,
    Trouble,
    Troubled,
    Unheard,
    hears,
    may_probe,
    probed,
    retried,
)
from tests.spec import START

NOBODY = Unheard("unreachable")
BLOCKED = Troubled(Trouble.PAUSED, "190")
LIMITED = Troubled(Trouble.THROTTLED, "130429", 5.0)


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def opened(heard: Heard) -> Open:
    circuit = hears(Closed(), heard, START)
    assert isinstance(circuit, Open)
    return circuit


def test_so_many_calls_in_a_row_without_an_answer_open_it() -> None:
    circuit: Circuit = Closed()
    for failures in range(1, UNHEARD):
        circuit = hears(circuit, NOBODY, START)
        assert circuit == Closed(failures)
    assert hears(circuit, Answered(), START) == Closed()
    circuit = hears(circuit, NOBODY, START)
    assert circuit == Open(Trouble.UNREACHABLE, "unreachable", START, START + after(30))
    assert circuit.detours


def test_trouble_with_the_account_opens_it_at_once() -> None:
    circuit = opened(BLOCKED)
    assert (circuit.reason, circuit.until, circuit.detours) == ("190", START + after(300), True)


def test_a_limit_opens_it_shortly_and_messages_wait() -> None:
    circuit = opened(LIMITED)
    assert (circuit.until, circuit.detours) == (START + after(5), False)
    longer = opened(Troubled(Trouble.THROTTLED, "80007", 60.0))
    assert longer.until == START + after(60)


@pytest.mark.parametrize("heard", [BLOCKED, LIMITED, NOBODY])
def test_one_probe_when_the_time_has_come_decides(heard: Heard) -> None:
    circuit = opened(heard) if heard != NOBODY else hears(Closed(UNHEARD - 1), heard, START)
    assert isinstance(circuit, Open)
    assert not may_probe(circuit, circuit.until - after(0.001))
    assert may_probe(circuit, circuit.until)
    probing = probed(circuit, circuit.until)
    assert not may_probe(probing, circuit.until + after(PROBE_SECONDS - 1))
    # Its process died in it.
    assert may_probe(probing, circuit.until + after(PROBE_SECONDS))
    assert hears(probing, Answered(), circuit.until, probe=True) == Closed()
    again = hears(probing, heard, circuit.until, probe=True)
    assert isinstance(again, Open)
    assert again.until - circuit.until == 2 * (circuit.until - START)
    assert (again.since, again.tries, again.probing) == (START, 2, None)


def test_calls_that_began_before_it_opened_change_nothing() -> None:
    circuit = opened(BLOCKED)
    for heard in (Answered(), NOBODY, LIMITED, BLOCKED):
        assert hears(circuit, heard, START + after(1)) == circuit


def test_a_blocked_account_is_worse_than_a_limit() -> None:
    circuit = hears(opened(LIMITED), BLOCKED, START + after(1))
    assert isinstance(circuit, Open)
    assert (circuit.trouble, circuit.since) == (Trouble.PAUSED, START + after(1))


def test_people_may_have_it_tried_now() -> None:
    now = START + after(2)
    circuit = retried(probed(opened(BLOCKED), START), now)
    assert isinstance(circuit, Open)
    assert may_probe(circuit, now)
    assert retried(Closed(3), now) == Closed(3)


def test_a_clock_that_was_set_back_closes_no_channel_for_a_day() -> None:
    circuit = opened(BLOCKED)
    assert may_probe(circuit, START - timedelta(days=1))
    assert may_probe(probed(circuit, START), START - timedelta(days=1))


HEARD = st.sampled_from([Answered(), NOBODY, BLOCKED, LIMITED])


@for_all(st.lists(st.tuples(HEARD, st.floats(0, 900)), max_size=60))
def test_it_never_stays_open_for_longer_than_an_hour(story: list[tuple[Heard, float]]) -> None:
    circuit: Circuit = Closed()
    now = START
    for heard, seconds in story:
        now += after(seconds)
        probe = isinstance(circuit, Open) and may_probe(circuit, now)
        if isinstance(circuit, Open) and not probe:
            assert circuit.until - now <= timedelta(hours=1)
            continue
        if isinstance(circuit, Open):
            circuit = probed(circuit, now)
        circuit = hears(circuit, heard, now, probe=probe)
        assert isinstance(circuit, Closed) or circuit.since <= now < circuit.until
