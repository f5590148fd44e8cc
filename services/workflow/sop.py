"""A permit type's procedure (SOP), prepared for one office.

``Sop`` is what commands, the clock and pages are given: stages in order, budgets in working minutes
of the office. A running permit keeps the version it started with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.workflow.sop_file import (
    Kind,
    Measure,
    SopSection,
    StageEntry,
    Validity,
    in_order,
)
from shared.actors import Role
from shared.errors import BadConfiguration
from shared.offices import (
    Agency,
    BadFile,
    Catalogue,
    Ladder,
    LocalText,
    Mistake,
    Office,
    PermitType,
    section,
)
from shared.text import msg

_NO_SUCH_AGENCY = msg("The office {office} has no agency {agency}. It has: {known}.")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage, prepared. ``budget`` is in working minutes of the office; None: not given."""

    id: str
    kind: Kind
    name: LocalText
    role: Role | None
    budget: int | None
    survey: str
    measures: tuple[Measure, ...]
    waits_for: str
    """``payment`` or ``outside`` when the clock stands still during this stage, else empty."""
    agency: Agency | None = None
    """Who gives the recommendation. One that is not ready is served by the counter: ``role``."""


@dataclass(frozen=True, slots=True)
class Sop:
    """A permit type's procedure at one version, for one office.

    ``stages`` are in the order in which a permit goes through them. ``legal`` is the published
    promise in working minutes, counted from registration to issue. ``validity`` is how long the
    permit holds (None: without an end), ``notices`` the days before its last one on which its
    holder is told, the longest first.
    """

    permit_type: str
    version: int
    name: LocalText
    stages: tuple[Stage, ...]
    legal: int
    validity: Validity | None = None
    notices: tuple[int, ...] = ()
    standing: frozenset[str] = field(init=False, repr=False, compare=False)
    """Ids of the stages in which the office's clock stands still."""
    _by_id: dict[str, Stage] = field(init=False, repr=False, compare=False)
    _later: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare what the clock asks for at every reading."""
        standing = frozenset(stage.id for stage in self.stages if stage.waits_for)
        object.__setattr__(self, "standing", standing)
        object.__setattr__(self, "_by_id", {stage.id: stage for stage in self.stages})
        later = {id: self._budget_of(self.after(id)) for id in ("", *self._by_id)}
        object.__setattr__(self, "_later", later)

    def stage(self, stage_id: str) -> Stage | None:
        """Return a stage by id."""
        return self._by_id.get(stage_id)

    def after(self, stage_id: str) -> tuple[Stage, ...]:
        """Return the stages that come after one, in order (all of them for an empty id)."""
        for index, stage in enumerate(self.stages):
            if stage.id == stage_id:
                return self.stages[index + 1 :]
        return () if stage_id else self.stages

    def budget_after(self, stage_id: str) -> int:
        """Return the working minutes that the stages after one take until the permit is signed."""
        return self._later.get(stage_id, 0)

    @staticmethod
    def _budget_of(later: Sequence[Stage]) -> int:
        signed = [index for index, stage in enumerate(later) if stage.kind is Kind.SIGN]
        until = signed[0] + 1 if signed else 0
        return sum(stage.budget or 0 for stage in later[:until] if stage.survey != "never")

    @property
    def foreign(self) -> bool:
        """Whether this is the procedure of an imported log: shown and measured, never worked."""
        return self.stages[0].kind is Kind.FOREIGN


def prepare(kind: PermitType, office: Office) -> Sop:
    """Return the procedure of a permit type at an office. Raises BadConfiguration."""
    written = section(kind, "workflow", SopSection)
    _check_agencies(kind, written, office)
    foreign = written.stages[0].kind is Kind.FOREIGN
    entries = written.stages if foreign else in_order(written.stages)
    return Sop(
        kind.id,
        kind.version,
        kind.name,
        tuple(_stage(entry, office) for entry in entries),
        kind.promise.working_days * office.day_minutes,
        written.validity,
        written.notices if written.validity is not None else (),
    )


def _check_agencies(kind: PermitType, written: SopSection, office: Office) -> None:
    """Raise BadFile for a recommendation by an agency that the office does not have."""
    file = kind.origin.file if kind.origin else f"{kind.id} version {kind.version}"
    mistakes = []
    for index, entry in enumerate(written.stages):
        if entry.agency is not None and office.agency(entry.agency) is None:
            place = ("workflow", "stages", index, "agency")
            line = kind.origin.line(place) if kind.origin else 1
            known = ", ".join(agency.id for agency in office.agencies) or "-"
            params = {"office": office.id, "agency": entry.agency, "known": known}
            mistakes.append(Mistake(file, line, place, _NO_SUCH_AGENCY, params))
    if mistakes:
        raise BadFile(mistakes)


def _stage(entry: StageEntry, office: Office) -> Stage:
    day_minutes = office.day_minutes
    budget = None
    if entry.days is not None:
        budget = math.ceil(entry.days * day_minutes)
    elif entry.hours is not None:
        budget = math.ceil(entry.hours * 60)
    waits_for = "payment" if entry.kind is Kind.AWAIT_PAYMENT else ""
    agency = office.agency(entry.agency) if entry.agency is not None else None
    role = entry.role
    if agency is not None:
        role = Role.AGENCY if agency.ready else Role.COUNTER
    return Stage(
        id=entry.id,
        kind=entry.kind,
        name=entry.name,
        role=role,
        budget=budget,
        survey=entry.survey or ("required" if entry.kind is Kind.SURVEY else ""),
        measures=entry.measures,
        waits_for="outside" if entry.outside else waits_for,
        agency=agency,
    )


class Sops:
    """The procedures of all offices, each prepared when it is first asked for.

    A permit keeps its type's version; the office's own words (the length of its day, whether an
    agency is ready) are those of the office's version in force.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        """Prepare nothing yet."""
        self._catalogue = catalogue
        self._sops: dict[tuple[str, str, int], tuple[Office, Sop]] = {}

    def of(self, office: str, permit_type: str, version: int) -> Sop:
        """Return the procedure that a permit keeps. Raises BadConfiguration for that one alone."""
        key = (office, permit_type, version)
        known = self._catalogue.offices.get(office)
        kind = self._catalogue.types.get((permit_type, version))
        if known is None or kind is None:
            missing = f"office {office!r}" if known is None else f"{permit_type} {version}"
            raise BadConfiguration(file="permits", reason=f"there is no {missing}")
        found = self._sops.get(key)
        if found is None or found[0] is not known:
            found = self._sops[key] = (known, prepare(kind, known))
        return found[1]

    def ladder(self, office: str) -> Ladder:
        """Return an office's ladder as it is in force now. Raises BadConfiguration."""
        known = self._catalogue.offices.get(office)
        if known is None:
            raise BadConfiguration(file="permits", reason=f"there is no office {office!r}")
        return known.ladder


__all__ = ["Kind", "Measure", "Sop", "SopSection", "Sops", "Stage", "Validity", "prepare"]
