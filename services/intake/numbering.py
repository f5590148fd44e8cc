"""Registration numbers such as ``BGR-2026-000123``: never given twice, hardly a gap.

Numbers of an office are set aside on its own stream ``office-{office}``, at its expected version,
so that two processes can't take the same ones. Whoever waits at the same time shares one append:
under load it costs a fraction of a commit per application. A gap remains only where a process died,
or an applicant's request was cut off, between the reservation and the submission.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.actors import Actor, system
from shared.codec import Codec
from shared.contracts.intake import RegistrationNumbersReserved
from shared.decider import Decider
from shared.errors import Unavailable, WrongExpectedVersion
from shared.events import AnyFact
from shared.ids import new_id
from shared.offices import Office
from shared.store.protocol import EventStore

_BY = system("intake")
# Each round is lost only to another process that won it, so even many processes get through.
_ROUNDS = 50

Last = Mapping[int, int]
"""The last number set aside, by year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveNumbers:
    """Set ``counts`` numbers aside, by year."""

    now: datetime
    by: Actor
    office: str
    counts: Mapping[int, int]


def decide(command: ReserveNumbers, last: Last) -> Sequence[RegistrationNumbersReserved]:
    """Return one reservation per year, each beginning after the last number of that year."""
    return [
        RegistrationNumbersReserved(
            office=command.office, year=year, first=last.get(year, 0) + 1, count=count
        )
        for year, count in sorted(command.counts.items())
    ]


def evolve(last: Last, fact: AnyFact) -> Last:
    """Return the last numbers after ``fact``."""
    if not isinstance(fact.event, RegistrationNumbersReserved):
        return last
    event = fact.event
    return {**last, event.year: event.first + event.count - 1}


OFFICE_NUMBERS: Decider[Last] = Decider({}, decide, evolve)


def format_number(code: str, year: int, number: int) -> str:
    """Return the number as people read it: office code, year, six digits."""
    return f"{code}-{year}-{number:06d}"


@dataclass(frozen=True, slots=True)
class _Waiting:
    year: int
    now: datetime
    given: asyncio.Future[int]


class _Queue:
    """Those who wait for a number of one office, and what is known of its stream.

    What is known is kept between reservations and proven by the expected version; only what other
    processes added since is read.
    """

    def __init__(self, office: str, store: EventStore, codec: Codec) -> None:
        self._office = office
        self._stream = f"office-{office}"
        self._store = store
        self._codec = codec
        self._waiting: list[_Waiting] = []
        self._serving: asyncio.Task[None] | None = None
        self._last: Last = OFFICE_NUMBERS.initial
        self._version = 0
        self._loaded = False

    async def take(self, year: int, now: datetime) -> int:
        """Return the next number of ``year``."""
        waiting = _Waiting(year, now, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        return await waiting.given

    async def _serve(self) -> None:
        """Serve whoever waits, one group after the other, until nobody does."""
        try:
            while group := [w for w in self._waiting if not w.given.done()]:
                self._waiting = []
                await self._serve_group(group)
        finally:
            self._serving = None

    async def _serve_group(self, group: Sequence[_Waiting]) -> None:
        try:
            counts = Counter(waiting.year for waiting in group)
            reserved = await self._reserve(counts, group[-1].now)
        except Exception as error:  # noqa: BLE001 - nobody may be left waiting, whatever it is
            for waiting in group:
                if not waiting.given.done():
                    waiting.given.set_exception(error)
            return
        numbers = {
            event.year: iter(range(event.first, event.first + event.count)) for event in reserved
        }
        for waiting in group:
            number = next(numbers[waiting.year])
            # Who left meanwhile leaves a gap, which is better than a number given twice.
            if not waiting.given.done():
                waiting.given.set_result(number)

    async def _reserve(
        self, counts: Mapping[int, int], now: datetime
    ) -> Sequence[RegistrationNumbersReserved]:
        command = ReserveNumbers(now=now, by=_BY, office=self._office, counts=counts)
        for _ in range(_ROUNDS):
            if not self._loaded:
                await self._catch_up()
            reserved = decide(command, self._last)
            new = self._codec.encode(reserved, self._stream, command, new_id(), self._stream)
            self._loaded = False
            try:
                recorded = await self._store.append(self._stream, new, self._version)
            except WrongExpectedVersion:
                continue
            self._last = OFFICE_NUMBERS.fold(map(self._codec.fact, recorded), self._last)
            self._version = recorded[-1].version
            self._loaded = True
            return reserved
        raise Unavailable

    async def _catch_up(self) -> None:
        new = await self._store.read_stream(self._stream, self._version)
        self._last = OFFICE_NUMBERS.fold(map(self._codec.fact, new), self._last)
        if new:
            self._version = new[-1].version
        self._loaded = True


class Numbers:
    """Gives registration numbers. One per process is enough; several processes may give."""

    def __init__(self, store: EventStore, codec: Codec) -> None:
        """Reserve on the office streams of ``store``."""
        self._store = store
        self._codec = codec
        self._queues: dict[str, _Queue] = {}

    async def next(self, office: Office, now: datetime) -> str:
        """Return a number nobody else gets, in the year that ``now`` is in at the office.

        Raises StoreFull or Unavailable; then no number was given.
        """
        queue = self._queues.get(office.id)
        if queue is None:
            queue = self._queues[office.id] = _Queue(office.id, self._store, self._codec)
        year = now.astimezone(ZoneInfo(office.zone)).year
        return format_number(office.code, year, await queue.take(year, now))
