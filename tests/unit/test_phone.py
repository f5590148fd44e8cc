"""Phone numbers: written in many ways, kept in one."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.phone import ContactNumber, PhoneNumber, reachable

ADAPTER: TypeAdapter[str] = TypeAdapter(PhoneNumber)


@pytest.mark.parametrize(
    "written",
    [
        "081234567890",
        "0812-3456-7890",
        "+62 812 3456 7890",
        "62 812 3456 7890",
        " (0812) 34567890 ",
    ],
)
def test_however_it_is_written_it_is_one_number(written: str) -> None:
    assert ADAPTER.validate_python(written) == "+6281234567890"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "tidak ada",
        "0812 CALL NOW",
        "081234567890 / 081234567891",
        "081234567890 081234567891",
        "081234567890081234567891",
        "0812345678x90",
        "081234567890;ext=5",
        "0251 8321 075",
        "+65 8123 4567",
        "0812",
        "+" * 30,
        "8" * 1_000_000,
        "٠٨١٢٣٤٥٦٧٨٩٠",
    ],
)
def test_what_is_not_one_indonesian_mobile_number_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(written)


def test_a_landline_is_a_number_but_no_mobile_number() -> None:
    landline = TypeAdapter(ContactNumber).validate_python("+622518321075")
    assert landline == "+622518321075"
    assert not reachable(landline)
    assert reachable(landline, landlines=True)


@pytest.mark.parametrize(
    "number",
    ["081234567890", "+62 81234567890", "+6281234567890,+6281234567891", "+6581234567", "", "+62"],
)
def test_only_one_whole_number_as_it_is_kept_can_be_reached(number: str) -> None:
    assert not reachable(number, landlines=True)
    assert reachable("+6281234567890")


@pytest.mark.parametrize(
    "number", ["+62812CALLNOW", "+6281234567890/081234567891", "+6581234567", "081234567890"]
)
def test_letters_joined_and_foreign_numbers_are_no_contacts(number: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ContactNumber).validate_python(number)
