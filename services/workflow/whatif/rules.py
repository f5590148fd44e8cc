"""The rules of one office over time, as they were in force or with some of them replaced."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from services.workflow.sop import Sop, Stage, prepare
from shared.calendar import WorkCalendar
from shared.errors import BadConfiguration
from shared.events import to_micros
from shared.offices import Catalogue, JointLeave, Ladder, Office, PermitType


@dataclass(frozen=True, slots=True)
class Alternative:
    """What is to be different; None (or nothing) leaves it as it was.

    ``kinds`` are permit types of which the budgets and the promised working days count, for every
    version of theirs. Of ``office`` only what makes its calendar counts: hours, single days, joint
    leave, the length of a day, the zone. ``leave`` takes the place of a year's joint leave.
    """

    kinds: tuple[PermitType, ...] = ()
    office: Office | None = None
    leave: JointLeave | None = None
    ladder: Ladder | None = None


class InForce(NamedTuple):
    """A procedure and a ladder, as they are in force at an instant."""

    sop: Sop
    ladder: Ladder


class Rules:
    """One office's calendar, procedures and ladder; ``altered`` by an alternative or not."""

    def __init__(
        self, catalogue: Catalogue, office: str, altered: Alternative | None = None
    ) -> None:
        """Prepare what does not depend on a permit. Raises BadConfiguration, BadFile."""
        self._catalogue = catalogue
        self._altered = altered or Alternative()
        self._versions = [_with_calendar(v, self._altered) for v in catalogue.versions(office)]
        if not self._versions:
            raise BadConfiguration(file="offices", reason=f"there is no office {office!r}")
        self.office = self._versions[-1]
        leave = _leave(catalogue, self.office.holidays, self._altered.leave)
        self.calendar = WorkCalendar.of(*self._versions, joint_leave=leave)
        self._begins = [
            to_micros(self.calendar.midnight(version.effective)) for version in self._versions[1:]
        ]
        self._kinds = {kind.id: kind for kind in self._altered.kinds}
        for kind in self._kinds.values():
            prepare(kind, self.office)
        self._known: dict[tuple[str, int, int], InForce] = {}

    def of(self, permit_type: str, version: int, at: int) -> InForce:
        """Return what counts for a permit at an instant (microseconds UTC).

        A permit keeps its type's version; the office's own words are those of its version in force,
        as live. Raises BadConfiguration for a permit type that is not there.
        """
        index = bisect_right(self._begins, at)
        key = (permit_type, version, index)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._prepared(permit_type, version, self._versions[index])
        return found

    def _prepared(self, permit_type: str, version: int, office: Office) -> InForce:
        kind = self._catalogue.types.get((permit_type, version))
        if kind is None:
            raise BadConfiguration(file="permits", reason=f"there is no {permit_type} {version}")
        sop, other = prepare(kind, office), self._kinds.get(permit_type)
        if other is not None:
            sop = overlaid(sop, prepare(other, office))
        return InForce(sop, self._altered.ladder or office.ladder)


def overlaid(sop: Sop, other: Sop) -> Sop:
    """Return a procedure with the promise and the budgets of another.

    What happened happened in the stages of the first: one that the other lacks keeps its budget,
    and one that stands still has none.
    """
    stages = tuple(_budgeted(stage, other.stage(stage.id)) for stage in sop.stages)
    return replace(sop, stages=stages, legal=other.legal)


def _budgeted(stage: Stage, other: Stage | None) -> Stage:
    if other is None or stage.waits_for:
        return stage
    return replace(stage, budget=other.budget)


def kept_stages(catalogue: Catalogue, kinds: Collection[PermitType]) -> Sequence[str]:
    """Return ``type.stage`` of every stage with a budget that an alternative does not name."""
    named = {
        kind.id: {entry.get("id") for entry in kind.workflow.get("stages", ())} for kind in kinds
    }
    return sorted(
        {
            f"{kind.id}.{entry['id']}"
            for kind in catalogue.types.values()
            if kind.id in named
            for entry in kind.workflow.get("stages", ())
            if ("days" in entry or "hours" in entry) and entry["id"] not in named[kind.id]
        }
    )


def _with_calendar(version: Office, altered: Alternative) -> Office:
    other = altered.office
    if other is None:
        return version
    names = ("zone", "hours", "special_hours", "day_minutes", "holidays", "joint_leave")
    return version.model_copy(update={name: getattr(other, name) for name in names})


def _leave(catalogue: Catalogue, country: str, other: JointLeave | None) -> frozenset[date]:
    days = catalogue.joint_leave(country)
    if other is None or other.country != country:
        return days
    kept = (day for day in days if day.year != other.year)
    return frozenset([*kept, *(item.day for item in other.joint_leave)])
