"""The test language itself: what it accepts, and how it complains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from shared.actors import APPLICANT, Actor
from shared.decider import Decider
from shared.errors import NotAllowed, Refused
from shared.events import Fact
from tests.spec import START, at, fact, facts, given


@dataclass(frozen=True)
class Added:
    amount: int


@dataclass(frozen=True)
class Add:
    amount: int
    now: datetime = START
    by: Actor = APPLICANT


class TooMuch(Refused):
    pass


def _decide(command: Add, total: int) -> Sequence[object]:
    if command.amount < 0:
        raise NotAllowed
    if total + command.amount > 10:
        raise TooMuch
    return [Added(command.amount)] if total == 0 else []


COUNTER: Decider[int] = Decider(0, _decide, lambda total, fact: total + fact.event.amount)


def test_decided_repeated_and_refused() -> None:
    given(COUNTER).when(Add(3)).then(Added(3)).again().then_nothing()
    given(COUNTER, Added(3)).when(Add(3)).then_nothing()
    assert isinstance(given(COUNTER, Added(9)).when(Add(3)).then_refused(TooMuch), TooMuch)
    given(COUNTER, Added(9)).when(Add(3)).then_refused()
    given(COUNTER).when(Add(-1)).then_refused(NotAllowed)


def test_decided_events_carry_the_command_s_instant_and_actor() -> None:
    after = given(COUNTER).when(Add(3, now=at(hours=2))).then(Added(3)).after
    assert after.history == (Fact(Added(3), START + timedelta(hours=2), "applicant"),)
    assert after.state == 3


def test_bare_events_happen_a_minute_apart_and_facts_stay_as_they_are() -> None:
    explicit = fact(Added(2), at=at(days=1), by=APPLICANT)
    assert [(f.at, f.actor) for f in facts(Added(1), explicit, Added(3))] == [
        (START, "system"),
        (at(days=1), "applicant"),
        (at(days=1, minutes=1), "system"),
    ]


def test_a_difference_is_shown_line_by_line() -> None:
    with pytest.raises(AssertionError, match=r"- Added\(amount=4\)\n\+ Added\(amount=3\)"):
        given(COUNTER).when(Add(3)).then(Added(4))
    with pytest.raises(AssertionError, match="should have decided nothing"):
        given(COUNTER).when(Add(3)).then_nothing()


def test_an_unexpected_or_missing_refusal_is_named() -> None:
    with pytest.raises(AssertionError, match=r"refused with TooMuch .* decided Added"):
        given(COUNTER, Added(9)).when(Add(3)).then(Added(3))
    with pytest.raises(AssertionError, match="not with TooMuch"):
        given(COUNTER).when(Add(-1)).then_refused(TooMuch)
    with pytest.raises(AssertionError, match="should be refused: TooMuch"):
        given(COUNTER).when(Add(3)).then_refused(TooMuch)


def test_a_decider_that_decides_by_chance_is_found_out() -> None:
    answers = iter([[Added(1)], [Added(2)]])
    fickle: Decider[int] = Decider(0, lambda command, total: next(answers), COUNTER.evolve)
    with pytest.raises(AssertionError, match="not pure"):
        given(fickle).when(Add(1)).then(Added(1))
