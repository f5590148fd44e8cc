"""Load, fold, decide, append: the only way from a command to a fact."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.codec import Codec
from shared.contracts import BY_NAME
from shared.decider import Command, Decider
from shared.errors import (
    EventIdReused,
    JejakError,
    StaleScreen,
    Unavailable,
    WrongExpectedVersion,
)
from shared.events import AnyFact, Fact, NewEvent, Recorded, from_micros
from shared.store.protocol import Batch, EventStore
from shared.telemetry import APPENDED

S = TypeVar("S")

# Under contention each loser looks and decides again. The first round may go to an outdated memory;
# who loses five more loses to a broken client.
RETRIES = 6
# Of how many streams the state is remembered: the ones being worked on, not all that are open.
REMEMBERED = 4096


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


@dataclass(frozen=True, slots=True)
class _Memory(Generic[S]):
    """What was known of a stream at ``version``. It may be old by now, but it was true once.

    ``causes`` are those of the stream's events. The set is shared by all memories of one stream, so
    it may hold causes of later events too: each of them is in the store.
    """

    decider: Decider[S]
    state: S
    version: int
    position: int
    causes: set[str]

    def outcome(self, events: Sequence[Recorded] = ()) -> Outcome[S]:
        return Outcome(self.state, self.version, self.position, events)


class Handler:
    """Carries commands to their stream and back.

    It remembers the folded state of the streams it last wrote to, and decides from memory first. A
    memory may be out of date, so whatever is decided from it is held against the store: new events
    by the expected version of their append, anything else (a refusal, nothing to do, a repeated
    cause) by reading what the stream has beyond it, and deciding again when there is something.
    """

    def __init__(self, store: EventStore, codec: Codec, *, remember: int = REMEMBERED) -> None:
        """Handle over ``store``, decoding with ``codec``; ``remember`` that many streams.

        Behind a guard nothing is remembered: an erased person must be gone from memory too.
        """
        self.store = store
        self.codec = codec
        self._remember = 0 if codec.guards else remember
        self._memories = OrderedDict[str, _Memory[Any]]()

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
        memory = self._recalled(decider, stream)
        current = False
        for _ in range(RETRIES):
            if memory is None:
                memory = await self._look(decider, stream, self._recalled(decider, stream))
                current = True
            try:
                decided = _decide(memory, command, cause, seen)
            except JejakError:
                if current:
                    raise
                decided = ()
            if not decided and current:
                return memory.outcome()
            if decided:
                new = self.codec.encode(decided, stream, command, cause, application)
                outcome = await self._append(memory, stream, new, decided)
                if outcome is not None:
                    return outcome
            memory = None
        raise Unavailable

    async def put_many(self, batches: Sequence[Batch]) -> list[bool]:
        """Append what was decided elsewhere; say of each whether it is recorded.

        Each batch holds the events of one cause, decided from a read model that knew the stream up
        to ``expected``. A read model may be behind, so nothing is recorded on a stream that has
        moved on since: the caller then gives the command to ``handle``, which reads. So thousands
        of streams cost one commit and no read, and are as safe as one. Raises what is wrong with
        the store.
        """
        answers = await self.store.append_many(batches)
        stored = [_was_recorded(*pair) for pair in zip(batches, answers, strict=True)]
        _count(answer for answer, ok in zip(answers, stored, strict=True) if ok)
        return stored

    async def _append(
        self,
        memory: _Memory[S],
        stream: str,
        new: Sequence[NewEvent],
        decided: Sequence[object],
    ) -> Outcome[S] | None:
        """Append behind what ``memory`` knows; None when the stream has moved on since."""
        try:
            recorded = await self.store.append(stream, new, memory.version)
        except WrongExpectedVersion:
            return None
        except EventIdReused:
            # The same cause may have brought about something else meanwhile, from a later state.
            again = await self._look(memory.decider, stream, memory)
            if new[0].cause_id in again.causes:
                return None
            raise
        if recorded[0].version != memory.version + 1:
            # The same cause was here before us: the store gave back what it did then.
            return None
        APPENDED.labels(BY_NAME[recorded[0].type].service).inc(len(recorded))
        facts = map(self._fact, decided, new, recorded)
        return self._advance(memory, stream, recorded, facts).outcome(recorded)

    def _fact(self, event: object, sent: NewEvent, recorded: Recorded) -> AnyFact:
        """Return what was recorded; what was just encoded need not be decoded again."""
        if sent.data != recorded.data:
            # The same cause was faster elsewhere, with other details: what it recorded counts.
            return self.codec.fact(recorded)
        return Fact(event, from_micros(recorded.occurred_us), recorded.actor)

    async def _look(
        self, decider: Decider[S], stream: str, memory: _Memory[S] | None
    ) -> _Memory[S]:
        """Return what the store knows of ``stream`` now, reading only beyond ``memory``."""
        start = memory or _Memory(decider, decider.initial, 0, 0, set())
        recorded = await self.store.read_stream(stream, start.version)
        if not recorded:
            return start
        return self._advance(start, stream, recorded, map(self.codec.fact, recorded))

    def _advance(
        self,
        memory: _Memory[S],
        stream: str,
        recorded: Sequence[Recorded],
        facts: Iterable[AnyFact],
    ) -> _Memory[S]:
        state = memory.decider.fold(facts, memory.state)
        memory.causes.update(event.cause_id for event in recorded)
        last = recorded[-1]
        fresh = _Memory(memory.decider, state, last.version, last.position, memory.causes)
        old = self._memories.pop(stream, fresh)
        if self._remember:
            self._memories[stream] = old if old.version > fresh.version else fresh
            while len(self._memories) > self._remember:
                self._memories.popitem(last=False)
        return fresh

    def _recalled(self, decider: Decider[S], stream: str) -> _Memory[S] | None:
        memory = self._memories.get(stream)
        return memory if memory is not None and memory.decider is decider else None


def _decide(memory: _Memory[S], command: Command, cause: str, seen: int | None) -> Sequence[object]:
    """Return what is to be appended; nothing for a repeated cause or command.

    Raises what the decider raises, and StaleScreen.
    """
    if cause in memory.causes:
        return ()
    decided = memory.decider.decide(command, memory.state)
    if decided and seen is not None and seen != memory.version:
        raise StaleScreen
    return decided


def _was_recorded(batch: Batch, answer: Sequence[Recorded] | JejakError) -> bool:
    """Say whether a batch is a fact. Raises what is wrong with the store."""
    if isinstance(answer, WrongExpectedVersion | EventIdReused):
        return False
    if isinstance(answer, JejakError):
        raise answer
    # At another version the same cause did something else, from another state.
    return bool(answer) and answer[0].version == batch.expected + 1


def _count(answers: Iterable[Sequence[Recorded] | JejakError]) -> None:
    """Count what was recorded, once for all of a kind."""
    kinds = Counter(
        event.type for answer in answers if not isinstance(answer, JejakError) for event in answer
    )
    for kind, count in kinds.items():
        APPENDED.labels(BY_NAME[kind].service).inc(count)
