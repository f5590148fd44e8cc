"""Accounts: read from files, verified in constant time, never with a plain password."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shared.actors import Role
from shared.errors import BadConfiguration
from shared.identity import Accounts, hash_password
from shared.offices import BadFile

SAMPLES = Path(__file__).resolve().parents[2] / "deploy" / "accounts"
HASH = hash_password("right")


def _file(folder: Path, text: str, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _entry(username: str = "loket", extra: str = "", password: str = f"'{HASH}'") -> str:
    return (
        f"  - username: {username}\n    display_name: Petugas\n    roles: [counter, auditor]\n"
        f"    office: bogor\n    password_hash: {password}\n{extra}"
    )


def test_the_samples_cover_every_role_and_a_second_office() -> None:
    accounts = Accounts.load(SAMPLES)
    bogor = [account for account in accounts.all() if account.office == "bogor"]
    assert set().union(*(account.roles for account in bogor)) == set(Role)
    assert {"mataram", "receipt"} <= {account.office for account in accounts.all()}
    head = accounts.verify("kepala", "jejak-contoh")
    assert head is not None
    assert head.roles == {Role.SIGNER, Role.SUPERVISOR}
    assert str(head.actor) == "officer:kepala"


def test_verify(tmp_path: Path) -> None:
    accounts = Accounts.load(_file(tmp_path, "accounts:\n" + _entry()))
    account = accounts.verify("loket", "right")
    assert account is not None
    assert account.has(Role.AUDITOR, Role.ADMIN)
    assert not account.has(Role.ADMIN)
    assert accounts.verify("loket", "wrong") is None
    assert accounts.verify("loket", "") is None
    assert accounts.verify("nobody", "right") is None
    assert accounts.of_office("bogor", Role.COUNTER) == (account,)
    assert accounts.of_office("mataram", Role.COUNTER) == ()


def test_an_unknown_name_costs_as_much_as_a_wrong_password(tmp_path: Path) -> None:
    accounts = Accounts.load(_file(tmp_path, "accounts:\n" + _entry()))

    def fastest(username: str) -> float:
        spans = []
        for _ in range(5):
            start = time.perf_counter()
            accounts.verify(username, "wrong")
            spans.append(time.perf_counter() - start)
        return min(spans)

    known, unknown = fastest("loket"), fastest("nobody")
    assert unknown > known * 0.5
    assert known > unknown * 0.5


@pytest.mark.parametrize(
    "text",
    [
        "accounts:\n" + _entry(extra="    password: plain\n"),
        "accounts:\n" + _entry(password="plain-text-password"),
        "accounts:\n" + _entry(username="Has Space"),
        "accounts:\n" + _entry().replace("counter", "emperor"),
        "accounts:\n" + _entry().replace("counter", "agency"),
        "accounts:\n" + _entry(extra="    agency: dinkes\n"),
        "accounts:\n" + _entry() + _entry(),
        "accounts: [",
        "- a list",
        "",
    ],
)
def test_a_wrong_file_is_named_but_its_secrets_are_not(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^a\.yaml: ") as caught:
        Accounts.load(_file(tmp_path, text))
    assert "plain" not in str(caught.value)


def test_one_name_in_two_files_is_refused(tmp_path: Path) -> None:
    _file(tmp_path, "accounts:\n" + _entry())
    _file(tmp_path, "accounts:\n" + _entry(), "b.yaml")
    with pytest.raises(BadConfiguration, match=r"b\.yaml: line 2: .*account loket already"):
        Accounts.load(tmp_path)


def test_a_wrong_file_locks_out_its_own_people_alone(tmp_path: Path) -> None:
    _file(tmp_path, "accounts:\n" + _entry())
    _file(tmp_path, "accounts:\n" + _entry("penjaga").replace("counter", "emperor"), "b.yaml")
    _file(tmp_path, "accounts:\n" + _entry("kepala"), "c.yaml")
    refused: list[BadFile] = []
    accounts = Accounts.load(tmp_path, refused=refused.append)
    assert [account.username for account in accounts.all()] == ["loket", "kepala"]
    (mistake,) = (one for error in refused for one in error.mistakes)
    assert (mistake.file, mistake.line, mistake.where) == ("b.yaml", 4, "accounts.0.roles.0")
    assert "Allowed: 'counter', 'verifier'" in mistake.reason()
