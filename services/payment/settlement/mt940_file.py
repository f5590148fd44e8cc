"""Reads an MT940 statement (SWIFT category 9), field by field.

Marks of ``:61:``: C is money in, D out, RC takes a credit back (out), RD takes a debit back (in).
Written here because ``mt-940`` reads a whole statement into memory and gives RC and RD no sign;
the tests hold this parser against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from services.payment.settlement.layout import AmountStyle, Mt940Layout
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

_SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1}
_MAX_FIELD = 2_048
# SWIFT's 15d: fifteen characters, the comma among them.
_AMOUNT = r"([0-9]{1,12},[0-9]{0,2}|[0-9]{13},[0-9]?|[0-9]{14},)"
_FIELD = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.ASCII | re.DOTALL)
_ENTRY = re.compile(
    r"([0-9]{6})(?:[0-9]{4})?(RC|RD|C|D)[A-Z]?"
    + _AMOUNT
    + r"[NSF][A-Z0-9]{3}((?:(?!//).){0,64}?)(?://(.{0,64}))?",
    re.ASCII,
)
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Z]{3})" + _AMOUNT, re.ASCII)
_NO_REFERENCE = "NONREF"

# tag -> what may come before it in a statement.
_AFTER = {
    "20": ("", "end"),
    "21": ("20",),
    "25": ("20", "21"),
    "28C": ("25",),
    "60": ("28C",),
    "61": ("60", "61", "86"),
    "86": ("61",),
    "86 of the statement": ("62", "64", "65"),
    "62": ("60", "61", "86"),
    "64": ("62",),
    "65": ("62", "64", "65"),
    "end": ("62", "64", "65", "86 of the statement"),
}


class _Field(NamedTuple):
    tag: str
    text: str
    row: int


def read_mt940(layout: Mt940Layout, path: Path) -> Iterator[SettlementLine | Summary]:
    """Yield the statement's lines, then its summary. Raises Unreadable with the row."""
    reader = _Reader(layout)
    row = 0
    try:
        for field in _fields(path, layout.encoding):
            row = field.row
            line = reader.field(field)
            if line is not None:
                yield line
        yield reader.summary()
    except Unreadable as refused:
        raise Unreadable(refused.reason, refused.line or row) from None


def _fields(path: Path, encoding: str) -> Iterator[_Field]:
    """Yield tag, text and first row of each field; ``end`` where a message ends."""
    tag, text, first = "", "", 0
    for row, raw in enumerate(text_lines(path, encoding), 1):
        line = raw.rstrip("\r\n")
        found = _FIELD.fullmatch(line) if line[:1] == ":" else None
        ends = line in ("-", "-}")
        if found is not None or ends:
            if tag:
                yield _Field(tag, text, first)
            tag, text, first = (found[1], found[2], row) if found is not None else ("", "", row)
            if ends:
                yield _Field("end", "", row)
        elif tag:
            text = f"{text}\n{line}"
            if len(text) > _MAX_FIELD:
                raise Unreadable("too-long", row)
        elif line and not line.startswith("{"):
            # Only SWIFT's own envelope may stand outside of a field.
            raise Unreadable("field", row)
    if tag:
        yield _Field(tag, text, first)


