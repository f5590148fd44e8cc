"""Who is away and who stands in: the decider of an office's roster.

Stream ``roster-{office}``. While an absence lasts, its deputy works in the absent officer's place,
with their roles, on what was given to them; what would be given to them goes to the deputy. An
officer names a colleague with the same roles; only a supervisor lets somebody else stand in.

::

    Refused
    ├── AbsenceOverlaps          the officer is away in these days already
    ├── DeputyAway               the deputy is away in these days
    ├── StandsIn                 the officer stands in for somebody in these days
    ├── OtherAbsence             under the same reference, with other details
    ├── UnknownAbsence           there is none under this reference
    └── AbsenceOver              its last day has passed
    NotAllowed
    ├── NotYourAbsence           neither the officer's own nor asked by a supervisor
    └── DeputyWithoutRoles       the deputy lacks the officer's roles
    InvalidInput
    ├── UnknownColleague         no officer of this office
    ├── OwnDeputy                nobody stands in for themselves
    └── BadPeriod                it ends before it begins, or is over
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar, TypeAlias, assert_never

from services.workflow.refusals import OtherOffice
from shared.actors import Actor, Role
from shared.contracts.workflow import AbsenceCancelled, AbsenceRecorded
from shared.decider import Decider
from shared.errors import InvalidInput, NotAllowed, Refused
from shared.events import AnyFact

LONGEST_DAYS = 366
RECORD, CANCEL = "RecordAbsence", "CancelAbsence"


def stream(office: str) -> str:
    """Return the stream that holds an office's roster."""
    return f"roster-{office}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAbsence:
    """An officer is away from ``first`` to ``last``, both included; ``deputy`` stands in.

    Whom the accounts don't know has no office. ``today`` is the office's own date.
    """

    now: datetime
    by: Actor
    office: str
    absence_id: str
    officer: Actor
    deputy: Actor
    first: date
    last: date
    today: date
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAbsence:
    """The officer is there after all, or came back earlier."""

    now: datetime
    by: Actor
    office: str
    absence_id: str
    today: date


Command: TypeAlias = RecordAbsence | CancelAbsence


@dataclass(frozen=True, slots=True)
class Absence:
    """One absence, its days and whether it was cancelled."""

    recorded: AbsenceRecorded
    first: date
    last: date
    cancelled: bool = False

    def meets(self, first: date, last: date) -> bool:
        """Say whether it falls into days of a period, both ends included."""
        return not self.cancelled and self.first <= last and first <= self.last


@dataclass(frozen=True, slots=True)
class Roster:
    """Every absence of an office, in the order in which they were recorded."""

    absences: tuple[Absence, ...] = ()

    def on(self, day: date) -> Iterator[AbsenceRecorded]:
        """Yield who is away on a day of the office."""
        return (held.recorded for held in self.absences if held.meets(day, day))

    def deputy(self, account: str, day: date) -> str:
        """Return who stands in for an officer on a day, empty when the officer is there."""
        return next((away.deputy for away in self.on(day) if away.account == account), "")

    def stands_in(self, account: str, day: date) -> frozenset[str]:
        """Return the colleagues whose work is an officer's on a day."""
        return frozenset(away.account for away in self.on(day) if away.deputy == account)


class AbsenceOverlaps(Refused):
    """The officer is away in some of these days already."""

    code: ClassVar[str] = "absence-overlaps"
    text: ClassVar[str] = "An absence of this officer is already recorded in these days."


class DeputyAway(Refused):
    """The deputy is away in some of these days."""

    code: ClassVar[str] = "deputy-away"
    text: ClassVar[str] = "The deputy is away in these days. Choose another one."


class StandsIn(Refused):
    """The officer stands in for a colleague in some of these days."""

    code: ClassVar[str] = "stands-in"
    text: ClassVar[str] = (
        "This officer stands in for a colleague in these days. Cancel that absence first."
    )


class OtherAbsence(Refused):
    """The reference was used for another absence."""

    code: ClassVar[str] = "other-absence"
    text: ClassVar[str] = "Another absence was recorded under this reference."


class UnknownAbsence(Refused):
    """There is no absence under this reference."""

    code: ClassVar[str] = "unknown-absence"
    text: ClassVar[str] = "There is no absence under this reference."


class AbsenceOver(Refused):
    """Its last day has passed."""

    code: ClassVar[str] = "absence-over"
    text: ClassVar[str] = "This absence is over. What happened in it stays as it is."


class NotYourAbsence(NotAllowed):
    """Neither the officer's own absence, nor a supervisor who asks."""

    code: ClassVar[str] = "not-your-absence"
    text: ClassVar[str] = "Only the officer and a supervisor can record or cancel an absence."


