"""A decider: the three pure functions that are an aggregate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.actors import Actor
from shared.events import Fact

S = TypeVar("S")


class Command(Protocol):
    """Every command says when it is given and by whom; a decider never asks a clock."""

    @property
    def now(self) -> datetime: ...

    @property
    def by(self) -> Actor: ...


@dataclass(frozen=True)
class Decider(Generic[S]):
    """``initial`` state, ``decide(command, state) -> events``, ``evolve(state, fact) -> state``.

    ``decide`` may raise a ``Refused``; it returns ``[]`` for a command that already happened.
    ``evolve`` never judges: it accepts every fact in any state.
    """

    initial: S
    decide: Callable[[Any, S], Sequence[object]]
    evolve: Callable[[S, Fact[Any]], S]

    def fold(self, facts: Iterable[Fact[Any]], state: S | None = None) -> S:
        """Return the state after ``facts``, starting from ``state`` or the initial one."""
        current = self.initial if state is None else state
        for fact in facts:
            current = self.evolve(current, fact)
        return current
