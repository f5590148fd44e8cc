"""From a command to a fact: repeats, conflicts, stale screens, and outdated memories."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from shared.actors import APPLICANT, Actor
from shared.codec import Codec
from shared.contracts.workflow import PermitWithdrawn, StageCompleted, StageStarted
from shared.decider import Decider
from shared.errors import EventIdReused, Refused, StaleScreen, Unavailable
from shared.events import Fact, NewEvent, Recorded
from shared.handle import Handler, Outcome
from shared.ids import new_id
from shared.store import ANY, Batch
from shared.store.sqlite import SqliteStore
from tests.spec import START
from tests.unit.test_codec import Reversed

STREAM = "permit-1"
Stages = tuple[str, ...]


@dataclass(frozen=True)
class Start:
    """Start a stage; at most three may be open, and nothing after a withdrawal."""

    stage: str
    now: datetime = START
    by: Actor = APPLICANT


@dataclass(frozen=True)
class StartAndFinish(Start):
    """Start a stage and finish it at once, when no other is open."""


@dataclass(frozen=True)
class Withdraw:
    now: datetime = START
    by: Actor = APPLICANT


class TooManyStages(Refused):
    """Three stages are open."""


def decide(command: Start | Withdraw, open_stages: Stages) -> Sequence[object]:
    if isinstance(command, Withdraw):
        return [] if "withdrawn" in open_stages else [PermitWithdrawn(application_id="1")]
    if command.stage in open_stages:
        return []
    if len(open_stages) >= 3 or "withdrawn" in open_stages:
        raise TooManyStages(allowed=("Withdraw",))
    started = StageStarted(application_id="1", stage=command.stage, role="verifier")
    if isinstance(command, StartAndFinish) and not open_stages:
        return [started, StageCompleted(application_id="1", stage=command.stage)]
    return [started]


def evolve(open_stages: Stages, fact: Fact[object]) -> Stages:
    match fact.event:
        case StageStarted(stage=stage):
            return (*open_stages, stage)
        case StageCompleted(stage=stage):
            return tuple(one for one in open_stages if one != stage)
        case PermitWithdrawn():
            return (*open_stages, "withdrawn")
    return open_stages


DECIDER: Decider[Stages] = Decider((), decide, evolve)


class CountingStore(SqliteStore):
    """Counts what is asked of it."""

    reads = 0
    appends = 0

    async def read_stream(self, stream: str, after: int = 0) -> list[Recorded]:
        self.reads += 1
        return await super().read_stream(stream, after)

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        self.appends += 1
        return await super().append(stream, events, expected)


class RivalStore(CountingStore):
    """Somebody else is always faster, ``rounds`` times."""

    rounds = 0

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        if self.rounds:
            self.rounds -= 1
            rival = events[0]._replace(event_id=new_id(), cause_id=new_id())
            await super().append(stream, [rival._replace(data=_stage(f"r{self.rounds}"))])
        return await super().append(stream, events, expected)


def _stage(name: str) -> bytes:
    return b'{"application_id":"1","stage":"%s","role":"verifier","assignee":""}' % name.encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[RivalStore]:
    opened = RivalStore(file)
    yield opened
    await opened.close()


@pytest.fixture
async def theirs(file: Path) -> AsyncIterator[Handler]:
    """Another process's handler on the same log."""
    opened = SqliteStore(file)
    yield Handler(opened, Codec())
    await opened.close()


@pytest.fixture
def ours(store: RivalStore) -> Handler:
    return Handler(store, Codec())


async def give(
    handler: Handler, command: Start | Withdraw, cause: str = "", seen: int | None = None
) -> Outcome[Stages]:
    """Give ``command`` to the permit."""
    return await handler.handle(
        DECIDER, STREAM, command, cause=cause or new_id(), application="1", seen=seen
    )


async def test_a_command_becomes_facts(ours: Handler) -> None:
    outcome = await give(ours, Start("verify"), cause="c1")
    assert outcome.state == ("verify",)
    assert (outcome.version, outcome.position) == (1, 1)
    assert [event.cause_id for event in outcome.events] == ["c1"]
    loaded = await ours.load(DECIDER, STREAM)
    assert (loaded.state, loaded.version, loaded.position) == (("verify",), 1, 1)
    assert loaded.events == outcome.events


async def test_loading_what_does_not_exist_gives_the_initial_state(ours: Handler) -> None:
    loaded = await ours.load(DECIDER, STREAM)
    assert (loaded.state, loaded.version, loaded.position, loaded.events) == ((), 0, 0, [])


