"""Given, when, then for deciders: a rule is tested in three lines, in memory, without a mock.

::

    given(DECIDER, submitted, registered).when(Withdraw(...)).then(ApplicationWithdrawn(...))
    given(DECIDER).when(Register(...)).then_refused(NothingSubmitted)
    given(DECIDER, submitted).when(Submit(...)).then_nothing()
    given(DECIDER).when(Submit(...)).then(submitted).again().then_nothing()

Bare events become facts one minute apart from ``START`` on, by ``system``; where the instant or the
actor matters, give a ``Fact`` (``fact(event, at=..., by=...)``) instead.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pprint import pformat
from typing import Any, Generic, TypeVar

from shared.actors import Actor
from shared.decider import Command, Decider
from shared.errors import JejakError, Refused
from shared.events import Fact

S = TypeVar("S")

# A Monday, 08:00 in Jakarta: inside every office's working hours.
START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
STEP = timedelta(minutes=1)


def at(**since_start: float) -> datetime:
    """Return an instant after ``START``: ``at(days=1, minutes=5)``."""
    return START + timedelta(**since_start)


def fact(event: object, *, at: datetime = START, by: Actor | str = "system") -> Fact[Any]:
    """Return ``event`` as a fact that happened ``at`` an instant, done ``by`` an actor."""
    return Fact(event, at, str(by))


def facts(*events: object) -> list[Fact[Any]]:
    """Return ``events`` as facts on an increasing clock; facts among them stay as they are.

    An event after an explicit fact happens one minute after that fact.
    """
    made: list[Fact[Any]] = []
    clock = START
    for event in events:
        one = event if isinstance(event, Fact) else fact(event, at=clock)
        made.append(one)
        clock = one.at + STEP
    return made


def given(decider: Decider[S], *events: object) -> Given[S]:
    """Start from a history of ``events`` (bare events or facts), which may be empty."""
    return Given(decider, tuple(facts(*events)))


@dataclass(frozen=True)
class Given(Generic[S]):
    """A history that a command meets."""

    decider: Decider[S]
    history: tuple[Fact[Any], ...]

    @property
    def state(self) -> S:
        """The state that this history folds to."""
        return self.decider.fold(self.history)

    def when(self, command: Command) -> When[S]:
        """Give ``command`` to the decider."""
        return When(self, command)


@dataclass(frozen=True)
class When(Generic[S]):
    """A command that met a history; one of the ``then`` methods says what must come of it."""

    given: Given[S]
    command: Command

    def decided(self) -> list[object]:
        """Return what is decided; fails when the same command and state decide differently."""
        decider, state = self.given.decider, self.given.state
        first = list(decider.decide(self.command, state))
        second = list(decider.decide(self.command, state))
        if first != second:
            raise _difference("the decider is not pure: twice the same, two answers", first, second)
        return first

    def then(self, *events: object) -> Then[S]:
        """Expect exactly ``events``, in order."""
        decided = self._unrefused(events)
        if decided != list(events):
            raise _difference(
                f"{_name(self.command)} decided something else", list(events), decided
            )
        return Then(self, tuple(decided))

    def then_nothing(self) -> Given[S]:
        """Expect that nothing is decided: it already happened."""
        decided = self._unrefused(())
        if decided:
            raise _difference(f"{_name(self.command)} should have decided nothing", [], decided)
        return self.given

    def then_refused(self, error: type[JejakError] = Refused) -> JejakError:
        """Expect a refusal of exactly that type; return it, to look at ``allowed`` and ``params``.

        ``Refused`` itself stands for every refusal.
        """
        try:
            decided = self.decided()
        except JejakError as refusal:
            if type(refusal) is error or (error is Refused and isinstance(refusal, Refused)):
                return refusal
            raise AssertionError(
                f"{_name(self.command)} was refused with {type(refusal).__name__} ({refusal}), "
                f"not with {error.__name__}"
            ) from refusal
        raise _difference(f"{_name(self.command)} should be refused: {error.__name__}", [], decided)

    def _unrefused(self, wanted: Sequence[object]) -> list[object]:
        try:
            return self.decided()
        except JejakError as refusal:
            names = ", ".join(map(_name, wanted)) or "nothing"
            raise AssertionError(
                f"{_name(self.command)} was refused with {type(refusal).__name__} ({refusal}); "
                f"it should have decided {names}"
            ) from refusal


@dataclass(frozen=True)
class Then(Generic[S]):
    """What was decided, ready for what comes next in the same story."""

    before: When[S]
    events: tuple[object, ...]

    @property
    def after(self) -> Given[S]:
        """The history with the decided events, which happened when the command was given."""
        command = self.before.command
        new = (fact(event, at=command.now, by=command.by) for event in self.events)
        return Given(self.before.given.decider, (*self.before.given.history, *new))

    def again(self) -> When[S]:
        """Give the very same command once more."""
        return self.when(self.before.command)

    def when(self, command: Command) -> When[S]:
        """Give the next command."""
        return self.after.when(command)


def _name(value: object) -> str:
    return type(value).__name__


def _difference(why: str, expected: Sequence[object], actual: Sequence[object]) -> AssertionError:
    """Return a failure with a line-by-line difference, `-` what was expected and `+` what came."""
    lines = difflib.ndiff(_pretty(expected), _pretty(actual))
    return AssertionError(f"{why}\n" + "\n".join(line for line in lines if line[0] != "?"))


def _pretty(events: Sequence[object]) -> list[str]:
    return [line for event in events for line in pformat(event, width=88).splitlines()] or [
        "(none)"
    ]
