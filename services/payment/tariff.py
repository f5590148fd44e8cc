"""The tariff: what a permit costs, from the measures that the office established.

A permit type's ``payment`` section says ``free: true`` or holds a tariff. Its lines are dated, so
that a new rate starts on its day without touching bills that exist. Amounts are whole rupiah.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from shared.contracts.payment import BillLine
from shared.errors import Refused
from shared.money import MAX_RUPIAH, group, rupiah_text
from shared.offices import FileModel, Identifier, LocalText

Rupiah = Annotated[int, Field(ge=0, le=MAX_RUPIAH, strict=True)]
Count = Annotated[int, Field(ge=0, le=10**9, strict=True)]
Measure = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class CannotCalculate(Refused):
    """No amount can be computed from these measures. Base of the reasons below."""

    code = "cannot-calculate"
    text = "The fee can't be computed."


class MissingMeasure(CannotCalculate):
    """The tariff needs a measure that was not established."""

    code = "missing-measure"
    text = "The fee can't be computed: the measure {measure} is missing."


class UnknownMeasure(CannotCalculate):
    """A measure was given that no line of the tariff uses."""

    code = "unknown-measure"
    text = "The fee can't be computed: the tariff does not use the measure {measure}."


class MeasureOutOfRange(CannotCalculate):
    """A measure lies outside what the tariff covers."""

    code = "measure-out-of-range"
    text = "The fee can't be computed: {measure} must be between {low} and {high}."


class NothingOwed(CannotCalculate):
    """The tariff comes to zero, or to more than any bank can take: a person must look."""

    code = "nothing-owed"
    text = "The fee can't be computed: the tariff does not come to a payable amount."


class _Line(FileModel):
    """What every line has. ``since`` and ``until`` are the first and last day it counts."""

    label: LocalText
    since: date | None = None
    until: date | None = None

    def counts_on(self, day: date) -> bool:
        """Say whether the line is in force on ``day``."""
        return (self.since or day) <= day <= (self.until or day)


class _Measured(_Line):
    """A line that multiplies a measure. ``unit`` is how people write it, such as ``m²``."""

    measure: Measure
    unit: str = ""
    min: Count = 0
    max: Count = 10**9

    def amount_of(self, measures: Mapping[str, int]) -> int:
        """Return the measured number. Raises MissingMeasure, MeasureOutOfRange."""
        if self.measure not in measures:
            raise MissingMeasure(measure=self.measure)
        number = measures[self.measure]
        if not self.min <= number <= self.max:
            raise MeasureOutOfRange(measure=self.measure, low=self.min, high=self.max)
        return number

    def written(self, number: int) -> str:
        """Return the number with its unit: ``120 m²``."""
        return f"{group(number)} {self.unit}".rstrip()


class PerUnit(_Measured):
    """So many rupiah for each unit of a measure."""

    kind: Literal["per_unit"]
    rupiah: Rupiah

    def work_out(self, measures: Mapping[str, int]) -> tuple[str, int]:
        """Return the calculation in words and its amount in rupiah."""
        number = self.amount_of(measures)
        return f"{self.written(number)} × {rupiah_text(self.rupiah)}", number * self.rupiah


class Tier(FileModel):
    """A rate per unit, up to and including ``up_to`` units; the last tier may have no end."""

    up_to: Count | None = None
    rupiah: Rupiah


class Tiers(_Measured):
    """Rates that change with size: each part of the measure at the rate of its own tier."""

    kind: Literal["tiers"]
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rising(self) -> Tiers:
        ends = [tier.up_to for tier in self.tiers[:-1]]
        last = self.tiers[-1].up_to
        known = [end for end in (*ends, last) if end is not None]
        if None in ends or known != sorted(set(known)) or 0 in known:
            raise ValueError("tiers need rising ends; only the last one may have none")
        return self

    def work_out(self, measures: Mapping[str, int]) -> tuple[str, int]:
        """Return the calculation in words and its amount in rupiah. Raises MeasureOutOfRange."""
        number, start, parts, total = self.amount_of(measures), 0, [], 0
        for tier in self.tiers:
            part = (number if tier.up_to is None else min(number, tier.up_to)) - start
            if part > 0:
                parts.append(f"{self.written(part)} × {rupiah_text(tier.rupiah)}")
                total, start = total + part * tier.rupiah, start + part
        if start < number:
            raise MeasureOutOfRange(measure=self.measure, low=self.min, high=start)
        return " + ".join(parts), total


class Fixed(_Line):
    """A fixed amount, whatever was measured."""

    kind: Literal["fixed"]
    rupiah: Rupiah

    def work_out(self, measures: Mapping[str, int]) -> tuple[str, int]:
        """Return the calculation in words and its amount in rupiah."""
        return rupiah_text(self.rupiah), self.rupiah


Line = Annotated[PerUnit | Tiers | Fixed, Field(discriminator="kind")]


class Tariff(FileModel):
    """One version of a tariff. A bill must be paid within ``due_days`` calendar days."""

    id: Identifier
    due_days: Annotated[int, Field(ge=1, le=366)]
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]


class PaymentSection(FileModel):
    """A permit type's ``payment`` section: free of charge, or a tariff."""

    free: bool = False
    tariff: Tariff | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> PaymentSection:
        if self.free == (self.tariff is not None):
            raise ValueError("give either `free: true` or a tariff")
        return self


class Calculation(NamedTuple):
    """The lines of a bill and their sum in rupiah."""

    lines: tuple[BillLine, ...]
    total: int


def calculate(tariff: Tariff, measures: Mapping[str, int], on: date) -> Calculation:
    """Return what ``measures`` cost on a day, line by line.

    Raises MissingMeasure, UnknownMeasure, MeasureOutOfRange, NothingOwed.
    """
    used = {line.measure for line in tariff.lines if not isinstance(line, Fixed)}
    for measure in sorted(set(measures) - used):
        raise UnknownMeasure(measure=measure)
    lines = tuple(_bill_line(line, measures) for line in tariff.lines if line.counts_on(on))
    total = sum(line.amount for line in lines)
    if not 0 < total <= MAX_RUPIAH:
        raise NothingOwed
    return Calculation(lines, total)


def _bill_line(line: PerUnit | Tiers | Fixed, measures: Mapping[str, int]) -> BillLine:
    calculation, amount = line.work_out(measures)
    return BillLine(
        label=line.label.id, label_en=line.label.en, calculation=calculation, amount=amount
    )
