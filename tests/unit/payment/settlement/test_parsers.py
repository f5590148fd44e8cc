"""Reading settlement files: what is read is exact, what is not understood is refused, by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import mt940
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.payment.settlement.formats import checked, read_file
from services.payment.settlement.layout import AmountStyle, SettlementLayout
from services.payment.settlement.reading import REASONS, Summary, Unreadable, amount_reader
from shared.contracts.payment import SettlementLine
from shared.money import MAX_RUPIAH
from tests.unit.payment.settlement.bank_file import (
    DAY,
    Row,
    csv_file,
    layout,
)
from tests.unit.payment.settlement.house import (
    account,
)

MT940 = layout(
    file={
        "kind": "mt940",
        "virtual_account": "VA ?([0-9]{6,28})",
        "reverses": "REV ([0-9A-Za-z]{1,16})",
    }
)
CSV = layout()
STATEMENT = """:20:STMT-1
:25:0012345678901
:28C:6/1
:60F:C260106IDR1000000,00
:61:2601060106C1250000,00NTRFNTB1//B1
:86:VA 12345001260000001
 CV MAJU JAYA
:61:260106D5000,NCHGNONREF
:61:2601060106RC1250000,00NTRFNTB1//B3
:86:REV NTB1 VA 12345001260000001
:61:2601060106RD5000,00NCHGFEE1
:62F:C260106IDR1000000,00
:64:C260106IDR1000000,00
-
"""
SAME = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read(settling: SettlementLayout, content: bytes, folder: Path) -> list[SettlementLine]:
    """Return the lines of a file that balances."""
    file = folder / "file"
    file.write_bytes(content)
    found = list(read_file(settling, file))
    assert isinstance(found[-1], Summary)
    assert checked(settling, file) == found[-1]
    return [item for item in found if isinstance(item, SettlementLine)]


def refused(settling: SettlementLayout, content: bytes, folder: Path) -> tuple[str, int]:
    """Return why and where a file is refused."""
    with pytest.raises(Unreadable) as caught:
        read(settling, content, folder)
    return caught.value.reason, caught.value.line


INDONESIAN = AmountStyle(decimal=",", grouping=".", prefix="Rp")
PLAIN = AmountStyle(decimal=".", grouping="")


@pytest.mark.parametrize(
    ("style", "text"),
    [(PLAIN, "1250000.00"), (INDONESIAN, "Rp 1.250.000,00"), (INDONESIAN, "Rp1.250.000")],
)
def test_both_ways_to_write_an_amount_are_exactly_that(style: AmountStyle, text: str) -> None:
    assert amount_reader(style)(text) == 1_250_000


@pytest.mark.parametrize(
    "text",
    ["", "Rp", "1e6", "1.25.000", "1,250,000", "12 50", "١٢٥", "+5", "--5", "5-", "0x10", "1.2500"],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        amount_reader(INDONESIAN)(text)
    assert caught.value.reason == "amount"


def test_a_part_of_a_rupiah_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        amount_reader(PLAIN)("1250000.01")
    assert caught.value.reason == "fraction"


@given(st.integers(-MAX_RUPIAH, MAX_RUPIAH))
def test_every_amount_is_read_back_exactly(amount: int) -> None:
    sign = "-" if amount < 0 else ""
    grouped = f"{abs(amount):,}".replace(",", ".")
    assert amount_reader(INDONESIAN)(f"{sign}Rp {grouped},00") == amount
    assert amount_reader(PLAIN)(f"{amount}.00") == amount


@given(st.text(max_size=24), st.sampled_from([INDONESIAN, PLAIN]))
def test_an_amount_that_is_read_is_what_is_written(text: str, style: AmountStyle) -> None:
    try:
        amount = amount_reader(style)(text)
    except Unreadable:
        return
    plain = text.removeprefix("-").removeprefix(style.prefix).strip()
    plain = plain.replace(style.grouping, "") if style.grouping else plain
    written = Decimal(plain.replace(style.decimal, "."))
    assert abs(amount) == written


ROWS = [
    Row(240_000, "NTB1", account(1)),
    Row(1_250_000, "NTB2", account(2)),
    Row(-240_000, "R1", "", DAY, "NTB1"),
]


def test_csv_is_read_line_by_line(tmp_path: Path) -> None:
    lines = read(CSV, csv_file(ROWS, 500_000), tmp_path)
    assert [(one.line, one.amount, one.reference, one.reverses) for one in lines] == [
        (1, 240_000, "NTB1", ""),
        (2, 1_250_000, "NTB2", ""),
        (3, -240_000, "R1", "NTB1"),
    ]
    assert {one.value_on for one in lines} == {"2026-01-06"}
    assert lines[0].virtual_account == account(1)


def _edit(before: str, after: str) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(before.encode(), after.encode(), 1)


@pytest.mark.parametrize(
    ("edit", "reason", "line"),
    [
        (_edit("Rp 240.000,00;K", "Rp 240.001,00;K"), "total", 7),
        (_edit("JUMLAH;3", "JUMLAH;4"), "count", 7),
        (_edit("SALDO AWAL;;;Rp 500.000", "SALDO AWAL;;;Rp 500.001"), "unbalanced", 7),
        (_edit("06/01/2026", "31/02/2026"), "date", 3),
        (_edit("06/01/2026", "6/1/2026"), "date", 3),
        (_edit("240.000,00;K", "240.000,50;K"), "fraction", 3),
        (_edit("240.000,00;K", "240,000.00;K"), "amount", 3),
        (_edit("240.000,00;K", "0,00;K"), "amount", 3),
        (_edit("240.000,00;K", "240.000,00;X"), "mark", 3),
        (_edit("NTB1;", "NTB1;;"), "columns", 3),
        (_edit(account(1), "12AB"), "virtual-account", 3),
        (_edit("NTB1;", "NTB\x07;"), "reference", 3),
        (_edit("NTB1;", "NTB\xff;"), "reference", 3),
        (_edit("NTB1;", '"NTB1;'), "field", 7),
        (_edit("Nominal", "Jumlah"), "header", 1),
        (lambda content: content.replace(b"NTB1", b"\xff\xfe"), "encoding", 3),
        (lambda content: content[: content.index(b"SALDO AKHIR")], "truncated", 6),
        (lambda content: content + b"06/01/2026;N;;Rp 1,00;K;;\r\n", "after-the-end", 8),
        (lambda content: b"", "header", 1),
        (lambda content: csv_file([]), "empty", 4),
        (lambda content: content + b"x" * 9_000, "too-long", 8),
    ],
)
def test_a_csv_file_that_breaks_a_rule_is_refused_with_its_row(
    edit: Callable[[bytes], bytes], reason: str, line: int, tmp_path: Path
) -> None:
    content = edit(csv_file(ROWS, 500_000))
    assert content != csv_file(ROWS, 500_000)
    assert refused(CSV, content, tmp_path) == (reason, line)


def test_mt940_marks_have_their_signs(tmp_path: Path) -> None:
    lines = read(MT940, STATEMENT.encode(), tmp_path)
    assert [(one.amount, one.reference, one.reverses) for one in lines] == [
        (1_250_000, "NTB1", ""),
        (-5_000, "", ""),
        (-1_250_000, "NTB1", "NTB1"),
        (5_000, "FEE1", "FEE1"),
    ]
    assert lines[0].virtual_account == lines[2].virtual_account == account(1)
    assert lines[0].text == "VA 12345001260000001 CV MAJU JAYA"


def test_mt940_statements_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    more = STATEMENT.replace("STMT-1", "STMT-2")
    assert len(read(MT940, (STATEMENT + more).encode(), tmp_path)) == 8
    gap = more.replace(":60F:C260106IDR1000000,00", ":60F:C260106IDR1000001,00")
    assert refused(MT940, (STATEMENT + gap).encode(), tmp_path)[0] == "unbalanced"
    other = more.replace("0012345678901", "0012345678902")
    assert refused(MT940, (STATEMENT + other).encode(), tmp_path)[0] == "account"


@pytest.mark.parametrize(
    ("before", "after", "reason", "line"),
    [
        ("C1250000,00", "C1250000,01", "fraction", 5),
        ("RC1250000,00", "RC1250001,00", "unbalanced", 12),
        (":62F:", ":62M:", "truncated", 14),
        (":60F:C260106IDR", ":60F:C260106USD", "currency", 4),
        ("2601060106C", "2602300106C", "date", 5),
        ("C1250000,00NTRF", "C1250000.00NTRF", "field", 5),
        (":28C:6/1\n", "", "field", 3),
        (":25:", ":99:", "field", 2),
        ("NTRFNTB1//B1", "NTRF" + "N" * 70, "field", 5),
    ],
)
def test_an_mt940_file_that_breaks_a_rule_is_refused_with_its_row(
    before: str, after: str, reason: str, line: int, tmp_path: Path
) -> None:
    content = STATEMENT.replace(before, after, 1)
    assert content != STATEMENT
    assert refused(MT940, content.encode(), tmp_path) == (reason, line)


def test_half_an_mt940_file_is_refused(tmp_path: Path) -> None:
    whole = STATEMENT.encode()
    for end in range(1, len(whole) - 40):
        assert refused(MT940, whole[:end], tmp_path)[0] in REASONS


entry = st.tuples(
    st.sampled_from(["C", "D", "RC", "RD"]),
    st.integers(1, 10**10 - 1),
    st.text("ABCDEFGHJK0123456789", min_size=1, max_size=16),
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
)


def statement(entries: Sequence[tuple[str, int, str, date]]) -> str:
    """Return an MT940 statement of these entries, as a bank would write it."""
    signs = {"C": 1, "D": -1, "RC": -1, "RD": 1}
    opening = 5 * 10**11
    closing = opening + sum(signs[mark] * amount for mark, amount, _, _ in entries)
    lines = [":20:S", ":25:001", ":28C:1/1", f":60F:C200101IDR{opening},00"]
    for mark, amount, name, on in entries:
        lines += [f":61:{on:%y%m%d}{on:%m%d}{mark}{amount},00NTRF{name}//B"]
        lines += [f":86:PAYMENT {name}"]
    return "\n".join([*lines, f":62F:C301231IDR{closing},00", "-", ""])


@SAME
@given(st.lists(entry, min_size=1, max_size=12))
def test_mt940_says_the_same_as_the_library(tmp_path: Path, entries: list[Any]) -> None:
    text = statement(entries)
    ours = read(MT940, text.encode(), tmp_path)
    theirs = mt940.parse(text.removesuffix("-\n"))
    assert len(ours) == len(theirs)
    for line, one in zip(ours, theirs, strict=True):
        mark = one.data["status"]
        # The library gives D a sign, and leaves RC and RD without one.
        amount = one.data["amount"].amount * (-1 if mark == "RC" else 1)
        assert Decimal(line.amount) == amount
        assert line.value_on == one.data["date"].isoformat()
        assert line.reference == one.data["customer_reference"]
