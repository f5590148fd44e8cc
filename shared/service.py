"""What a service is made of, so that one process or many can run it the same way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter

from shared.bus import Bus
from shared.codec import Codec
from shared.database import Database
from shared.handle import Handler
from shared.identity import Accounts
from shared.offices import Catalogue
from shared.projection import Projector
from shared.reactions import Reactor
from shared.settings import Settings
from shared.store import EventStore
from shared.web.pages import Pages
from shared.web.sse import LiveHub

Now = Callable[[], datetime]
Task = Callable[[], Awaitable[None]]
Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Kernel:
    """Everything a service is given. ``now`` is the only clock; ``secret(name)`` a kept secret."""

    settings: Settings
    store: EventStore
    bus: Bus
    codec: Codec
    handler: Handler
    catalogue: Catalogue
    accounts: Accounts
    pages: Pages
    hub: LiveHub
    now: Now
    uploads: Path
    secret: Callable[[str], str]


async def _no_timers() -> None:
    """Nothing is ever due in a service without timers."""


@dataclass(frozen=True)
class WorkerParts:
    """What the Faust worker runs over Kafka, and the service's own process otherwise.

    ``tasks`` run for ever; ``sweep`` is one round of the timers, which the worker's leader calls.
    ``stand_ins`` fold exactly, where there is no worker, what its own tables count.
    """

    projectors: Sequence[Projector] = ()
    tasks: Mapping[str, Task] = field(default_factory=dict)
    sweep: Callable[[], Awaitable[object]] = _no_timers
    stand_ins: Sequence[Projector] = ()


@dataclass(frozen=True)
class Service:
    """One service, built. ``projectors`` and ``reactors`` are run over the bus.

    ``tasks`` run for ever, by name. ``worker`` holds the parts that move to the Faust worker where
    there is one. ``checks`` raise when the service is not ready. ``commands`` maps a command's name
    to the sentence (a msgid) by which a refusal's page offers it.
    """

    name: str
    database: Database
    routers: Sequence[APIRouter] = ()
    projectors: Sequence[Projector] = ()
    reactors: Sequence[Reactor] = ()
    tasks: Mapping[str, Task] = field(default_factory=dict)
    worker: WorkerParts = field(default_factory=WorkerParts)
    checks: Mapping[str, Check] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)

    def folds(self, *, worker: bool) -> list[Projector]:
        """Return every read model of this service; ``worker`` says whether there is a worker."""
        stand_ins = () if worker else self.worker.stand_ins
        return [*self.projectors, *self.worker.projectors, *stand_ins]
