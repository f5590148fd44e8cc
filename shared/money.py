"""Money is whole rupiah in an ``int``, never a float; text forms are made and read here only."""

from __future__ import annotations

import re

from shared.errors import InvalidInput

# The largest amount that fits a bank's "16,2" field: 14 digits and two decimals.
MAX_RUPIAH = 10**14 - 1

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,13})\.([0-9]{2})")


class InvalidAmount(InvalidInput):
    """An amount that is not written as a bank has to write it."""

    code = "invalid-amount"
    text = "Write the amount with exactly two decimals, such as 1250000.00."


def rupiah_text(amount: int) -> str:
    """Return ``amount`` the Indonesian way: ``1250000 -> "Rp1.250.000"``."""
    sign = "-" if amount < 0 else ""
    return f"{sign}Rp{group(abs(amount))}"


def group(number: int) -> str:
    """Return ``number`` with Indonesian thousands points: ``12500 -> "12.500"``."""
    return f"{number:,}".replace(",", ".")


def decimal_text(amount: int) -> str:
    """Return whole rupiah with exactly two decimals, as banks want it: ``"1250000.00"``."""
    return f"{amount}.00"


def sen_of(text: str) -> int:
    """Return the sen (hundredths of a rupiah) of a decimal text: ``"12.50" -> 1250``.

    Raises InvalidAmount for anything but digits, a point and exactly two decimals: no exponent, no
    sign, no grouping, no leading zero, no other script's digits.
    """
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise InvalidAmount
    return int(found[1]) * 100 + int(found[2])
