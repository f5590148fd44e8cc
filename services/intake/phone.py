"""Phone numbers as people write them, kept as E.164: ``0812-3456-7890`` -> ``+6281234567890``."""

from __future__ import annotations

import re
from typing import Annotated

import phonenumbers
from pydantic import AfterValidator, StringConstraints

from shared.text import bad_value

_REGION = "ID"
_COUNTRY_CODE = 62
# The library turns letters into keypad digits and reads only the first of two numbers: neither
# may pass for what somebody meant.
_WRITTEN = re.compile(r"\+?[0-9(][0-9 .()-]*")
_MOBILE = frozenset(
    {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
)


def check_phone(value: str) -> str:
    """Return an Indonesian mobile number as E.164. Raises a translatable refusal."""
    written = value.strip()
    if not _WRITTEN.fullmatch(written):
        raise bad_value("Enter one mobile number, digits only, such as 0812 3456 7890.")
    try:
        number = phonenumbers.parse(written, _REGION)
    except phonenumbers.NumberParseException:
        raise bad_value("Enter one mobile number, digits only, such as 0812 3456 7890.") from None
    if number.country_code != _COUNTRY_CODE or not phonenumbers.is_valid_number(number):
        raise bad_value("This is not an Indonesian phone number. Check the digits.")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise bad_value("Enter a mobile number: news is sent by WhatsApp or SMS.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


PhoneNumber = Annotated[str, StringConstraints(max_length=40), AfterValidator(check_phone)]
"""An Indonesian mobile number, kept as E.164."""
