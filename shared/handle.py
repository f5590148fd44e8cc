"""Load, fold, decide, append: the only way from a command to a fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.codec import Codec
from shared.decider import Command, Decider
from shared.errors import StaleScreen, Unavailable, WrongExpectedVersion
from shared.events import Recorded
from shared.store.protocol import EventStore

S = TypeVar("S")

# Under contention each loser reloads and decides again; five rounds lose only to a broken client.
RETRIES = 5


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """A stream's state and version, and the position of its last event (0 when empty)."""

    state: S
    version: int
    position: int
    events: Sequence[Recorded]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[S]):
    """What a command came to. ``events`` is empty when it had already happened before."""

    state: S
    version: int
    position: int
    events: Sequence[Recorded]


class Handler:
    """Carries commands to their stream and back."""

    def __init__(self, store: EventStore, codec: Codec) -> None:
        """Handle over ``store``, decoding with ``codec``."""
        self.store = store
        self.codec = codec

    async def load(self, decider: Decider[S], stream: str) -> Loaded[S]:
        """Return the present state of ``stream``. Raises UndecodableEvent."""
        events = await self.store.read_stream(stream)
        state = decider.fold(self.codec.fact(recorded) for recorded in events)
        last = events[-1] if events else None
        return Loaded(state, last.version if last else 0, last.position if last else 0, events)

    async def handle(
        self,
        decider: Decider[S],
        stream: str,
        command: Command,
        *,
        cause: str,
        application: str,
        seen: int | None = None,
    ) -> Outcome[S]:
        """Decide ``command`` on ``stream`` and append what was decided.

        ``cause`` is the id of what brought the command about (a request or an event): the same
        cause on the same stream is answered with what it already did. ``seen`` is the version that
        the person looked at. Raises what ``decide`` raises, StaleScreen, and Unavailable when
        other writers won every retry.
        """
        for _ in range(RETRIES):
            loaded = await self.load(decider, stream)
            if any(recorded.cause_id == cause for recorded in loaded.events):
                return Outcome(loaded.state, loaded.version, loaded.position, ())
            decided = decider.decide(command, loaded.state)
            if not decided:
                return Outcome(loaded.state, loaded.version, loaded.position, ())
            if seen is not None and seen != loaded.version:
                raise StaleScreen
            new = self.codec.encode(decided, stream, command, cause, application)
            try:
                recorded = await self.store.append(stream, new, loaded.version)
            except WrongExpectedVersion:
                continue
            state = decider.fold(map(self.codec.fact, recorded), loaded.state)
            return Outcome(state, recorded[-1].version, recorded[-1].position, recorded)
        raise Unavailable
