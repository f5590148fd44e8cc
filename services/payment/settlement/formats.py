"""Which parser reads a partner's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.payment.settlement.csv_file import read_csv
from services.payment.settlement.layout import CsvLayout, Mt940Layout, SettlementLayout
from services.payment.settlement.mt940_file import read_mt940
from services.payment.settlement.reading import Summary
from shared.contracts.payment import SettlementLine


def read_file(layout: SettlementLayout, path: Path) -> Iterator[SettlementLine | Summary]:
    """Yield a file's lines in order and its summary as the last. Raises Unreadable.

    Flat in memory: one row is held at a time.
    """
    match layout.file:
        case CsvLayout() as csv_layout:
            return read_csv(csv_layout, path)
        case Mt940Layout() as mt940_layout:
            return read_mt940(mt940_layout, path)


def checked(layout: SettlementLayout, path: Path) -> Summary:
    """Read the whole file once and return what it states. Raises Unreadable."""
    for item in read_file(layout, path):
        if isinstance(item, Summary):
            return item
    raise AssertionError("a parser ends with its summary")
