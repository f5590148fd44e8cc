"""Damaged files and any bytes: no crash, and nothing accepted that does not balance."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.payment.settlement.formats import read_file
from services.payment.settlement.layout import SettlementLayout
from services.payment.settlement.reading import REASONS, Summary, Unreadable
from shared.contracts.payment import SettlementLine
from shared.money import MAX_RUPIAH
from tests.unit.payment.settlement.bank_file import HEADING, csv_file
from tests.unit.payment.settlement.test_parsers import CSV, MT940, ROWS, SAME, STATEMENT


def _balances(settling: SettlementLayout, content: bytes, folder: Path) -> None:
    """Read anything: it is refused with a known reason, or it balances."""
    file = folder / "fuzzed"
    file.write_bytes(content)
    try:
        found = list(read_file(settling, file))
    except Unreadable as unreadable:
        why = unreadable.reason
    else:
        why = ""
    if why:
        assert why in REASONS
        return
    summary = found[-1]
    assert isinstance(summary, Summary)
    lines = [item for item in found if isinstance(item, SettlementLine)]
    assert summary.opening + sum(line.amount for line in lines) == summary.closing
    assert [line.line for line in lines] == list(range(1, summary.lines + 1))
    assert all(line.amount and abs(line.amount) <= MAX_RUPIAH for line in lines)


mutation = st.tuples(st.integers(0, 2_000), st.integers(0, 12), st.binary(max_size=12))


@SAME
@given(st.lists(mutation, max_size=4), st.sampled_from(["csv", "mt940"]))
def test_a_damaged_file_is_refused_or_still_balances(
    tmp_path: Path, cuts: list[tuple[int, int, bytes]], kind: str
) -> None:
    content = csv_file(ROWS, 500_000) if kind == "csv" else STATEMENT.encode()
    for at, length, other in cuts:
        at %= len(content) + 1
        content = content[:at] + other + content[at + length :]
    _balances(CSV if kind == "csv" else MT940, content, tmp_path)


@SAME
@given(st.binary(max_size=400), st.sampled_from([CSV, MT940]))
def test_any_bytes_are_refused_or_balance(
    tmp_path: Path, content: bytes, settling: SettlementLayout
) -> None:
    _balances(settling, content, tmp_path)
    _balances(settling, HEADING.encode() + b"\r\n" + content, tmp_path)