class DeputyWithoutRoles(NotAllowed):
    """The deputy lacks roles that the officer has: a supervisor has to decide that."""

    code: ClassVar[str] = "deputy-without-roles"
    text: ClassVar[str] = (
        "This colleague does not have all of your roles. Ask your supervisor to record it."
    )


class UnknownColleague(InvalidInput):
    """No officer of this office."""

    code: ClassVar[str] = "unknown-colleague"
    text: ClassVar[str] = "Choose officers of this office."


class OwnDeputy(InvalidInput):
    """Nobody stands in for themselves."""

    code: ClassVar[str] = "own-deputy"
    text: ClassVar[str] = "Choose a colleague as the deputy."


class BadPeriod(InvalidInput):
    """It ends before it begins, is over, or is longer than a year."""

    code: ClassVar[str] = "bad-period"
    text: ClassVar[str] = (
        "The last day must not be before the first one or today, nor more than a year later."
    )


def decide(command: Command, state: Roster) -> Sequence[object]:
    """Return what happens; ``[]`` for a command that already happened. Raises the refusals."""
    if command.by.kind != "officer" or command.by.office != command.office:
        raise OtherOffice
    match command:
        case RecordAbsence():
            return _record(command, state)
        case CancelAbsence():
            return _cancel(command, state)
        case _:
            assert_never(command)


def evolve(state: Roster, fact: AnyFact) -> Roster:
    """Return the roster after ``fact``."""
    match fact.event:
        case AbsenceRecorded() as recorded:
            first, last = date.fromisoformat(recorded.first), date.fromisoformat(recorded.last)
            return Roster((*state.absences, Absence(recorded, first, last)))
        case AbsenceCancelled(absence_id=absence_id):
            changed = (
                replace(held, cancelled=True) if held.recorded.absence_id == absence_id else held
                for held in state.absences
            )
            return Roster(tuple(changed))
        case _:
            return state


def _record(command: RecordAbsence, state: Roster) -> Sequence[object]:
    recorded = AbsenceRecorded(
        office=command.office,
        absence_id=command.absence_id,
        account=command.officer.name,
        deputy=command.deputy.name,
        first=command.first.isoformat(),
        last=command.last.isoformat(),
        reason=command.reason,
    )
    for held in state.absences:
        if held.recorded.absence_id == command.absence_id:
            if held.recorded == recorded:
                return []
            raise OtherAbsence(allowed=(CANCEL,))
    _check(command)
    _check_days(command, state)
    return [recorded]


def _check(command: RecordAbsence) -> None:
    """Raise what speaks against the absence by itself."""
    by, officer, deputy = command.by, command.officer, command.deputy
    leads = Role.SUPERVISOR in by.roles
    if by.name != officer.name and not leads:
        raise NotYourAbsence
    if {officer.office, deputy.office} != {command.office}:
        raise UnknownColleague(allowed=(RECORD,))
    if officer.name == deputy.name:
        raise OwnDeputy(allowed=(RECORD,))
    longest = (command.last - command.first).days >= LONGEST_DAYS
    if command.last < command.first or command.last < command.today or longest:
        raise BadPeriod(allowed=(RECORD,))
    if not leads and not officer.roles <= deputy.roles:
        raise DeputyWithoutRoles(allowed=(RECORD,))


def _check_days(command: RecordAbsence, state: Roster) -> None:
    """Raise what other absences in these days say against it."""
    officer, deputy = command.officer.name, command.deputy.name
    for held in state.absences:
        if not held.meets(command.first, command.last):
            continue
        if held.recorded.account == officer:
            raise AbsenceOverlaps(allowed=(RECORD, CANCEL))
        if held.recorded.account == deputy:
            raise DeputyAway(allowed=(RECORD, CANCEL))
        if held.recorded.deputy == officer:
            raise StandsIn(allowed=(RECORD, CANCEL))


def _cancel(command: CancelAbsence, state: Roster) -> Sequence[object]:
    found = (a for a in state.absences if a.recorded.absence_id == command.absence_id)
    held = next(found, None)
    if held is None:
        raise UnknownAbsence(allowed=(RECORD,))
    if command.by.name != held.recorded.account and Role.SUPERVISOR not in command.by.roles:
        raise NotYourAbsence
    if held.cancelled:
        return []
    if held.last < command.today:
        raise AbsenceOver(allowed=(RECORD,))
    return [AbsenceCancelled(office=command.office, absence_id=command.absence_id)]


DECIDER: Decider[Roster] = Decider(Roster(), decide, evolve)
