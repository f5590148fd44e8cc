"""Profiles and virtual account numbers."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.payment.banks.dialects import (
    LegacyCalls,
    LegacyVaProfile,
    QrisProfile,
    SnapProfile,
    TellerProfile,
)
from services.payment.banks.profile import Banks, NoVirtualAccount, check_digit
from services.payment.service import unbillable
from shared.errors import BadConfiguration
from shared.offices import Catalogue
from shared.settings import Settings

CONFIG = Settings().config
BANKS = Banks.load(CONFIG / "banks")
SNAP = BANKS.speaking(SnapProfile)[0]
NUMBERS = st.builds(
    "{}-20{:02d}-{:06d}".format,
    st.sampled_from(["BGR", "MTR"]),
    st.integers(0, 99),
    st.integers(1, 9_999_999),
)


def test_the_shipped_profile_serves_every_office_that_charges() -> None:
    assert not list(unbillable(Catalogue.load(CONFIG), BANKS))


def test_an_office_that_charges_needs_a_bank() -> None:
    problems = list(unbillable(Catalogue.load(CONFIG), Banks([])))
    assert {str(problem.params["file"]) for problem in problems} >= {"office bogor"}
    assert all("no bank profile" in str(problem) for problem in problems)


def test_a_wrong_profile_is_refused_alone(tmp_path: Path) -> None:
    shutil.copytree(CONFIG / "banks", tmp_path / "banks")
    wrong = tmp_path / "banks" / "qris-contoh.yaml"
    wrong.write_text(wrong.read_text().replace("dialect: qris-legacy", "dialect: morse"))
    refused: list[BadConfiguration] = []
    served = Banks.load(tmp_path / "banks", refused.append)
    assert {one.id for one in BANKS.all} - {one.id for one in served.all} == {"qris-contoh"}
    assert len(refused) == 1
    with pytest.raises(BadConfiguration, match=r"qris-contoh\.yaml"):
        Banks.load(tmp_path / "banks")


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
        Banks([SNAP, SNAP.model_copy(update=changes)])


def test_two_offices_never_share_their_number() -> None:
    with pytest.raises(BadConfiguration):
        Banks([SNAP.model_copy(update={"offices": {"bogor": 1, "mataram": 1}})])


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


def test_a_wrong_profile_names_its_line(tmp_path: Path) -> None:
    good = (CONFIG / "banks" / "teller-contoh.yaml").read_text("utf-8")
    (tmp_path / "wrong.yaml").write_text(good.replace("proof: header", "proof: trust"), "utf-8")
    line = 1 + good.splitlines().index("proof: header")
    with pytest.raises(BadConfiguration, match=rf"wrong\.yaml.*line {line}\b"):
        Banks.load(tmp_path)


@pytest.mark.parametrize(
    "calls",
    [
        {"base_url": "http://bank.example"},
        {"base_url": "https://elsewhere.example"},
        {"base_url": "https://someone:secret@bank.example"},
        {"base_url": "https://bank.example/?a=1"},
        {"base_url": "bank.example"},
        {"hosts": []},
    ],
)
def test_a_bank_is_called_only_where_its_profile_allows(calls: dict[str, Any]) -> None:
    given = {"base_url": "https://bank.example", "hosts": ["bank.example"]}
    given |= {"client_id": "us", "secret": "bank-va"}
    assert LegacyCalls.model_validate(given).announce is False
    with pytest.raises(ValidationError):
        LegacyCalls.model_validate(given | calls)


def test_there_is_a_pattern_for_each_dialect() -> None:
    kinds = {type(profile) for profile in BANKS.all}
    assert kinds == {SnapProfile, LegacyVaProfile, QrisProfile, TellerProfile}


def test_secrets_are_names_and_several_may_be_live() -> None:
    both = SNAP.model_dump() | {"secrets": ["bank", "bank-next"]}
    assert SnapProfile.model_validate(both).secrets == ("bank", "bank-next")
    with pytest.raises(ValidationError):
        SnapProfile.model_validate(both | {"secrets": ["p4$$ w0rd"]})


@pytest.mark.parametrize(
    ("cut_off", "local", "closed", "day"),
    [
        (None, "2026-01-05T23:59:59", False, "2026-01-05"),
        ("23:45-00:15", "2026-01-05T23:44:59", False, "2026-01-05"),
        ("23:45-00:15", "2026-01-05T23:45:00", True, "2026-01-06"),
        ("23:45-00:15", "2026-01-06T00:14:59", True, "2026-01-06"),
        ("23:45-00:15", "2026-01-06T00:15:00", False, "2026-01-06"),
        ("16:00-16:30", "2026-01-05T16:30:00", False, "2026-01-06"),
        ("00:30-01:00", "2026-01-06T00:29:59", False, "2026-01-05"),
        ("00:30-01:00", "2026-01-06T00:30:00", True, "2026-01-06"),
    ],
)
def test_the_partners_cut_off_ends_its_day(
    cut_off: str | None, local: str, closed: bool, day: str
) -> None:
    profile = SNAP.model_copy(update={"cut_off": cut_off, "zone": ZoneInfo("Asia/Makassar")})
    at = datetime.fromisoformat(f"{local}+08:00")
    assert profile.closed(at) is closed
    assert profile.business_day(at).isoformat() == day


def test_only_a_number_that_could_be_ours_is_looked_at() -> None:
    account = BANKS.virtual_account("bogor", "BGR-2026-000042")
    assert BANKS.could_be(account)
    assert not BANKS.could_be(account[:-1] + str((int(account[-1]) + 1) % 10))
    assert not BANKS.could_be("99999" + account[5:])
    assert not BANKS.could_be(account + "0")
