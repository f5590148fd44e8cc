"""CSV as spreadsheets and programs read it: RFC 4180, and never a formula."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from services.payment.treasury.exports import csv_line

_FORMULAS = "=+-@\t\r\n"


def test_what_looks_like_a_formula_stays_a_text() -> None:
    cells = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "aman", -5]
    assert csv_line(cells).startswith("'=HYPERLINK(1),'+1,'-1,'@SUM(A1),'\t=1,' =1,aman,-5")


@given(st.lists(st.one_of(st.text(), st.integers()), min_size=1))
def test_a_record_reads_back_and_no_text_begins_a_formula(cells: list[str | int]) -> None:
    line = csv_line(cells)
    assert line.endswith("\r\n")
    (read,) = csv.reader(io.StringIO(line, newline=""), strict=True)
    assert len(read) == len(cells)
    for given_cell, cell in zip(cells, read, strict=True):
        assert cell.removeprefix("'") == str(given_cell).removeprefix("'")
        if isinstance(given_cell, str):
            assert not cell.lstrip(" ").startswith(tuple(_FORMULAS))
