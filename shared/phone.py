"""Phone numbers as people write them, kept as E.164: ``0812-3456-7890`` -> ``+6281234567890``.

One strict reading for applicants, officers and the contacts of offices, so that what one part
takes no other part refuses.
"""

from __future__ import annotations

import re
from typing import Annotated

import phonenumbers
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from shared.text import bad_value

MAX_LENGTH = 40
_REGION = "ID"
_COUNTRY_CODE = 62
# The library turns letters into keypad digits and reads only the first of two numbers: neither
# may pass for what somebody meant.
_WRITTEN = re.compile(r"\+?[0-9(][0-9 .()-]*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MOBILE = frozenset(
    {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
)


def check_phone(value: str) -> str:
    """Return an Indonesian mobile number as E.164. Raises a translatable refusal."""
    return _checked(value, landlines=False)


def check_contact(value: str) -> str:
    """Return an Indonesian number as a data file has it: E.164, of a mobile or a landline.

    Whether a landline will do, the office says. Raises a translatable refusal.
    """
    if not _E164.fullmatch(value):
        raise bad_value("Write the number with its country, such as +6281234567890.")
    return _checked(value, landlines=True)


def reachable(number: str, *, landlines: bool = False) -> bool:
    """Say whether messages can go to ``number``: E.164, whole, and mobile unless ``landlines``."""
    try:
        return _checked(number, landlines=landlines) == number
    except PydanticCustomError:
        return False


def _checked(value: str, *, landlines: bool) -> str:
    written = value.strip()
    if len(value) > MAX_LENGTH or not _WRITTEN.fullmatch(written):
        raise bad_value("Enter one mobile number, digits only, such as 0812 3456 7890.")
    try:
        number = phonenumbers.parse(written, _REGION)
    except phonenumbers.NumberParseException:
        raise bad_value("Enter one mobile number, digits only, such as 0812 3456 7890.") from None
    if number.country_code != _COUNTRY_CODE or not phonenumbers.is_valid_number(number):
        raise bad_value("This is not an Indonesian phone number. Check the digits.")
    if not landlines and phonenumbers.number_type(number) not in _MOBILE:
        raise bad_value("Enter a mobile number: news is sent by WhatsApp or SMS.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


PhoneNumber = Annotated[str, StringConstraints(max_length=MAX_LENGTH), AfterValidator(check_phone)]
"""An Indonesian mobile number, kept as E.164."""

ContactNumber = Annotated[str, AfterValidator(check_contact)]
"""An Indonesian number of either kind, as data files have it."""
