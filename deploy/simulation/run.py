"""Simulates one office from its first day to the last: builds the parts, lets time pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from deploy.catalogue import load_catalogue
from deploy.serve import Running
from deploy.simulation import besides, people, work
from deploy.simulation.arriving import arrivals
from deploy.simulation.engine import Clock
from deploy.simulation.errors import NothingToSimulate
from deploy.simulation.ledger import Ledger
from deploy.simulation.office import Bank, Desk
from deploy.simulation.officers import Officers
from deploy.simulation.permitting import journey
from deploy.simulation.world import Counts, Rules, World
from services.intake.catalogue import PublicCatalogue
from services.intake.reactions import Reactions as IntakeReactions
from services.intake.secrecy import Secrecy
from services.intake.uploads import Uploads
from services.payment.banks.dialects import AnyProfile
from services.payment.banks.profile import Banks
from services.payment.banks.recording import Recorder
from services.payment.interest import InterestRules
from services.payment.reactions import Reactions as PaymentReactions
from services.payment.treasury.reactions import SuspenseReactions
from services.payment.views import BillViews
from services.workflow.reactions import Reactions as WorkflowReactions
from services.workflow.sop import Sops
from services.workflow.status import Tracker
from services.workflow.views import Views
from shared.calendar import Calendars
from shared.contracts.workflow import PermitIssued
from shared.offices import Office

Told = Callable[[datetime], None]
# The first permit type of an office is the one that most people need.
_WEIGHTS: Final = (30, 24, 14, 10, 8, 6, 5)
_MONTH: Final = timedelta(days=365.25 / 12)


class Plan(NamedTuple):
    """What is to be simulated: ``rate`` applications on an average working day until ``until``."""

    office: str
    months: int
    rate: float
    seed: int
    until: datetime

    @property
    def since(self) -> datetime:
        """The instant at which it begins."""
        return self.until - self.months * _MONTH

    @property
    def name(self) -> str:
        """What is in every id that this simulation makes."""
        return f"{self.office}/{self.months}/{self.rate:g}/{self.seed}/{self.until.isoformat()}"


@dataclass(frozen=True)
class Simulated:
    """What was made, between the first day that anybody could apply and the last."""

    first: date
    counts: Counts
    events: int


async def simulate(running: Running, plan: Plan, base: int, told: Told) -> Simulated:
    """Simulate ``plan`` in the store of ``running``, whose log ended at ``base`` before it.

    Behind it may be what an interrupted run of the same plan left; it is gone on from.

    Raises NothingToSimulate, Foreign, and what the store raises.
    """
    kernel = running.kernel
    clock = Clock(plan.since)
    ledger = Ledger(kernel.store, base)
    rules = _rules(running, clock)
    office = rules.catalogue.office(plan.office, plan.until.date())
    mix = _mix(rules, office, plan.until.date()) if office is not None else ()
    if office is None or not mix:
        raise NothingToSimulate(office=plan.office, until=str(plan.until.date()))
    await people.keep_sheets(Uploads(kernel.uploads), _sections(rules, office))
    world = World(clock, ledger, kernel.codec, rules, plan.name)
    _connect(running, world)
    desk = _desks(running, world, office, mix, plan)
    first = _first_day(rules, office, plan)
    besides.listen(desk)
    besides.absences(desk, plan.name)
    dice = Random(plan.name)
    clock.spawn(arrivals(desk, mix, journey, first, dice), desk.calendar.midnight(first))
    await clock.run(plan.until, told)
    await ledger.flush()
    return Simulated(first, world.counts, ledger.recorded)


def _rules(running: Running, clock: Clock) -> Rules:
    # Read once more with the simulated clock: which version of an office counts depends on it.
    catalogue = load_catalogue(running.kernel.settings.config, clock.now)
    return Rules(catalogue, PublicCatalogue(catalogue), Sops(catalogue), Calendars(catalogue))


def _first_day(rules: Rules, office: Office, plan: Plan) -> date:
    """Return the day of ``since``, or the first one on which anything can be applied for."""
    begins = plan.since.astimezone(ZoneInfo(office.zone)).date()
    effective = [k.effective for k in rules.catalogue.types.values() if k.id in office.permit_types]
    return max(begins, min(effective))


def _mix(rules: Rules, office: Office, on: date) -> tuple[tuple[str, float], ...]:
    """Return the permit types that an office gives, with their weights."""
    offered = [one for one in office.permit_types if rules.catalogue.current(one, on) is not None]
    weights = (*_WEIGHTS, *[_WEIGHTS[-1]] * len(offered))
    sops = [_sop(rules, office, one, on) for one in offered]
    return tuple(
        (one, weight)
        for one, weight, sop in zip(offered, weights, sops, strict=False)
        if not sop.foreign
    )


def _sop(rules: Rules, office: Office, permit_type: str, on: date) -> Any:
    kind = rules.catalogue.current(permit_type, on)
    return rules.sops.of(office.id, permit_type, kind.version if kind else 0)


def _sections(rules: Rules, office: Office) -> list[Any]:
    kinds = rules.catalogue.types.values()
    return [rules.public.section(k.id, k.version) for k in kinds if k.id in office.permit_types]


def _connect(running: Running, world: World) -> None:
    """Let the services' own reactions hear what happens.

    A permit is not renewed here, so what workflow does about an issued one is left out: it would
    read every stream once more to find nothing.
    """
    kernel, rules, clock = running.kernel, world.rules, world.clock
    workflow = WorkflowReactions(
        world.handler,
        rules.sops,
        Tracker(world.ledger, kernel.codec, rules.sops, rules.calendars),
        Views(running.databases["workflow"], rules.sops, rules.calendars, clock.now),
    ).table()
    banks = Banks.load(kernel.settings.config / "banks")
    world.reactions = [
        IntakeReactions(world.handler).table(),
        {kind: reaction for kind, reaction in workflow.items() if kind is not PermitIssued},
        PaymentReactions(world.handler, rules.catalogue, banks, clock.now).table(),
        SuspenseReactions(world.handler, clock.now).table(),
    ]


def _desks(
    running: Running, world: World, office: Office, mix: tuple[tuple[str, float], ...], plan: Plan
) -> Desk:
    """Return the desk of the office; those of the levels around it are among its others."""
    kernel, catalogue = running.kernel, world.rules.catalogue
    banks = Banks.load(kernel.settings.config / "banks")
    views = BillViews(running.databases["payment"])
    recorder = Recorder(world.handler, views, catalogue, world.clock.now)
    interest = InterestRules.load(kernel.settings.config / "interest.yaml")
    secrecy = Secrecy(kernel.secret("tracking"), kernel.secret("receipt"))
    others: dict[str, Desk] = {}
    around = [office, *catalogue.above(office.id), *catalogue.below(office.id)]
    for place in around:
        calendar = world.rules.calendars.of(place.id)
        dice = Random(f"{plan.name}/{place.id}/officers")
        load = _load(world.rules, place, mix, plan)
        others[place.id] = Desk(
            world,
            place,
            calendar,
            Officers(place, calendar, kernel.accounts, load, dice),
            Bank(recorder, interest, _partner(banks, place)),
            secrecy,
            plan.rate,
            others,
        )
    return others[office.id]


def _partner(banks: Banks, office: Office) -> AnyProfile | None:
    found = banks.of_office(office.id)
    return banks.by_id[found.id] if found is not None else None


def _load(
    rules: Rules, office: Office, mix: tuple[tuple[str, float], ...], plan: Plan
) -> Mapping[Any, float]:
    """Return the minutes of work a day at an office's posts, if all files came to it."""
    given = [(one, weight) for one, weight in mix if one in office.permit_types]
    whole = sum(weight for _, weight in mix)
    sops = [_sop(rules, office, one, plan.until.date()) for one, _ in given]
    return work.daily_minutes(sops, [weight / whole for _, weight in given], plan.rate)


def utc_now() -> datetime:
    """Return the present instant, in whole seconds: it is written on the command line."""
    return datetime.now(UTC).replace(microsecond=0)
