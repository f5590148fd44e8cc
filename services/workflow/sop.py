"""A permit type's procedure (SOP): the ``workflow`` section of its file, checked and prepared.

``Sop`` is what commands, the clock and pages are given: stages in order, budgets in working minutes
of the office. A running permit keeps the version it started with.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.actors import Role
from shared.errors import BadConfiguration
from shared.offices import Catalogue, FileModel, Identifier, LocalText, Office, PermitType, section


class Kind(StrEnum):
    """What a stage is about. ``foreign`` stands for an activity of an imported log."""

    VERIFY = "verify"
    DATA_ENTRY = "data_entry"
    SURVEY = "survey"
    RECOMMEND = "recommend"
    ASSESS_FEE = "assess_fee"
    AWAIT_PAYMENT = "await_payment"
    REVIEW = "review"
    SIGN = "sign"
    MATCH_ORIGINALS = "match_originals"
    HAND_OVER = "hand_over"
    FOREIGN = "foreign"


_NOBODY_WORKS = frozenset({Kind.AWAIT_PAYMENT, Kind.FOREIGN})
_AT_MOST_ONCE = (Kind.ASSESS_FEE, Kind.AWAIT_PAYMENT, Kind.SIGN, Kind.HAND_OVER)
Time = Annotated[Decimal, Field(gt=0, le=1000)]


class Measure(FileModel):
    """A whole number that an officer establishes and the tariff needs, with its bounds."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    label: LocalText
    min: int = 0
    max: int

    @model_validator(mode="after")
    def _bounds(self) -> Measure:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}")
        return self


class StageEntry(FileModel):
    """One stage as it is written in the file.

    The budget is given in working ``days`` or ``hours`` (decimals allowed), or not at all. With
    ``outside`` a third party works and the office's clock stands still.
    """

    id: Identifier
    kind: Kind
    name: LocalText
    role: Role | None = None
    days: Time | None = None
    hours: Time | None = None
    survey: Literal["required", "optional", "never"] | None = None
    measures: tuple[Measure, ...] = ()
    outside: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> StageEntry:
        budget = self.days is not None or self.hours is not None
        nobody = self.kind in _NOBODY_WORKS
        mistakes = {
            "give days or hours, not both": self.days is not None and self.hours is not None,
            f"nobody works on {self.kind}: it has no role": nobody and self.role is not None,
            f"{self.kind} needs a role": not nobody and self.role is None,
            "a stage outside the office's clock has no budget": budget and (nobody or self.outside),
            "only a survey says required, optional or never": self.survey is not None
            and self.kind is not Kind.SURVEY,
            "only assess_fee has measures": bool(self.measures)
            and self.kind is not Kind.ASSESS_FEE,
            "assess_fee needs the measures of its tariff": not self.measures
            and self.kind is Kind.ASSESS_FEE,
            "a measure is there twice": len({m.id for m in self.measures}) < len(self.measures),
        }
        for mistake, made in mistakes.items():
            if made:
                raise ValueError(mistake)
        return self


class SopSection(FileModel):
    """The ``workflow`` section of a permit type."""

    stages: Annotated[tuple[StageEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> SopSection:
        for stage, times in Counter(stage.id for stage in self.stages).items():
            if times > 1:
                raise ValueError(f"stage {stage!r} is there {times} times")
        kinds = [stage.kind for stage in self.stages]
        if Kind.FOREIGN in kinds:
            if set(kinds) != {Kind.FOREIGN}:
                raise ValueError("a foreign log's stages don't mix with our own")
            return self
        _check_kinds(kinds)
        return self


def _check_kinds(kinds: list[Kind]) -> None:
    for kind in _AT_MOST_ONCE:
        if kinds.count(kind) > 1:
            raise ValueError(f"there can be only one {kind} stage")
    place = {kind: kinds.index(kind) for kind in kinds}
    if Kind.SIGN not in place:
        raise ValueError("there is no sign stage")
    if (Kind.ASSESS_FEE in place) != (Kind.AWAIT_PAYMENT in place):
        raise ValueError("assess_fee and await_payment belong together")
    for first, later in (
        (Kind.ASSESS_FEE, Kind.AWAIT_PAYMENT),
        (Kind.AWAIT_PAYMENT, Kind.SIGN),
        (Kind.SIGN, Kind.HAND_OVER),
    ):
        if first in place and later in place and place[first] > place[later]:
            raise ValueError(f"{later} comes before {first}")
    if Kind.HAND_OVER in place and place[Kind.HAND_OVER] != len(kinds) - 1:
        raise ValueError("hand_over must be the last stage")
    if kinds[place[Kind.SIGN] + 1 :] and Kind.HAND_OVER not in place:
        raise ValueError("after signing a hand_over stage must end the procedure")


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


@dataclass(frozen=True, slots=True)
class Sop:
    """A permit type's procedure at one version, for one office.

    ``legal`` is the published promise in working minutes, counted from registration to issue.
    """

    permit_type: str
    version: int
    name: LocalText
    stages: tuple[Stage, ...]
    legal: int
    standing: frozenset[str] = field(init=False, repr=False, compare=False)
    """Ids of the stages in which the office's clock stands still."""
    _by_id: dict[str, Stage] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare what the clock asks for at every reading."""
        standing = frozenset(stage.id for stage in self.stages if stage.waits_for)
        object.__setattr__(self, "standing", standing)
        object.__setattr__(self, "_by_id", {stage.id: stage for stage in self.stages})

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
        """Return the working minutes that the stages after one take until the decision."""
        return sum(
            stage.budget or 0
            for stage in self.after(stage_id)
            if stage.kind is not Kind.HAND_OVER and stage.survey != "never"
        )

    @property
    def foreign(self) -> bool:
        """Whether this is the procedure of an imported log: shown and measured, never worked."""
        return self.stages[0].kind is Kind.FOREIGN


def prepare(kind: PermitType, office: Office) -> Sop:
    """Return the procedure of a permit type at an office. Raises BadConfiguration."""
    entries = section(kind, "workflow", SopSection).stages
    stages = tuple(_stage(entry, office.day_minutes) for entry in entries)
    return Sop(
        kind.id, kind.version, kind.name, stages, kind.promise.working_days * office.day_minutes
    )


def _stage(entry: StageEntry, day_minutes: int) -> Stage:
    budget = None
    if entry.days is not None:
        budget = math.ceil(entry.days * day_minutes)
    elif entry.hours is not None:
        budget = math.ceil(entry.hours * 60)
    waits_for = "payment" if entry.kind is Kind.AWAIT_PAYMENT else ""
    return Stage(
        id=entry.id,
        kind=entry.kind,
        name=entry.name,
        role=entry.role,
        budget=budget,
        survey=entry.survey or ("required" if entry.kind is Kind.SURVEY else ""),
        measures=entry.measures,
        waits_for="outside" if entry.outside else waits_for,
    )


class Sops:
    """The procedures of all offices, each prepared when it is first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Prepare nothing yet."""
        self._catalogue = catalogue
        self._sops: dict[tuple[str, str, int], Sop] = {}

    def of(self, office: str, permit_type: str, version: int) -> Sop:
        """Return the procedure that a permit keeps. Raises BadConfiguration for that one alone."""
        key = (office, permit_type, version)
        found = self._sops.get(key)
        if found is None:
            known = self._catalogue.offices.get(office)
            kind = self._catalogue.types.get((permit_type, version))
            if known is None or kind is None:
                missing = f"office {office!r}" if known is None else f"{permit_type} {version}"
                raise BadConfiguration(file="permits", reason=f"there is no {missing}")
            found = self._sops.setdefault(key, prepare(kind, known))
        return found
