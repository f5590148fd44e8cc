"""Exact numbers of data files, how they are rounded to whole rupiah, and how people write them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from shared.money import group
from shared.offices import FileModel
from shared.text import bad_value, msg

# More decimals than any product of a tariff's numbers has.
_PLACES: Final = 2_000

Mode = Literal["up", "down", "half_up"]


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise bad_value(msg("Write a number with a fraction in quotes, such as '0.6'."))
    return value


Exact = Annotated[
    Decimal, BeforeValidator(_exact), Field(ge=0, le=10**12, max_digits=20, decimal_places=8)
]
"""A number as it is written, never a float: YAML would have rounded it already."""


class Rounding(FileModel):
    """How an amount becomes whole rupiah: a multiple of ``to`` rupiah, by ``mode``."""

    to: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 1
    mode: Mode

    def rupiah(self, amount: Fraction) -> int:
        """Return the rounded amount in rupiah."""
        return rounded(amount / self.to, self.mode) * self.to


def rounded(amount: Fraction, mode: Mode) -> int:
    """Return the whole number by ``up`` (away from zero), ``down`` or ``half_up``."""
    whole, rest = divmod(abs(amount), 1)
    more = {"up": rest > 0, "down": False, "half_up": rest >= Fraction(1, 2)}[mode]
    return (int(whole) + more) * (-1 if amount < 0 else 1)


def number_text(number: Fraction | Decimal | int) -> str:
    """Return a number the Indonesian way, exactly: ``1234.5 -> "1.234,5"``.

    Raises ValueError for one whose decimals never end.
    """
    exact, places = Fraction(number), 0
    while (exact * 10**places).denominator > 1:
        places += 1
        if places > _PLACES:
            raise ValueError("the decimals of this number do not end")
    digits = str(abs(int(exact * 10**places))).rjust(places + 1, "0")
    whole, decimals = digits[: len(digits) - places], digits[len(digits) - places :]
    sign = "-" if exact < 0 else ""
    return f"{sign}{group(int(whole))}{',' if decimals else ''}{decimals}"
