"""``jejak bank`` as a person meets it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from deploy.bank.ledger import Ledger, Payment
from deploy.cli import main

PAID = Payment(
    request_id="aa01",
    partner="bank-contoh",
    account="1234500126000001",
    amount=240_000,
    reference="0000000000001",
    paid_at="2026-01-06T10:00:00+07:00",
    posts_on="2026-01-06",
    state="paid",
)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    ledger = Ledger(tmp_path / "data" / "bank" / "ledger.sqlite")
    ledger.save(PAID)
    ledger.close()
    return tmp_path / "data"


def jejak(data: Path, *given: str, lang: str = "en") -> Result:
    return CliRunner().invoke(main, ["--data", str(data), "--lang", lang, "bank", *given])


@pytest.mark.parametrize(
    "command", ["settle", "serve", "pay", "tell", "reverse", "status", "settle-file", "faults"]
)
def test_every_command_says_what_it_does(data: Path, command: str) -> None:
    said = jejak(data, command, "--help")
    assert said.exit_code == 0
    assert "Usage:" in said.output


def test_a_days_file_is_written_and_taken_in(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    day = ["--day", "2026-01-06", "--out", str(file)]
    assert jejak(data, "settle-file", "bank-contoh", *day).exit_code == 0
    taken = jejak(data, "settle", "bank-contoh", str(file), "--json")
    assert (taken.exit_code, json.loads(taken.output)["lines"]) == (0, 1)
    half = tmp_path / "half.csv"
    day = ["--day", "2026-01-06", "--out", str(half), "--fault", "half-file"]
    assert jejak(data, "settle-file", "bank-contoh", *day).exit_code == 0
    assert jejak(data, "settle", "bank-contoh", str(half)).exit_code == 1


def test_faults_are_listed_and_a_share_is_kept(data: Path) -> None:
    assert "It is never told" in jejak(data, "faults").output
    assert "Tidak pernah diberitahukan" in jejak(data, "faults", lang="id").output
    assert jejak(data, "faults", "--rate", "0.05", "--seed", "7").exit_code == 0
    said = json.loads(jejak(data, "faults", "--json").output)
    assert (said["rate"], said["seed"]) == (0.05, 7)


def test_a_payment_is_taken_back_in_the_books(data: Path) -> None:
    back = json.loads(jejak(data, "reverse", "aa01", "--json").output)
    assert (back["state"], back["amount"]) == ("reversed", 240_000)


def test_a_refusal_exits_with_one_and_says_why(data: Path) -> None:
    away = jejak(data, "pay", "1234500126000001", "--office", "http://127.0.0.1:9")
    assert away.exit_code == 1
    assert "can't be reached" in away.output
    unknown = jejak(data, "status", "nothing", "--json")
    assert (unknown.exit_code, json.loads(unknown.output)["code"]) == (1, "unknown-bank-payment")
    assert jejak(data, "pay", "1234", "--partner", "nobody").exit_code == 1