async def test_a_repeated_cause_decides_nothing_even_if_the_state_moved_on(
    ours: Handler, theirs: Handler
) -> None:
    await give(ours, StartAndFinish("verify"), cause="c1")
    for handler in (ours, theirs):
        outcome = await give(handler, StartAndFinish("verify"), cause="c1")
        assert (outcome.events, outcome.version) == ((), 2)
    await give(theirs, Start("survey"))
    outcome = await give(ours, StartAndFinish("verify"), cause="c1")
    assert (outcome.events, outcome.version, outcome.state) == ((), 3, ("survey",))


async def test_a_repeated_command_with_another_cause_decides_nothing(ours: Handler) -> None:
    await give(ours, Start("verify"))
    outcome = await give(ours, Start("verify"))
    assert (outcome.events, outcome.version) == ((), 1)


async def test_the_same_cause_given_twice_at_once_happens_once(
    ours: Handler, theirs: Handler
) -> None:
    outcomes = await asyncio.gather(
        *(give(handler, Start("verify"), cause="c1") for handler in (ours, theirs) * 4)
    )
    assert {outcome.version for outcome in outcomes} == {1}
    assert (await ours.load(DECIDER, STREAM)).version == 1


async def test_a_refusal_changes_nothing(ours: Handler) -> None:
    for stage in ("a", "b", "c"):
        await give(ours, Start(stage))
    with pytest.raises(TooManyStages) as refusal:
        await give(ours, Start("d"))
    assert refusal.value.allowed == ("Withdraw",)
    assert (await ours.load(DECIDER, STREAM)).version == 3


async def test_a_lost_race_is_decided_again(ours: Handler, store: RivalStore) -> None:
    store.rounds = 2
    outcome = await give(ours, Start("verify"))
    assert outcome.state == ("r1", "r0", "verify")
    assert outcome.version == 3


async def test_after_a_lost_race_the_decision_may_be_another(
    ours: Handler, store: RivalStore
) -> None:
    store.rounds = 3
    with pytest.raises(TooManyStages):
        await give(ours, Start("verify"))


async def test_who_loses_every_race_is_told_to_come_back(ours: Handler, store: RivalStore) -> None:
    await give(ours, Withdraw(), cause="first")
    lenient: Decider[Stages] = Decider(
        (),
        lambda command, state: [StageStarted(application_id="1", stage="x", role="verifier")],
        evolve,
    )
    store.rounds = 100
    with pytest.raises(Unavailable):
        await ours.handle(lenient, STREAM, Start("x"), cause="c1", application="1")
    assert store.rounds > 80


async def test_a_stale_screen_is_told_so(ours: Handler, theirs: Handler) -> None:
    await give(ours, Start("a"))
    await give(theirs, Start("b"))
    with pytest.raises(StaleScreen):
        await give(ours, Start("c"), seen=1)
    with pytest.raises(StaleScreen):
        await give(theirs, Start("c"), seen=1)
    assert (await give(ours, Start("c"), seen=2)).version == 3


async def test_a_repeat_from_a_stale_screen_is_still_a_repeat(ours: Handler) -> None:
    await give(ours, Start("a"), cause="c1")
    await give(ours, Start("b"))
    assert (await give(ours, Start("a"), cause="c1", seen=0)).version == 2
    assert (await give(ours, Start("a"), seen=0)).events == ()


async def test_nothing_to_do_is_never_said_from_an_old_memory(
    ours: Handler, theirs: Handler
) -> None:
    await give(ours, Start("a"))
    await theirs.handle(FINISHER, STREAM, Start("a"), cause="t1", application="1")
    # In our memory the stage is still open, and starting it would be a repeat.
    outcome = await give(ours, Start("a"))
    assert (outcome.version, outcome.state) == (3, ("a",))


async def test_a_refusal_is_never_said_from_an_old_memory(ours: Handler, theirs: Handler) -> None:
    for stage in ("a", "b", "c"):
        await give(ours, Start(stage))
    await theirs.handle(FINISHER, STREAM, Start("b"), cause="t1", application="1")
    outcome = await give(ours, Start("d"))
    assert (outcome.version, outcome.state) == (5, ("a", "c", "d"))


async def test_a_stale_screen_is_never_said_from_an_old_memory(
    ours: Handler, theirs: Handler
) -> None:
    await give(ours, Start("a"))
    await give(theirs, Start("b"))
    assert (await give(ours, Start("c"), seen=2)).version == 3


