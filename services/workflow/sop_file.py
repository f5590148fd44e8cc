"""The ``workflow`` section of a permit type's file: what can be written there, and what cannot.

::

    workflow:
      validity: {years: 5}          # absent: the permit holds without an end
      notices: [60, 30, 7]          # days before the last one
      stages:
        - id: verify
          kind: verify
          role: verifier
          days: 1
          next: review              # absent: the stage below it
          name: {id: .., en: ..}

Every rule that is broken is a sentence (an msgid) that a civil servant can act on.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from shared.actors import Role
from shared.offices import FileModel, Identifier, LocalText
from shared.text import bad_value, msg


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
_AT_MOST_ONCE = (
    Kind.ASSESS_FEE,
    Kind.AWAIT_PAYMENT,
    Kind.SIGN,
    Kind.MATCH_ORIGINALS,
    Kind.HAND_OVER,
)
# What may be left between the signature and the end.
_AFTER_SIGNING = frozenset({Kind.MATCH_ORIGINALS, Kind.HAND_OVER})
Time = Annotated[Decimal, Field(gt=0, le=1000)]
_Amount = Annotated[int, Field(gt=0, le=100)]
_Days = Annotated[int, Field(gt=0, le=3650)]
MAX_STAGES = 40


class Measure(FileModel):
    """A whole number that an officer establishes and the tariff needs, with its bounds."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    label: LocalText
    min: int = 0
    max: int

    @model_validator(mode="after")
    def _bounds(self) -> Measure:
        if self.min > self.max:
            raise bad_value("min {min} is more than max {max}.", min=self.min, max=self.max)
        return self


