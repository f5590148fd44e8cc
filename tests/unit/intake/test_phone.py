"""Phone numbers: written in many ways, kept in one."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from services.intake.phone import PhoneNumber

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
