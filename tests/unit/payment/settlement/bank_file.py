"""Settlement files as the tests' bank writes them, with code of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from services.payment.settlement.layout import SettlementLayout

# A Tuesday: the bank's file about it comes on Wednesday.
DAY = date(2026, 1, 6)

CSV: Mapping[str, Any] = {
    "kind": "csv",
    "delimiter": ";",
    "columns": {
        "date": "Tanggal",
        "reference": "NTB",
        "virtual_account": "No VA",
        "amount": "Nominal",
        "mark": "D/K",
        "reverses": "NTB Asal",
        "text": "Keterangan",
    },
    "date": "%d/%m/%Y",
    "amount": {"decimal": ",", "grouping": ".", "prefix": "Rp"},
    "credit": ["K"],
    "debit": ["D"],
    "opening": {"label": "SALDO AWAL", "amount": "Nominal"},
    "closing": {"label": "SALDO AKHIR", "amount": "Nominal"},
    "totals": {"label": "JUMLAH", "count": "NTB", "amount": "Nominal"},
}
HEADING = "Tanggal;NTB;No VA;Nominal;D/K;NTB Asal;Keterangan"


def layout(**changes: Any) -> SettlementLayout:
    """Return how the test's bank settles, with ``changes``."""
    return SettlementLayout.model_validate({"office": "bogor", "file": CSV, **changes})


class Row(NamedTuple):
    """One line that the bank writes. A negative amount is a debit."""

    amount: int
    reference: str = ""
    account: str = ""
    on: date = DAY
    reverses: str = ""


def rupiah(amount: int) -> str:
    """Return an amount as this bank writes it."""
    return "Rp " + f"{abs(amount):,}".replace(",", ".") + ",00"


def csv_file(rows: Sequence[Row], opening: int = 0, name: str = "") -> bytes:
    """Return a file of ``rows`` that balances; ``name`` makes it another file."""
    closing = opening + sum(row.amount for row in rows)
    lines = [
        HEADING,
        f"SALDO AWAL;;;{_signed(opening)};;;{name}",
        *(
            f"{row.on:%d/%m/%Y};{row.reference};{row.account};{rupiah(row.amount)};"
            f"{'K' if row.amount > 0 else 'D'};{row.reverses};"
            for row in rows
        ),
        f"JUMLAH;{len(rows)};;{_signed(closing - opening)};;;",
        f"SALDO AKHIR;;;{_signed(closing)};;;",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def _signed(amount: int) -> str:
    return ("-" if amount < 0 else "") + rupiah(amount)
