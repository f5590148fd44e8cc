"""The embedded bus: subscribers tail the store by position.

One reader follows the store for everybody and keeps the newest events in a bounded window. Each
subscription has a position of its own: one that keeps up takes slices of the window, one that is
slow or starts from the past reads the store itself. Nothing is queued for anybody.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from shared.bus.protocol import Delivery
from shared.database import Database, Transaction
from shared.errors import Defect, Unavailable
from shared.events import Recorded
from shared.store import EventStore
from shared.telemetry import log
from shared.topics import belongs_to

SOURCE: Final = "store"
BATCH: Final = 2000
WINDOW: Final = 10_000
_LONGEST_WAIT: Final = 5.0
# How soon a group gets the next batch after a small one. Each batch is a transaction: a group that
# woke at every commit would take the processor from those who wait for the commits. The first
# event after a quiet moment is handed out at once.
PACE: Final = 0.025
_SMALL: Final = 200
_POSITION = attrgetter("position")

_TABLE = """
CREATE TABLE IF NOT EXISTS bus_checkpoints (
    consumer TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL, last_event BIGINT NOT NULL
)
"""
_SAVE = (
    "INSERT INTO bus_checkpoints (consumer, position, last_event) VALUES (?, ?, ?) "
    "ON CONFLICT (consumer) DO UPDATE SET "
    "position = excluded.position, last_event = excluded.last_event"
)


class GroupTaken(Defect):
    """A group has one member in the embedded mode."""

    code = "group-taken"
    text = "Group {group} is subscribed already in this process."


class _Tail:
    """The newest events of the store: everything after ``base`` up to ``head``."""

    def __init__(self, store: EventStore, window: int) -> None:
        self._store = store
        self._window = window
        self._events: list[Recorded] = []
        self._changed = asyncio.Event()
        self._closed = False
        self.base = self.head = -1

    async def run(self) -> None:
        """Follow the store for ever; a store that fails is asked again, ever more patiently."""
        wait = 0.05
        while True:
            try:
                if self.head < 0:
                    self.base = self.head = await self._store.head()
                    self._tell()
                async for batch in self._store.follow(self.head, BATCH):
                    self._extend(batch)
                    wait = 0.05
            except Unavailable as error:
                log.warning("bus_tail_waits", reason=error.code)
            except Exception:  # noqa: BLE001 - without the tail every consumer would stand still
                log.exception("bus_tail_failed")
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def after(self, position: int) -> Sequence[Recorded]:
        """Return the next events above ``position``, waiting for some; none once closed."""
        while not self._closed:
            # Taken before looking, so that no append falls between looking and waiting.
            changed = self._changed
            if 0 <= self.base <= position:
                start = bisect_right(self._events, position, key=_POSITION)
                events: Sequence[Recorded] = self._events[start : start + BATCH]
            else:
                events = await self._store.read_all(position, BATCH)
            if events:
                return events
            await changed.wait()
        return ()

    async def present(self) -> int:
        """Return the position after which an event is new."""
        return self.head if self.head >= 0 else await self._store.head()

    def close(self) -> None:
        """Let everyone who waits go."""
        self._closed = True
        self._tell()

    def _extend(self, batch: Sequence[Recorded]) -> None:
        self._events.extend(batch)
        self.head = batch[-1].position
        if len(self._events) > 2 * self._window:
            cut = len(self._events) - self._window
            self.base = self._events[cut - 1].position
            del self._events[:cut]
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class _Place(NamedTuple):
    """How far a group is: the log is dealt with up to ``position``; ``last`` was its last event."""

    position: int
    last: int


class LocalSubscription:
    """One group's way through the log. See ``shared.bus.Subscription``."""

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        tail: _Tail,
        place: _Place,
        leave: Callable[[str], Awaitable[None]],
    ) -> None:
        """Go on after ``place``; ``leave`` is awaited when it is over."""
        self.group = group
        self.place = place
        self._wanted = belongs_to(topics)
        self._tail = tail
        self._leave = leave
        # Up to where the log was looked through, and the last event handed out.
        self._seen = place
        # When the next small batch may be handed out, by the loop's clock.
        self._ready = 0.0

    async def batches(self) -> AsyncIterator[list[Delivery]]:
        """See ``Subscription.batches``; ends when the bus is closed."""
        while events := await self._next():
            wanted = [recorded for recorded in events if self._wanted(recorded.stream)]
            settled = self._seen == self.place
            last = wanted[-1].position if wanted else self._seen.last
            self._seen = _Place(events[-1].position, last)
            if wanted:
                yield [Delivery(SOURCE, wanted)]
            elif settled:
                # Everything handed out was dealt with, so what nobody asked for is too.
                self.place = self._seen

    async def _next(self) -> Sequence[Recorded]:
        """Return what follows, at the pace of a group; nothing once the bus is closed."""
        loop = asyncio.get_running_loop()
        events = await self._tail.after(self._seen.position)
        wait = self._ready - loop.time()
        if wait > 0 and len(events) < _SMALL:
            await asyncio.sleep(wait)
            events = await self._tail.after(self._seen.position)
        self._ready = loop.time() + PACE
        return events

    async def commit(self) -> None:
        """See ``Subscription.commit``; durable within the bus's flush interval, or at close."""
        self.place = self._seen

    async def rewind(self, held: Mapping[str, int] | None = None) -> None:
        """See ``Subscription.rewind``."""
        position = (held or {}).get(SOURCE, 0)
        # Nothing relevant is between the last event handed out and where the group stands.
        caught_up = position > 0 and position >= self.place.last
        start = max(position, self.place.position) if caught_up else position
        self.place = self._seen = _Place(start, position)

    async def close(self) -> None:
        """See ``Subscription.close``."""
        await self._leave(self.group)


