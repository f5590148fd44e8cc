"""The terms of a formula: what was measured, what the tariff sets, what a table says.

A term that people can't read from the calculation itself is shown as a step: a line of the bill
without an amount of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.payment import formula
from services.payment.exact import Exact, number_text
from services.payment.formula import Formula, Value
from services.payment.measures import Asked, MeasureName, OtherCode, measured
from shared.contracts.payment import BillLine
from shared.money import rupiah_text
from shared.offices import FileModel, LocalText
from shared.text import bad_value, msg

Values = Mapping[str, Value]
Measures = Mapping[str, int]


class Measured(Asked):
    """A term that was measured."""

    kind: Literal["measure"]

    def work_out(self, measures: Measures, values: Values) -> tuple[Value, BillLine | None]:
        """Return the measured number. Raises MissingMeasure, MeasureOutOfRange."""
        number = self.amount_of(measures)
        return Value(Fraction(number), self.written(number)), None


class Rate(FileModel):
    """A term that the tariff sets: ``rupiah``, ``percent``, or a plain ``number``."""

    kind: Literal["rupiah", "percent", "number"]
    value: Exact
    label: LocalText

    @model_validator(mode="after")
    def _whole_rupiah(self) -> Rate:
        if self.kind == "rupiah" and self.value % 1:
            raise bad_value(msg("An amount is whole rupiah."))
        return self

    def work_out(self, measures: Measures, values: Values) -> tuple[Value, BillLine | None]:
        """Return the number that the file holds."""
        number, text = Fraction(self.value), number_text(self.value)
        if self.kind == "rupiah":
            text = rupiah_text(int(self.value))
        if self.kind == "percent":
            number, text = number / 100, f"{text} %"
        return Value(number, text), step(self.label, text)


class Choice(FileModel):
    """One row of a table: the officer's ``code``, its coefficient, and what it stands for."""

    code: Annotated[int, Field(ge=0, le=999, strict=True)]
    value: Exact
    label: LocalText


class Chosen(FileModel):
    """A term from a table, chosen by a measure that is a code."""

    kind: Literal["choice"]
    measure: MeasureName
    label: LocalText
    choices: Annotated[tuple[Choice, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_code_once(self) -> Chosen:
        if len({choice.code for choice in self.choices}) < len(self.choices):
            raise bad_value(msg("A code is there twice."))
        return self

    def work_out(self, measures: Measures, values: Values) -> tuple[Value, BillLine | None]:
        """Return the coefficient of the code. Raises MissingMeasure, OtherCode."""
        code = measured(self.measure, measures)
        found = next((choice for choice in self.choices if choice.code == code), None)
        if found is None:
            raise OtherCode(measure=self.measure)
        label = LocalText(
            id=f"{self.label.id}: {found.label.id}", en=f"{self.label.en}: {found.label.en}"
        )
        text = number_text(found.value)
        return Value(Fraction(found.value), text), step(label, text)


class Worked(FileModel):
    """A term that is itself worked out from the terms above it."""

    kind: Literal["formula"]
    formula: Formula
    label: LocalText

    def work_out(self, measures: Measures, values: Values) -> tuple[Value, BillLine | None]:
        """Return what the formula comes to."""
        number = formula.evaluate(self.formula, values)
        text = number_text(number)
        shown = f"{formula.written(self.formula, values)} = {text}"
        return Value(number, text), step(self.label, shown)


Term = Annotated[Measured | Rate | Chosen | Worked, Field(discriminator="kind")]


def step(label: LocalText, calculation: str) -> BillLine:
    """Return a line that explains a number and adds nothing to the sum."""
    return BillLine(label=label.id, label_en=label.en, calculation=calculation, amount=0)
