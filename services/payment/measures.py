"""What the office established about a permit, as whole numbers, and why it may not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from shared.errors import Refused
from shared.money import group
from shared.offices import FileModel

Count = Annotated[int, Field(ge=0, le=10**9, strict=True)]
MeasureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


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


class OtherCode(CannotCalculate):
    """A measure is a code, and the tariff's table does not have it."""

    code = "unknown-code"
    text = "The fee can't be computed: the table of {measure} does not have this code."


class NothingOwed(CannotCalculate):
    """The tariff comes to zero, or to more than any bank can take: a person must look."""

    code = "nothing-owed"
    text = "The fee can't be computed: the tariff does not come to a payable amount."


class NoTariffYet(CannotCalculate):
    """The permit costs money, but no tariff counts yet on that day."""

    code = "no-tariff-yet"
    text = "The fee can't be computed: no tariff is in force on this day."


class Asked(FileModel):
    """What asks for a measure. ``unit`` is how people write it, such as ``m²``."""

    measure: MeasureName
    unit: str = ""
    min: Count = 0
    max: Count = 10**9

    def amount_of(self, measures: Mapping[str, int]) -> int:
        """Return the measured number. Raises MissingMeasure, MeasureOutOfRange."""
        number = measured(self.measure, measures)
        if not self.min <= number <= self.max:
            raise MeasureOutOfRange(measure=self.measure, low=self.min, high=self.max)
        return number

    def written(self, number: int) -> str:
        """Return the number with its unit: ``120 m²``."""
        return f"{group(number)} {self.unit}".rstrip()


def measured(name: str, measures: Mapping[str, int]) -> int:
    """Return a measure. Raises MissingMeasure."""
    if name not in measures:
        raise MissingMeasure(measure=name)
    return measures[name]
