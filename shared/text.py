"""Text that people type: cleaned once, at the edge, for forms and APIs alike.

Every refusal carries its English msgid, so that ``shared.web.forms`` can translate it. What was
typed is never part of a message.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

DEFAULT_MAX_LENGTH = 2_000

# Characters that change the direction of the text around them: they can make a name or a file
# read as another one (CVE-2021-42574), and nobody types them into a permit form.
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# Control, format-private and unassigned characters. Cf holds joiners that some scripts need.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Cn"})
_LINE_CONTROLS = frozenset("\n\t")

# Aceh to Papua Barat Daya; 95 and 96 are given since the provinces of 2022.
_FIRST_PROVINCE, _LAST_PROVINCE = 11, 96
_WOMAN_DAY_OFFSET = 40


def msg(msgid: str) -> str:
    """Mark ``msgid`` as a sentence to translate later; returns it unchanged."""
    return msgid


def bad_value(msgid: str, /, **params: str | int) -> PydanticCustomError:
    """Return an error for a pydantic validator to raise: an English ``msgid`` and its params."""
    context: dict[str, str | int] = {"msgid": msgid, **params}
    return PydanticCustomError("jejak", msgid, context)


def clean_line(value: str) -> str:
    """Return ``value`` NFC-normalised and stripped; refuses control and direction characters."""
    return _clean(value, allowed=frozenset())


def clean_lines(value: str) -> str:
    """Like ``clean_line``, but keeps line breaks (as ``\\n``) and tabs."""
    return _clean(value.replace("\r\n", "\n").replace("\r", "\n"), allowed=_LINE_CONTROLS)


def _clean(value: str, *, allowed: frozenset[str]) -> str:
    text = unicodedata.normalize("NFC", value).strip()
    for char in text:
        if char in allowed:
            continue
        if char in _BIDI_CONTROLS or unicodedata.category(char) in _REFUSED_CATEGORIES:
            raise bad_value("Use letters, digits and ordinary signs only.")
    return text


def check_nik(value: str) -> str:
    """Return the 16 digits of an Indonesian identity number (NIK), without spaces.

    Structure: province 11-96, regency, district, then birth day (plus 40 for women), month and
    year, then a running number that is never 0000. Source: PP 37/2007 art. 37. It cannot tell
    whether the number was really issued.
    """
    digits = value.replace(" ", "")
    if len(digits) != 16 or not (digits.isascii() and digits.isdigit()):
        raise bad_value("The NIK has 16 digits, as printed on the KTP.")
    if not _FIRST_PROVINCE <= int(digits[:2]) <= _LAST_PROVINCE:
        raise bad_value("The first two digits of the NIK are not a province. Check the number.")
    if "00" in (digits[2:4], digits[4:6]) or digits[12:] == "0000":
        raise bad_value("This NIK can't exist. Check the number against the KTP.")
    if not _is_birth_date(digits[6:12]):
        raise bad_value("Digits 7 to 12 of the NIK are not a date of birth. Check the number.")
    return digits


def _is_birth_date(six: str) -> bool:
    day, month, year = int(six[:2]), int(six[2:4]), int(six[4:])
    day = day - _WOMAN_DAY_OFFSET if day > _WOMAN_DAY_OFFSET else day
    # The century is not in the number: 29 February must exist in one of the two.
    for century in (1900, 2000):
        try:
            date(century + year, month, day)
        except ValueError:
            continue
        return True
    return False


CleanText = Annotated[
    str, StringConstraints(max_length=DEFAULT_MAX_LENGTH), AfterValidator(clean_line)
]
"""One line of ordinary text, up to 2,000 characters before cleaning; may be empty."""

CleanParagraph = Annotated[
    str, StringConstraints(max_length=DEFAULT_MAX_LENGTH), AfterValidator(clean_lines)
]
"""Ordinary text that may hold line breaks."""

Nik = Annotated[str, StringConstraints(max_length=40), AfterValidator(check_nik)]
"""An Indonesian identity number with a valid structure."""
