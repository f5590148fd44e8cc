"""The tariff: what a permit costs, from the measures that the office established.

A permit type's ``payment`` section says ``free: true`` or holds tariffs. Each counts from its own
day on, so that a new one touches no bill that exists. Amounts are whole rupiah.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, NamedTuple

from pydantic import Field, model_validator

from services.payment.lines import Line, Rupiah
from services.payment.measures import (
    CannotCalculate,
    Count,
    MeasureName,
    NoTariffYet,
    NothingOwed,
    UnknownMeasure,
)
from shared.contracts.payment import BillLine
from shared.money import MAX_RUPIAH, rupiah_text
from shared.offices import FileModel, Identifier
from shared.text import bad_value, msg


class Example(FileModel):
    """A worked example: what these measures come to, in rupiah. It is checked when it is read."""

    measures: dict[MeasureName, Count]
    total: Rupiah


class Tariff(FileModel):
    """One version of a tariff, in force from ``effective`` until the next one.

    A bill must be paid within ``due_days`` calendar days.
    """

    id: Identifier
    effective: date
    due_days: Annotated[int, Field(ge=1, le=366)]
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]
    example: Example

    @model_validator(mode="before")
    @classmethod
    def _dated(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("effective"):
            raise bad_value(msg("A tariff says from which day it counts: give it `effective`."))
        return data

    @model_validator(mode="after")
    def _example_holds(self) -> Tariff:
        try:
            total = calculate(self, self.example.measures).total
        except CannotCalculate as error:
            raise bad_value(msg("The worked example can't be worked out.")) from error
        if total != self.example.total:
            raise bad_value(
                msg("The worked example comes to {total}, not to {expected}."),
                total=rupiah_text(total),
                expected=rupiah_text(self.example.total),
            )
        return self


class PaymentSection(FileModel):
    """A permit type's ``payment`` section: free of charge, or dated tariffs."""

    free: bool = False
    tariffs: tuple[Tariff, ...] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> PaymentSection:
        if self.free == bool(self.tariffs):
            raise bad_value(msg("Give either `free: true` or tariffs."))
        days = [tariff.effective for tariff in self.tariffs]
        if days != sorted(set(days)):
            raise bad_value(msg("Tariffs follow each other by `effective`, each on its own day."))
        if len({tariff.id for tariff in self.tariffs}) < len(self.tariffs):
            raise bad_value(msg("Two tariffs have the same id."))
        return self

    def in_force(self, day: date) -> Tariff:
        """Return the tariff that counts on a day (the office's). Raises NoTariffYet."""
        found = [tariff for tariff in self.tariffs if tariff.effective <= day]
        if not found:
            raise NoTariffYet
        return found[-1]


class Calculation(NamedTuple):
    """The lines of a bill and their sum in rupiah. A line without an amount explains another."""

    lines: tuple[BillLine, ...]
    total: int


def calculate(tariff: Tariff, measures: Mapping[str, int]) -> Calculation:
    """Return what ``measures`` cost, line by line. Raises what ``CannotCalculate`` is base of."""
    used = set[str]().union(*(line.measures for line in tariff.lines))
    for measure in sorted(set(measures) - used):
        raise UnknownMeasure(measure=measure)
    lines = tuple(shown for line in tariff.lines for shown in line.work_out(measures))
    total = sum(line.amount for line in lines)
    if not 0 < total <= MAX_RUPIAH:
        raise NothingOwed
    return Calculation(lines, total)