class Validity(FileModel):
    """For how long a permit holds, from the day it is signed: years, months or days."""

    years: _Amount | None = None
    months: Annotated[int, Field(gt=0, le=600)] | None = None
    days: Annotated[int, Field(gt=0, le=36_500)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Validity:
        if sum(given is not None for given in (self.years, self.months, self.days)) != 1:
            raise bad_value("Give years, months or days: exactly one of them.")
        return self

    def last_day(self, signed: date) -> date:
        """Return the last day of a permit that was signed on a (local) day.

        It is the same day of its month; a 29 February ends on the 28th where there is none.
        """
        if self.days is not None:
            return signed + timedelta(days=self.days)
        months = signed.month - 1 + (self.months or 0) + 12 * (self.years or 0)
        year, month = signed.year + months // 12, months % 12 + 1
        return date(year, month, min(signed.day, calendar.monthrange(year, month)[1]))


class StageEntry(FileModel):
    """One stage as it is written in the file.

    The budget is given in working ``days`` or ``hours`` (decimals allowed), or not at all. With
    ``outside`` a third party works and the office's clock stands still. ``next`` names the stage
    that follows; without it that is the one below. Who gives a recommendation follows from its
    ``agency``: its own officer, or the counter on its behalf as long as it is not ready.
    """

    id: Identifier
    kind: Kind
    name: LocalText
    role: Role | None = None
    days: Time | None = None
    hours: Time | None = None
    survey: Literal["required", "optional", "never"] | None = None
    agency: Identifier | None = None
    measures: tuple[Measure, ...] = ()
    outside: bool = False
    next: Identifier | None = None

    @model_validator(mode="after")
    def _consistent(self) -> StageEntry:
        for msgid, made in {**self._mistakes_of_time(), **self._mistakes_of_kind()}.items():
            if made:
                raise bad_value(msgid, kind=self.kind)
        return self

    def _mistakes_of_time(self) -> Mapping[str, bool]:
        budget = self.days is not None or self.hours is not None
        stands_still = self.outside or self.kind in _NOBODY_WORKS
        return {
            msg("Give days or hours, not both."): self.days is not None and self.hours is not None,
            msg("A stage in which the office's clock stands still has no budget."): budget
            and stands_still,
        }

    def _mistakes_of_kind(self) -> Mapping[str, bool]:
        kind, nobody = self.kind, self.kind in _NOBODY_WORKS
        recommends, assesses = kind is Kind.RECOMMEND, kind is Kind.ASSESS_FEE
        names = [measure.id for measure in self.measures]
        other = self.role not in (None, Role.AGENCY)
        return {
            msg("Nobody works on {kind}: it has no role."): nobody and self.role is not None,
            msg("A recommendation is given by its agency: remove the role."): recommends and other,
            msg("The role agency is for recommend stages alone."): not recommends
            and self.role is Role.AGENCY,
            msg("{kind} needs a role."): not (nobody or recommends) and self.role is None,
            msg("{kind} needs the agency that gives it."): recommends and self.agency is None,
            msg("Only a recommend stage names an agency."): not recommends
            and self.agency is not None,
            msg("Only a survey says required, optional or never."): self.survey is not None
            and kind is not Kind.SURVEY,
            msg("Only assess_fee has measures."): bool(names) and not assesses,
            msg("assess_fee needs the measures of its tariff."): assesses and not names,
            msg("A measure is there twice."): len(set(names)) < len(names),
        }


def _descending(notices: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(notices)) < len(notices):
        raise bad_value("A notice is there twice.")
    return tuple(sorted(notices, reverse=True))


class SopSection(FileModel):
    """The ``workflow`` section of a permit type.

    ``validity`` is how long the permit holds (absent: without an end); ``notices`` are the days
    before its last one on which its holder is told.
    """

    stages: Annotated[tuple[StageEntry, ...], Field(min_length=1, max_length=MAX_STAGES)]
    validity: Validity | None = None
    notices: Annotated[tuple[_Days, ...], Field(max_length=10), AfterValidator(_descending)] = (
        60,
        30,
        7,
    )

    @model_validator(mode="after")
    def _in_order(self) -> SopSection:
        for stage, times in Counter(stage.id for stage in self.stages).items():
            if times > 1:
                raise bad_value("Stage {stage} is there {times} times.", stage=stage, times=times)
        kinds = {stage.kind for stage in self.stages}
        if Kind.FOREIGN in kinds:
            if kinds != {Kind.FOREIGN}:
                raise bad_value("A foreign log's stages don't mix with our own.")
            return self
        _check_presence([stage.kind for stage in self.stages])
        _check_order([stage.kind for stage in in_order(self.stages)])
        return self


def in_order(stages: Sequence[StageEntry]) -> tuple[StageEntry, ...]:
    """Return the stages in the order in which a permit goes through them.

    Raises for a stage that comes again (a cycle), that is never reached, or that is not there.
    """
    by_id = {stage.id: stage for stage in stages}
    below = dict(zip((stage.id for stage in stages), [s.id for s in stages[1:]], strict=False))
    hands_over = any(stage.kind is Kind.HAND_OVER for stage in stages)
    last = Kind.HAND_OVER if hands_over else Kind.SIGN
    order: list[StageEntry] = []
    here: str | None = stages[0].id
    while here is not None:
        stage = by_id.get(here)
        if stage is None:
            raise bad_value(
                "Stage {stage} is followed by {next}, which is not there.",
                stage=order[-1].id,
                next=here,
            )
        if stage in order:
            circle = [one.id for one in order[order.index(stage) :]]
            raise bad_value(
                "These stages go round in a circle: {stages}.", stages=" → ".join([*circle, here])
            )
        order.append(stage)
        if stage.kind is last and stage.next is not None:
            raise bad_value("The procedure ends with {stage}: remove its next.", stage=stage.id)
        here = None if stage.kind is last else stage.next or below.get(stage.id)
    lost = [stage.id for stage in stages if stage not in order]
    if lost:
        raise bad_value("No permit ever reaches: {stages}.", stages=", ".join(lost))
    return tuple(order)


def _check_presence(kinds: Sequence[Kind]) -> None:
    for kind in _AT_MOST_ONCE:
        if kinds.count(kind) > 1:
            raise bad_value("There can be only one {kind} stage.", kind=kind)
    if Kind.SIGN not in kinds:
        raise bad_value("There is no sign stage.")
    if (Kind.ASSESS_FEE in kinds) != (Kind.AWAIT_PAYMENT in kinds):
        raise bad_value("assess_fee and await_payment belong together.")


def _check_order(kinds: Sequence[Kind]) -> None:
    """Check the order of money, signature and hand-over among stages that are all reached."""
    place = {kind: kinds.index(kind) for kind in kinds}
    for first, later in (
        (Kind.ASSESS_FEE, Kind.AWAIT_PAYMENT),
        (Kind.AWAIT_PAYMENT, Kind.SIGN),
    ):
        if first in place and later in place and place[first] > place[later]:
            raise bad_value("{later} comes before {first}.", later=later, first=first)
    for kind in kinds[place[Kind.SIGN] + 1 :]:
        if kind not in _AFTER_SIGNING:
            raise bad_value(
                "After signing nothing is left but match_originals and hand_over, not {kind}.",
                kind=kind,
            )
