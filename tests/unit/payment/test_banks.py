"""Profiles and virtual account numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payment.banks.profile import BankProfile, Banks, NoVirtualAccount, check_digit
from services.payment.service import check_tariffs
from shared.errors import BadConfiguration
from shared.offices import Catalogue
from shared.settings import Settings

CONFIG = Settings().config
BANKS = Banks.load(CONFIG / "banks")
NUMBERS = st.builds(
    "{}-20{:02d}-{:06d}".format,
    st.sampled_from(["BGR", "MTR"]),
    st.integers(0, 99),
    st.integers(1, 9_999_999),
)


def test_the_shipped_profile_serves_every_office_that_charges() -> None:
    check_tariffs(Catalogue.load(CONFIG), BANKS)


def test_an_office_that_charges_needs_a_bank() -> None:
    with pytest.raises(BadConfiguration, match="no bank profile"):
        check_tariffs(Catalogue.load(CONFIG), Banks([]))


def test_a_virtual_account_is_prefix_office_year_number_and_check_digit() -> None:
    account = BANKS.virtual_account("bogor", "BGR-2026-000042")
    assert account == "12345" + "001" + "26" + "0000042" + "1"
    assert check_digit("7992739871") == 3


@given(st.lists(st.tuples(st.sampled_from(["bogor", "mataram"]), NUMBERS), unique=True))
def test_no_two_applications_share_an_account(files: list[tuple[str, str]]) -> None:
    # The letters are the office's own: within one office they never differ.
    own = {(office, number.split("-", 1)[1]) for office, number in files}
    accounts = {BANKS.virtual_account(office, f"BGR-{rest}") for office, rest in own}
    assert len(accounts) == len(own)
    assert all(len(account) <= 28 for account in accounts)


@given(st.integers(0, 10**12 - 1), st.integers(0, 11), st.integers(1, 9))
def test_one_mistyped_digit_is_noticed(number: int, place: int, change: int) -> None:
    digits = f"{number:012d}"
    other = str((int(digits[place]) + change) % 10)
    assert check_digit(digits) != check_digit(digits[:place] + other + digits[place + 1 :])


@pytest.mark.parametrize(
    ("office", "number"),
    [
        ("nowhere", "BGR-2026-000001"),
        ("bogor", "case-10011"),
        ("bogor", "BGR-1999-000001"),
        ("bogor", "BGR-2026-12345678"),
        ("bogor", "BGR-2026-٠٠٠٠٠١"),
    ],
)
def test_a_number_that_is_not_ours_has_no_account(office: str, number: str) -> None:
    with pytest.raises(NoVirtualAccount):
        BANKS.virtual_account(office, number)


@pytest.mark.parametrize(
    "changes",
    [
        {"partner_id": "OTHER", "prefix": "54321", "client_id": "other", "offices": {"x1": 1}},
        {"id": "second", "client_id": "other", "prefix": "54321", "offices": {"x1": 1}},
        {"id": "second", "partner_id": "OTHER", "client_id": "other", "prefix": "54321"},
    ],
    ids=["same id", "same partner", "same office"],
)
def test_profiles_that_could_be_mistaken_for_each_other_are_refused(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(BadConfiguration):
        Banks([BANKS.all[0], BANKS.all[0].model_copy(update=changes)])


def test_two_offices_never_share_their_number() -> None:
    with pytest.raises(BadConfiguration):
        Banks([BANKS.all[0].model_copy(update={"offices": {"bogor": 1, "mataram": 1}})])


@pytest.mark.parametrize(
    "line", ["dialect: other", "signature: rot13", "prefix: '12 45'", "secret_value: hunter2"]
)
def test_a_wrong_profile_names_its_file(tmp_path: Path, line: str) -> None:
    good = (CONFIG / "banks" / "bank-contoh.yaml").read_text("utf-8")
    key = line.split(":")[0]
    lines = [old for old in good.splitlines() if not old.startswith(f"{key}:")]
    file = tmp_path / "wrong.yaml"
    file.write_text("\n".join([*lines, line]), "utf-8")
    with pytest.raises(BadConfiguration, match=r"wrong\.yaml"):
        Banks.load(tmp_path)


def test_a_profile_holds_no_secret() -> None:
    assert "secret" in BankProfile.model_fields
    assert BANKS.all[0].secret == "bank"
