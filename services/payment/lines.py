"""The lines of a tariff. Each works out its part of the bill and shows how."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.payment import formula
from services.payment.exact import Rounding
from services.payment.formula import Formula, Value
from services.payment.measures import Asked, Count, MeasureOutOfRange
from services.payment.terms import Chosen, Measured, Term, Worked
from shared.contracts.payment import BillLine
from shared.money import MAX_RUPIAH, rupiah_text
from shared.offices import FileModel, LocalText
from shared.text import bad_value, msg

Rupiah = Annotated[int, Field(ge=0, le=MAX_RUPIAH, strict=True)]
TermName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]


class PerUnit(Asked):
    """So many rupiah for each unit of a measure."""

    kind: Literal["per_unit"]
    label: LocalText
    rupiah: Rupiah

    @property
    def measures(self) -> set[str]:
        """The measures that the line needs."""
        return {self.measure}

    def work_out(self, measures: Mapping[str, int]) -> tuple[BillLine, ...]:
        """Return the line; nothing for none of it. Raises MissingMeasure, MeasureOutOfRange."""
        number = self.amount_of(measures)
        if number == 0:
            return ()
        calculation = f"{self.written(number)} × {rupiah_text(self.rupiah)}"
        return (_line(self.label, calculation, number * self.rupiah),)


class Tier(FileModel):
    """A rate per unit, up to and including ``up_to`` units; the last tier may have no end."""

    up_to: Count | None = None
    rupiah: Rupiah


class Tiers(Asked):
    """Rates that change with size: each part of the measure at the rate of its own tier."""

    kind: Literal["tiers"]
    label: LocalText
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rising(self) -> Tiers:
        ends = [0, *(tier.up_to for tier in self.tiers[:-1]), self.tiers[-1].up_to or 10**10]
        if any(one is None or other is None or one >= other for one, other in pairwise(ends)):
            raise bad_value(msg("Tiers need rising ends; only the last one may have none."))
        return self

    @property
    def measures(self) -> set[str]:
        """The measures that the line needs."""
        return {self.measure}

    def work_out(self, measures: Mapping[str, int]) -> tuple[BillLine, ...]:
        """Return the line; nothing for none of it. Raises MissingMeasure, MeasureOutOfRange."""
        number, start, parts, total = self.amount_of(measures), 0, [], 0
        for tier in self.tiers:
            part = (number if tier.up_to is None else min(number, tier.up_to)) - start
            if part > 0:
                parts.append(f"{self.written(part)} × {rupiah_text(tier.rupiah)}")
                total, start = total + part * tier.rupiah, start + part
        if start < number:
            raise MeasureOutOfRange(measure=self.measure, low=self.min, high=start)
        return (_line(self.label, " + ".join(parts), total),) if parts else ()


class Fixed(FileModel):
    """A fixed amount, whatever was measured."""

    kind: Literal["fixed"]
    label: LocalText
    rupiah: Rupiah

    @property
    def measures(self) -> set[str]:
        """The measures that the line needs: none."""
        return set()

    def work_out(self, measures: Mapping[str, int]) -> tuple[BillLine, ...]:
        """Return the line."""
        return (_line(self.label, rupiah_text(self.rupiah), self.rupiah),)


class ByFormula(FileModel):
    """A formula over named terms; each term may use those above it. See ``formula``."""

    kind: Literal["formula"]
    label: LocalText
    terms: Annotated[dict[TermName, Term], Field(min_length=1)]
    formula: Formula
    rounding: Rounding

    @model_validator(mode="after")
    def _closed(self) -> ByFormula:
        above: set[str] = set()
        used: set[str] = set()
        for name, term in (*self.terms.items(), ("", self)):
            if isinstance(term, Worked | ByFormula):
                for unknown in sorted(formula.names(term.formula) - above):
                    raise bad_value(msg("The formula uses {name}, no term above it."), name=unknown)
                used |= formula.names(term.formula)
            above.add(name)
        for unused in sorted(set(self.terms) - used):
            raise bad_value(msg("No formula uses the term {name}."), name=unused)
        return self

    @property
    def measures(self) -> set[str]:
        """The measures that the line needs."""
        return {one.measure for one in self.terms.values() if isinstance(one, Measured | Chosen)}

    def work_out(self, measures: Mapping[str, int]) -> tuple[BillLine, ...]:
        """Return the steps and then the amount. Raises CannotCalculate's for measures."""
        values: dict[str, Value] = {}
        steps: list[BillLine] = []
        for name, term in self.terms.items():
            values[name], shown = term.work_out(measures, values)
            steps += [shown] if shown else []
        calculation = formula.written(self.formula, values)
        exact = formula.evaluate(self.formula, values)
        return (*steps, _line(self.label, calculation, self.rounding.rupiah(exact)))


Line = Annotated[PerUnit | Tiers | Fixed | ByFormula, Field(discriminator="kind")]


def _line(label: LocalText, calculation: str, amount: int) -> BillLine:
    return BillLine(label=label.id, label_en=label.en, calculation=calculation, amount=amount)
