"""Interest on a bill that is paid late: dated rules, and what they come to.

The rule in force on the due date rules the whole claim, so that a new rule never changes what
somebody already owes.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from services.payment.exact import Exact, Mode, number_text, rounded
from shared.money import rupiah_text
from shared.offices import FileModel, Identifier, load_yaml
from shared.text import bad_value, msg

Percent = Annotated[Exact, Field(le=100)]


class Interest(NamedTuple):
    """What is owed beside the principal: ``amount`` rupiah for ``months``; ``until`` that holds."""

    months: int
    amount: int
    until: date
    calculation: str


class InterestRule(FileModel):
    """One version of the rule, for what is due on ``since`` or later.

    ``percent`` of the principal a month, for at most ``cap_months``; a month that has only begun
    ``counts`` or is ``free``; ``rounding`` makes whole rupiah. After ``claim_months`` the office
    may no longer ask for the money.
    """

    since: date
    percent: Percent
    cap_months: Annotated[int, Field(ge=0, le=120)]
    part_month: Literal["counts", "free"]
    rounding: Mode
    claim_months: Annotated[int, Field(ge=1, le=240)]
    source: str

    @model_validator(mode="after")
    def _claim_outlasts_cap(self) -> InterestRule:
        if self.claim_months < self.cap_months:
            raise bad_value(msg("claim_months must not be less than cap_months."))
        return self

    def lapsed(self, due: date, on: date) -> bool:
        """Say whether ``on`` a day the office may no longer ask for what was ``due``."""
        return months_begun(due, on) > self.claim_months

    def owed(self, principal: int, due: date, on: date) -> Interest | None:
        """Return the interest of a payment ``on`` a day for what was ``due`` (both office dates).

        None when the claim has lapsed by then.
        """
        if self.lapsed(due, on):
            return None
        begun = months_begun(due, on)
        counted = begun if self.part_month == "counts" else max(begun - 1, 0)
        months = min(counted, self.cap_months)
        amount = rounded(principal * Fraction(self.percent) * months / 100, self.rounding)
        # From the cap on nothing changes any more, until the claim itself lapses.
        last = self.claim_months if months == self.cap_months else begun
        calculation = f"{months} × {number_text(self.percent)} % × {rupiah_text(principal)}"
        return Interest(months, amount, months_after(due, last), calculation)


Rules = Annotated[tuple[InterestRule, ...], Field(min_length=1)]


class InterestRules(FileModel):
    """The common rules, and those of offices that have their own. From a file."""

    rules: Rules
    offices: dict[Identifier, Rules] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _in_order(self) -> InterestRules:
        for rules in (self.rules, *self.offices.values()):
            days = [rule.since for rule in rules]
            if days != sorted(set(days)):
                raise bad_value(
                    msg("Rules follow each other by `since`, each on a day of its own.")
                )
        return self

    @classmethod
    def load(cls, file: Path) -> InterestRules:
        """Read the file. Raises BadConfiguration naming the file and the place."""
        return load_yaml(file, cls)

    def of(self, office: str, due: date) -> InterestRule | None:
        """Return the rule for a debt of an office that was ``due`` on a day; None before all."""
        rules = self.offices.get(office, self.rules)
        return next((rule for rule in reversed(rules) if rule.since <= due), None)

    def longest_claim(self, office: str) -> int:
        """Return after how many months no rule of an office lets it ask any more."""
        return max(rule.claim_months for rule in self.offices.get(office, self.rules))


def months_after(day: date, months: int) -> date:
    """Return the same day ``months`` later, or that month's last day when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_begun(due: date, on: date) -> int:
    """Return how many months of lateness have begun ``on`` a day; 0 until ``due``, included."""
    if on <= due:
        return 0
    months = (on.year - due.year) * 12 + on.month - due.month
    return months if on <= months_after(due, months) else months + 1
