"""What every simulated process shares: the clock, the way to a fact, and how everything stands.

A command goes through the same handler as live. What it brought about is heard at the same instant
by the services' own reactions, and by the timers: no simulated message is ever late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from deploy.simulation.engine import Clock
from deploy.simulation.ledger import Ledger
from services.intake import application as intake
from services.intake.catalogue import PublicCatalogue
from services.intake.states import State as ApplicationState
from services.payment.bill import DECIDER as BILL
from services.payment.bill import Bill
from services.workflow import alarms as alarm
from services.workflow import permit
from services.workflow.commands import Command as PermitCommand
from services.workflow.commands import NudgePermit
from services.workflow.deadlines import next_instant
from services.workflow.sop import Sop, Sops
from services.workflow.states import NotOpened, Opened
from services.workflow.states import State as PermitState
from shared.actors import system
from shared.calendar import Calendars
from shared.codec import Codec
from shared.decider import Command, Decider
from shared.events import AnyFact, Recorded, from_micros, to_micros
from shared.handle import Handler
from shared.ids import derived_id
from shared.offices import Catalogue
from shared.reactions import Reaction

S = TypeVar("S")
Hearing = Callable[[Any], None]
_WORKFLOW = system("workflow")


@dataclass(frozen=True)
class Rules:
    """What decisions need: the offices' data, prepared."""

    catalogue: Catalogue
    public: PublicCatalogue
    sops: Sops
    calendars: Calendars


@dataclass
class Counts:
    """What was made: applications by permit type and by channel, events by type."""

    types: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)


class World:
    """One simulation as it stands at the simulated instant."""

    def __init__(self, clock: Clock, ledger: Ledger, codec: Codec, rules: Rules, seed: str) -> None:
        """Decide over ``ledger``; ``seed`` names this simulation in every id that it makes."""
        self.clock = clock
        self.ledger = ledger
        self.rules = rules
        self.seed = seed
        self.handler = Handler(ledger, codec, remember=16_384)
        self.counts = Counts()
        self.applications: dict[str, ApplicationState] = {}
        self.permits: dict[str, PermitState] = {}
        self.bills: dict[str, Bill] = {}
        self.reactions: list[Mapping[type[Any], Reaction]] = []
        self.hearing: dict[type[Any], Hearing] = {}
        self._codec = codec
        self._due: dict[str, int] = {}

    @property
    def now(self) -> datetime:
        """The simulated instant."""
        return self.clock.now()

    async def give(
        self, decider: Decider[S], stream: str, command: Command, application: str, *why: str | int
    ) -> S:
        """Give a command and let everybody hear what came of it; ``why`` tells causes apart.

        Raises the decider's refusals.
        """
        cause = derived_id("simulation", self.seed, stream, type(command).__name__, *why)
        outcome = await self.handler.handle(
            decider, stream, command, cause=cause, application=application
        )
        await self.hear()
        return outcome.state

    async def give_permit(self, application: str, command: PermitCommand, why: str = "") -> None:
        """Give a command to a permit; ``why`` as in ``give``. Raises its refusals."""
        at = to_micros(self.now)
        await self.give(permit.DECIDER, permit.stream(application), command, application, at, why)

    def permit(self, application: str) -> Opened:
        """Return an opened permit. Raises KeyError."""
        state = self.permits[application]
        if isinstance(state, NotOpened):
            raise KeyError(application)
        return state

    def sop(self, application: str) -> Sop:
        """Return the procedure that a permit keeps."""
        opened = self.permit(application).file.opened
        return self.rules.sops.of(opened.office, opened.permit_type, opened.permit_version)

    async def hear(self) -> None:
        """Let reactions, timers and listeners hear everything that is new, in order."""
        touched: set[str] = set()
        fresh = self.ledger.fresh
        while fresh:
            recorded = fresh.popleft()
            fact = self._codec.fact(recorded)
            self.counts.events[recorded.type] += 1
            if self._fold(recorded, fact):
                touched.add(recorded.correlation_id)
            kind = type(fact.event)
            for table in self.reactions:
                if kind in table:
                    await table[kind](fact.event, recorded)
            if kind in self.hearing:
                self.hearing[kind](fact.event)
        for application in sorted(touched):
            self._set_alarm(application)

    def _fold(self, recorded: Recorded, fact: AnyFact) -> bool:
        """Keep how everything stands; say whether a permit's clock may have changed."""
        prefix, key = recorded.stream.split("-", 1)[0], recorded.correlation_id
        if prefix == "application":
            state = self.applications.get(key, intake.DECIDER.initial)
            self.applications[key] = intake.DECIDER.evolve(state, fact)
        elif prefix == "bill":
            self.bills[key] = BILL.evolve(self.bills.get(key, BILL.initial), fact)
        elif prefix == "permit":
            known = self.permits.get(key, permit.DECIDER.initial)
            self.permits[key] = permit.DECIDER.evolve(known, fact)
            return True
        return False

    def forget(self, application: str) -> None:
        """Let go of a file that nothing more happens to but by its timers."""
        self.applications.pop(application, None)
        self.bills.pop(application, None)

    def _set_alarm(self, application: str) -> None:
        held = alarm.of(self.permits[application])
        if held is None:
            return
        office = held.office
        ladder = self.rules.sops.ladder(office)
        calendar = self.rules.calendars.of(office)
        at = next_instant(held, self.sop(application), calendar, ladder, to_micros(self.now))
        if at is None:
            self._due.pop(application, None)
        elif self._due.get(application) != at:
            self._due[application] = at
            self.clock.call(lambda: self._ring(application, at), from_micros(at))

    async def _ring(self, application: str, at: int) -> None:
        """Nudge a permit at the very instant that its clock calls for it.

        The cause is that of the live sweep, so that it finds nothing left to do.
        """
        if self._due.get(application) == at:
            del self._due[application]
            await self._nudge(application, at)

    async def _nudge(self, application: str, at: int) -> None:
        file = self.permit(application).file
        office = file.opened.office
        command = NudgePermit(
            now=self.now,
            by=_WORKFLOW,
            sop=self.sop(application),
            calendar=self.rules.calendars.of(office),
            ladder=self.rules.sops.ladder(office),
        )
        await self.handler.handle(
            permit.DECIDER,
            permit.stream(application),
            command,
            cause=derived_id("timer", application, file.stage, at),
            application=application,
        )
        await self.hear()
