"""Exports: CSV that is RFC 4180 and never a formula, any length, and paper that ends."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from services.payment.treasury.exports import csv_line
from services.payment.treasury.lists import BILLS, ListQuery, TreasuryViews
from services.payment.treasury.papers import TooLongForPaper, paper
from services.payment.treasury.tables import STATEMENTS, BillRow
from services.payment.treasury.trail import EVENTS
from shared.contracts import BY_NAME
from shared.database import Transaction
from shared.database.sqlite import SqliteDatabase

_FORMULAS = "=+-@\t\r\n"


def test_what_looks_like_a_formula_stays_a_text() -> None:
    cells: list[str | int] = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "aman", -5]
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


async def test_a_long_list_is_read_in_batches_without_losing_or_repeating_a_row(
    tmp_path: Path,
) -> None:
    database = SqliteDatabase(tmp_path / "views.sqlite")
    rows = [_bill(number) for number in range(2_500)]

    def work(tx: Transaction) -> None:
        for statement in STATEMENTS:
            tx.execute(statement)
        marks = ", ".join("?" * len(BillRow._fields))
        tx.executemany(f"INSERT INTO treasury_bills ({BILLS.columns}) VALUES ({marks})", rows)

    await database.transaction(work)
    views, zone = TreasuryViews(database), ZoneInfo("Asia/Jakarta")
    batches = [batch async for batch in views.every(BILLS, "bogor", zone, ListQuery())]
    assert [len(batch) for batch in batches] == [1000, 1000, 500]
    assert [row.bill_id for batch in batches for row in batch] == [row.bill_id for row in rows]
    await database.close()


def _bill(number: int) -> BillRow:
    # Several bills of one instant: the key decides their order.
    at, name = number // 7, f"{number:06d}"
    return BillRow(
        name, name, name, "bogor", "situ", "1", "skrd", "", 1, "2026-02-04", "open", at, at
    )


def test_paper_ends_where_nobody_reads_on() -> None:
    heads = [("Nomor", False), ("Jumlah", True)]
    rows = [(f"<b>{n}</b> & sons", "Rp1") for n in range(60)]
    made = paper("Tagihan", ["Bogor"], heads, rows, "Halaman {page}", "id")
    pages = PdfReader(io.BytesIO(made)).pages
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        assert "Nomor" in text
        assert f"Halaman {number}" in text
    assert "<b>59</b> & sons" in pages[-1].extract_text()
    with pytest.raises(TooLongForPaper):
        paper("Tagihan", [], heads, rows * 40, "Halaman {page}", "id")


def test_every_event_of_payment_has_a_word_for_the_treasurer() -> None:
    assert set(EVENTS) == {kind.cls for kind in BY_NAME.values() if kind.service == "payment"}