class _Reader:
    """Follows the order of the fields and turns entries with their narratives into lines."""

    def __init__(self, layout: Mt940Layout) -> None:
        self._layout = layout
        self._amount = amount_reader(AmountStyle(decimal=","))
        self._day = date_reader("%y%m%d")
        self._account_in = re.compile(layout.virtual_account) if layout.virtual_account else None
        self._original_in = re.compile(layout.reverses) if layout.reverses else None
        self._tally = Tally()
        self._state = ""
        # Entry waits until the field after it shows whether it has a narrative.
        self._entry: _Field | None = None
        self._account: str | None = None
        self._opening: int | None = None
        self._balance = 0
        self._counted = 0
        self._last_tag = ""
        self._tags: dict[str, Callable[[_Field], None]] = {
            "25": self._on_account,
            "60": self._on_opening,
            "61": self._on_entry,
            "62": self._on_closing,
        }

    def field(self, field: _Field) -> SettlementLine | None:
        """Take one field; return the line that it completed."""
        name = field.tag if field.tag == "61" else self._name(field.tag)
        if name == "20" and self._state in _AFTER["end"]:
            # Statements may follow each other without a sign between them.
            self._state = "end"
        if name not in _AFTER or self._state not in _AFTER[name]:
            raise Unreadable("field", field.row)
        completed = self._completed(field.text if name == "86" else "")
        self._state = name
        if name in self._tags:
            self._tags[name](field)
        if name == "62":
            self._last_tag = field.tag
        return completed

    def summary(self) -> Summary:
        """Return the summary once the last statement is closed for good."""
        if self._opening is None:
            raise Unreadable("empty" if not self._state else "truncated")
        if self._state not in (*_AFTER["end"], "end") or self._last_tag != "62F" or self._entry:
            raise Unreadable("truncated")
        return self._tally.summary(self._opening, self._balance)

    def _name(self, tag: str) -> str:
        if tag in ("60F", "60M", "62F", "62M"):
            return tag[:2]
        return "86 of the statement" if tag == "86" and self._state != "61" else tag

    def _on_account(self, field: _Field) -> None:
        if self._account is not None and self._account != field.text.strip():
            raise Unreadable("account", field.row)
        self._account = field.text.strip()

    def _on_opening(self, field: _Field) -> None:
        opening = self._stated(field)
        if self._opening is None:
            self._opening = opening
        elif opening != self._balance:
            # A page or a day is missing between two statements.
            raise Unreadable("unbalanced", field.row)
        self._balance = opening
        self._counted = self._tally.sum

    def _on_entry(self, field: _Field) -> None:
        self._entry = field

    def _on_closing(self, field: _Field) -> None:
        closing = self._stated(field)
        if self._balance + self._tally.sum - self._counted != closing:
            raise Unreadable("unbalanced", field.row)
        self._balance = closing

    def _stated(self, field: _Field) -> int:
        found = _BALANCE.fullmatch(field.text.rstrip())
        if found is None:
            raise Unreadable("field", field.row)
        if found[3] != "IDR":
            raise Unreadable("currency", field.row)
        self._day(found[2])
        return self._amount(found[4]) * (1 if found[1] == "C" else -1)

    def _completed(self, told: str) -> SettlementLine | None:
        """Return the entry that waited, with what ``:86:`` says about it."""
        entry, self._entry = self._entry, None
        if entry is None:
            return None
        try:
            line = self._line(entry, told)
        except Unreadable as refused:
            raise Unreadable(refused.reason, entry.row) from None
        self._tally.add(line)
        return line

    def _line(self, entry: _Field, told: str) -> SettlementLine:
        head, _, more = entry.text.partition("\n")
        found = _ENTRY.fullmatch(head.rstrip())
        if found is None:
            raise Unreadable("field")
        mark, customer, bank = found[2], found[4].strip(), (found[5] or "").strip()
        said = told.replace("\n", "").strip()
        own = bank if self._layout.reference == "bank" else customer
        own = "" if own == _NO_REFERENCE else reference(own)
        amount = self._amount(found[3])
        if not amount:
            raise Unreadable("amount")
        return SettlementLine(
            line=self._tally.lines + 1,
            amount=amount * _SIGNS[mark],
            value_on=self._day(found[1]),
            reference=own,
            virtual_account=account(_searched(self._account_in, said)),
            reverses=self._reverses(mark, own, said),
            text=narrative(said or more),
        )

    def _reverses(self, mark: str, own: str, said: str) -> str:
        found = _searched(self._original_in, said)
        return reference(found or (own if mark in ("RC", "RD") else ""))


def _searched(pattern: re.Pattern[str] | None, text: str) -> str:
    if pattern is None or (found := pattern.search(text)) is None:
        return ""
    return found[1] or ""