class LocalBus:
    """The bus of one process over ``store``, with a checkpoint per group in ``database``.

    Checkpoints of all groups are written together, at most every ``flush_seconds``: after a crash
    what was committed since is delivered again.
    """

    def __init__(
        self,
        store: EventStore,
        database: Database,
        *,
        window: int = WINDOW,
        flush_seconds: float = 1.0,
    ) -> None:
        """Tail ``store``; up to twice ``window`` events are kept in memory."""
        self._database = database
        self._flush_seconds = flush_seconds
        self._tail = _Tail(store, window)
        self._groups: dict[str, LocalSubscription] = {}
        self._taken: set[str] = set()
        self._saved: dict[str, _Place] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def subscribe(self, group: str, topics: Sequence[str]) -> LocalSubscription:
        """See ``Bus.subscribe``. Raises GroupTaken: here a group has one member."""
        if group in self._taken:
            raise GroupTaken(group=group)
        self._taken.add(group)
        try:
            place = await self._database.transaction(lambda tx: _load(tx, group))
        except BaseException:
            self._taken.discard(group)
            raise
        self._start()
        subscription = LocalSubscription(group, topics, self._tail, place, self._leave)
        self._groups[group], self._saved[group] = subscription, place
        return subscription

    def live(self, topics: Sequence[str]) -> AsyncIterator[Recorded]:
        """See ``Bus.live``; ends when the bus is closed."""
        self._start()
        return self._live(topics, self._tail.head)

    async def close(self) -> None:
        """Write the checkpoints, end every subscription."""
        self._tail.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._flush()

    async def _live(self, topics: Sequence[str], head: int) -> AsyncIterator[Recorded]:
        wanted = belongs_to(topics)
        position = head if head >= 0 else await self._tail.present()
        while events := await self._tail.after(position):
            position = events[-1].position
            for recorded in events:
                if wanted(recorded.stream):
                    yield recorded

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._tail.run(), name="bus-tail"),
                asyncio.create_task(self._keep_flushing(), name="bus-checkpoints"),
            ]

    async def _leave(self, group: str) -> None:
        try:
            await self._flush()
        finally:
            self._groups.pop(group, None)
            self._taken.discard(group)

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(self._flush_seconds)
            try:
                await self._flush()
            except Unavailable as error:
                log.warning("bus_checkpoint_waits", reason=error.code)

    async def _flush(self) -> None:
        places = {group: member.place for group, member in self._groups.items()}
        moved = [(group, *at) for group, at in places.items() if at != self._saved.get(group)]
        if moved:
            await self._database.transaction(lambda tx: tx.executemany(_SAVE, moved))
            self._saved.update(places)


def _load(tx: Transaction, group: str) -> _Place:
    tx.execute(_TABLE)
    rows = tx.execute(
        "SELECT position, last_event FROM bus_checkpoints WHERE consumer = ?", (group,)
    )
    return _Place(*rows[0]) if rows else _Place(0, 0)
