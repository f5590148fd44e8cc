"""One simulated office: what its people share besides the world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from deploy.simulation.officers import Officers, Post
from deploy.simulation.world import World
from services.intake.catalogue import IntakeSection
from services.intake.secrecy import Secrecy
from services.intake.states import held
from services.payment.banks.dialects import AnyProfile
from services.payment.banks.recording import Recorder
from services.payment.interest import InterestRules
from shared.actors import Actor
from shared.calendar import WorkCalendar
from shared.offices import Office, PermitType


@dataclass(frozen=True)
class Bank:
    """How money comes in: the partner that serves the office, and the rules for late payment."""

    recorder: Recorder
    rules: InterestRules
    profile: AnyProfile | None


@dataclass(frozen=True)
class Desk:
    """An office at work. ``rate`` is how many applications come on an average working day.

    ``others`` are the desks by office of all levels that an application may be handed to.
    """

    world: World
    office: Office
    calendar: WorkCalendar
    officers: Officers
    bank: Bank
    secrecy: Secrecy
    rate: float
    others: dict[str, Desk]

    def of(self, case: Case) -> Desk:
        """Return the desk of the office that decides on an application that was submitted."""
        return self.others[held(self.world.applications[case.application_id]).file.office]

    @property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.office.zone)

    @property
    def today(self) -> date:
        """The office's own date."""
        return self.calendar.local_date(self.world.now)

    def actor(self, post: Post, name: str) -> Actor:
        """Return an officer as they act now."""
        return self.officers.actor(post, name, self.today)

    def anybody(self, post: Post) -> Actor:
        """Return the first officer at a post."""
        return self.actor(post, self.officers.at(post)[0].username)

    def after_days(self, days: float, *, open_hours: bool = False) -> datetime:
        """Return the instant so many calendar days from now, or when the office opens after it."""
        at = self.world.now + timedelta(seconds=round(days * 86_400))
        return self.calendar.next_open(at) if open_hours else at


@dataclass
class Case:
    """One invented application on its way. ``dice`` are its own."""

    number: int
    application_id: str
    kind: PermitType
    section: IntakeSection
    dice: Random
    registration: str = ""

    def happens(self, share: float) -> bool:
        """Throw the dice for something that happens to a ``share`` (0 to 1) of files."""
        return self.dice.random() < share
