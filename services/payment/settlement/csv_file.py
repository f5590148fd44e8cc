"""Reads a settlement file in CSV, row by row, as the partner's profile describes it.

Nothing is guessed: a heading that is missing, a row of another width, an amount in another style
or anything behind the last control row refuses the whole file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.payment.settlement.layout import CsvLayout
from services.payment.settlement.reading import (
    Summary,
    Tally,
    Unreadable,
    account,
    amount_reader,
    date_reader,
    narrative,
    reference,
    text_lines,
)
from shared.contracts.payment import SettlementLine


def read_csv(layout: CsvLayout, path: Path) -> Iterator[SettlementLine | Summary]:
    """Yield the file's lines, then its summary. Raises Unreadable with the row."""
    rows = csv.reader(text_lines(path, layout.encoding), delimiter=layout.delimiter, strict=True)
    try:
        heading = [cell.strip() for cell in next(rows, [])]
        reader = _Reader(layout, heading)
        for row in rows:
            if any(row) and (line := reader.row(row)) is not None:
                yield line
        yield reader.summary()
    except Unreadable as refused:
        raise Unreadable(refused.reason, refused.line or rows.line_num) from None
    except csv.Error:
        raise Unreadable("field", rows.line_num) from None


class _Reader:
    """Turns rows into lines and remembers what the control rows stated."""

    def __init__(self, layout: CsvLayout, heading: list[str]) -> None:
        self._layout = layout
        self._width = len(heading)
        self._place = _places(layout, heading)
        self._amount = amount_reader(layout.amount)
        self._date = date_reader(layout.date)
        self._marks = dict.fromkeys(layout.credit, 1) | dict.fromkeys(layout.debit, -1)
        controls = {"opening": layout.opening, "closing": layout.closing, "totals": layout.totals}
        self._controls = {row.label: name for name, row in controls.items() if row is not None}
        self._stated: dict[str, int] = {}
        self._tally = Tally()

    def row(self, row: list[str]) -> SettlementLine | None:
        """Return the line in a row, or None for a control row."""
        if len(row) != self._width:
            raise Unreadable("columns")
        control = self._controls.get(row[0].strip())
        if control is not None:
            self._control(control, row)
            return None
        if self._stated.keys() - {"opening"}:
            raise Unreadable("after-the-end")
        line = self._line(row)
        self._tally.add(line)
        return line

    def summary(self) -> Summary:
        """Compare what was counted with what the file stated."""
        for name in self._controls.values():
            if name not in self._stated:
                raise Unreadable("truncated")
        if self._layout.totals is not None:
            if self._stated["count"] != self._tally.lines:
                raise Unreadable("count")
            if self._stated["totals"] != self._tally.sum:
                raise Unreadable("total")
        opening = self._stated.get("opening", 0)
        return self._tally.summary(opening, self._stated.get("closing", opening + self._tally.sum))

    def _control(self, name: str, row: list[str]) -> None:
        if name in self._stated:
            raise Unreadable("field")
        if name == "opening" and (self._tally.lines or self._stated):
            raise Unreadable("after-the-end")
        stated = getattr(self._layout, name)
        self._stated[name] = self._amount(row[self._place[stated.amount]].strip())
        if name == "totals":
            count = row[self._place[stated.count]].strip()
            if not (count.isascii() and count.isdigit() and len(count) <= 9):
                raise Unreadable("count")
            self._stated["count"] = int(count)

    def _line(self, row: list[str]) -> SettlementLine:
        columns = self._layout.columns
        amount = self._amount(row[self._place[columns.amount]].strip())
        if columns.mark:
            sign = self._marks.get(row[self._place[columns.mark]].strip())
            if sign is None:
                raise Unreadable("mark")
            if amount < 0:
                raise Unreadable("amount")
            amount *= sign
        if not amount:
            raise Unreadable("amount")
        return SettlementLine(
            line=self._tally.lines + 1,
            amount=amount,
            value_on=self._date(row[self._place[columns.date]].strip()),
            reference=reference(self._cell(row, columns.reference)),
            virtual_account=account(self._cell(row, columns.virtual_account)),
            reverses=reference(self._cell(row, columns.reverses)),
            text=narrative(self._cell(row, columns.text)),
        )

    def _cell(self, row: list[str], column: str) -> str:
        return row[self._place[column]].strip() if column else ""


def _places(layout: CsvLayout, heading: list[str]) -> Mapping[str, int]:
    """Return heading -> place of its column. Raises Unreadable when one is missing or twice."""
    wanted = {name for name in layout.columns.model_dump().values() if name}
    for control in (layout.opening, layout.closing, layout.totals):
        if control is not None:
            wanted |= set(control.model_dump(exclude={"label"}).values())
    if any(heading.count(name) != 1 for name in wanted):
        raise Unreadable("header", 1)
    return {name: heading.index(name) for name in wanted}