async def test_a_cause_that_another_process_dealt_with_is_a_repeat_despite_an_old_memory(
    ours: Handler, theirs: Handler
) -> None:
    await give(ours, StartAndFinish("a"), cause="c1")
    await give(theirs, Start("b"), cause="c2")
    # From memory, nothing is open and c2 would bring about two events; the store has one of them.
    outcome = await give(ours, StartAndFinish("b"), cause="c2")
    assert (outcome.events, outcome.version, outcome.state) == ((), 3, ("b",))


async def test_an_id_that_somebody_else_used_is_a_defect(ours: Handler, store: RivalStore) -> None:
    new = ours.codec.encode(
        [StageStarted(application_id="1", stage="x", role="r")] * 1, STREAM, Start("x"), "c1", "1"
    )
    await store.append(STREAM, [new[0]._replace(cause_id="another")])
    finisher: Decider[Stages] = Decider(
        (),
        lambda command, state: [
            StageStarted(application_id="1", stage="y", role="r"),
            StageStarted(application_id="1", stage="z", role="r"),
        ],
        evolve,
    )
    with pytest.raises(EventIdReused):
        await ours.handle(finisher, STREAM, Start("x"), cause="c1", application="1")


async def test_the_hot_path_asks_the_store_for_nothing_but_the_append(
    ours: Handler, store: RivalStore
) -> None:
    await give(ours, Start("a"))
    store.reads = store.appends = 0
    await give(ours, Start("b"))
    await give(ours, Start("c"))
    assert (store.reads, store.appends) == (0, 2)


async def test_without_memory_or_behind_a_guard_every_command_reads(store: RivalStore) -> None:
    for handler in (Handler(store, Codec(), remember=0), Handler(store, Codec(Reversed()))):
        await give(handler, Withdraw())
        store.reads = 0
        await give(handler, Withdraw())
        assert store.reads == 1


async def test_memory_is_bounded_and_forgetting_costs_only_a_read(store: RivalStore) -> None:
    handler = Handler(store, Codec(), remember=2)
    for number in range(5):
        await handler.handle(
            DECIDER, f"permit-{number}", Start("a"), cause=f"c{number}", application="1"
        )
    store.reads = 0
    for number in range(5):
        outcome = await handler.handle(
            DECIDER, f"permit-{number}", Start("b"), cause=f"d{number}", application="1"
        )
        assert outcome.state == ("a", "b")
    assert store.reads >= 3


async def test_many_commands_on_one_permit_at_once_all_happen(store: RivalStore) -> None:
    handler = Handler(store, Codec())
    counter: Decider[int] = Decider(
        0,
        lambda command, n: [StageStarted(application_id="1", stage=str(n), role="r")],
        lambda n, fact: n + 1,
    )

    async def one(number: int) -> int:
        for _ in range(20):
            try:
                outcome = await handler.handle(
                    counter, STREAM, Start("x"), cause=f"c{number}", application="1"
                )
            except Unavailable:
                continue
            return outcome.version
        raise AssertionError("never got through")

    assert sorted(await asyncio.gather(*map(one, range(12)))) == list(range(1, 13))
    loaded = await handler.load(counter, STREAM)
    assert (loaded.state, loaded.version) == (12, 12)


def _finish(command: Start, open_stages: Stages) -> Sequence[object]:
    return [StageCompleted(application_id="1", stage=command.stage)]


FINISHER: Decider[Stages] = Decider((), _finish, evolve)


def batch(stream: str, version: int, stage: str, cause: str = "") -> Batch:
    started = StageStarted(application_id="1", stage=stage, role="verifier")
    events = Codec().encode([started], stream, Start(stage=stage), cause or new_id(), "1")
    return Batch(stream, events, version)


async def test_what_was_decided_from_rows_is_put_only_where_the_stream_did_not_move_on(
    store: RivalStore,
) -> None:
    handler = Handler(store, Codec())
    await handler.handle(DECIDER, "permit-1", Start(stage="a"), cause=new_id(), application="1")
    reads = store.reads
    cause = new_id()
    outdated, current = batch("permit-1", 0, "b"), batch("permit-1", 1, "b", cause)
    assert await handler.put_many([outdated, current, batch("permit-2", 0, "a")]) == [
        False,
        True,
        True,
    ]
    assert store.reads == reads
    # The same cause again, from the same row and through the command.
    assert await handler.put_many([current]) == [True]
    assert len(await store.read_stream("permit-1")) == 2
    again = await handler.handle(
        DECIDER, "permit-1", Start(stage="c"), cause=cause, application="1"
    )
    assert again.state == ("a", "b")
    assert len(await store.read_stream("permit-1")) == 2
    await store.close()
    with pytest.raises(Unavailable):
        await handler.put_many([current])
