"""What every parser yields, and what it says about a file that it can't read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from services.payment.settlement.layout import AmountStyle
from shared.contracts.payment import SettlementLine
from shared.errors import InvalidInput
from shared.money import MAX_RUPIAH
from shared.web.i18n import msg

# What a person reads about a refused file, by the code that the event holds.
REASONS = {
    "encoding": msg("The file is not written in the encoding that the bank's profile says."),
    "header": msg("The heading row does not have the columns that the bank's profile says."),
    "columns": msg("This row does not have as many columns as the heading."),
    "field": msg("This is not a field that belongs here."),
    "account": msg("The file has statements of more than one account."),
    "date": msg("This date can't be read."),
    "amount": msg("This amount can't be read."),
    "fraction": msg("This amount has a part of a rupiah."),
    "currency": msg("This balance is not in rupiah."),
    "mark": msg("This is neither a credit nor a debit."),
    "reference": msg("This reference can't be one: it is too long or has signs that none has."),
    "virtual-account": msg("This is not a virtual account number."),
    "count": msg("The file does not have as many lines as it says."),
    "total": msg("The lines do not add up to the sum that the file says."),
    "unbalanced": msg("Opening balance and lines do not add up to the closing balance."),
    "truncated": msg("The file ends too early."),
    "after-the-end": msg("There is more after the end of the statement."),
    "too-long": msg("This line is too long."),
    "empty": msg("The file has no lines."),
    "changed": msg("Parts of this file were recorded before and read differently then."),
}

MAX_LINE_BYTES = 8_192
_MAX_TEXT = 140
_REFERENCE = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{6,28}", re.ASCII)
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


class Unreadable(InvalidInput):
    """The file breaks a rule: ``reason`` is a code of ``REASONS``, ``line`` the row it is in."""

    code = "unreadable-settlement"
    text = "The settlement file can't be taken in."

    def __init__(self, reason: str, line: int = 0) -> None:
        """``line`` counts the file's own rows from 1; 0 when it is about the whole file."""
        self.reason = reason
        self.line = line
        super().__init__()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file states about itself and its lines were found to agree with. Rupiah, dates."""

    first_day: str
    last_day: str
    opening: int
    closing: int
    lines: int
    credits: int
    debits: int


@dataclass(slots=True)
class Tally:
    """Counts a file's lines while they are read, so that nothing has to be kept."""

    lines: int = 0
    credits: int = 0
    debits: int = 0
    first_day: str = ""
    last_day: str = ""

    def add(self, line: SettlementLine) -> None:
        """Count one line."""
        self.lines += 1
        if line.amount >= 0:
            self.credits += line.amount
        else:
            self.debits -= line.amount
        if not self.first_day or line.value_on < self.first_day:
            self.first_day = line.value_on
        if line.value_on > self.last_day:
            self.last_day = line.value_on

    @property
    def sum(self) -> int:
        """Credits less debits."""
        return self.credits - self.debits

    def summary(self, opening: int, closing: int) -> Summary:
        """Return what is known once the file balances. Raises Unreadable when it does not."""
        if not self.lines:
            raise Unreadable("empty")
        if opening + self.sum != closing:
            raise Unreadable("unbalanced")
        return Summary(
            self.first_day,
            self.last_day,
            opening,
            closing,
            self.lines,
            self.credits,
            self.debits,
        )


# A parser reads a file from its start, yields its lines and tells at the end what was stated.
Parser = Callable[[Path], Iterator[SettlementLine | Summary]]


def amount_reader(style: AmountStyle) -> Callable[[str], int]:
    """Return a function from a text to whole rupiah, exactly: no float is ever involved.

    It raises Unreadable with the reasons ``amount`` and ``fraction``.
    """
    group, point = re.escape(style.grouping), re.escape(style.decimal)
    grouped = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|" if group else ""
    prefix = rf"(?:{re.escape(style.prefix)} ?)?" if style.prefix else ""
    shape = re.compile(rf"(-?){prefix}({grouped}[0-9]{{1,17}})(?:{point}([0-9]{{0,2}}))?", re.ASCII)

    @lru_cache(maxsize=4096)
    def read(text: str) -> int:
        found = shape.fullmatch(text)
        if found is None:
            raise Unreadable("amount")
        if (found[3] or "0").strip("0"):
            raise Unreadable("fraction")
        value = int(found[2].replace(style.grouping, "") if style.grouping else found[2])
        if value > MAX_RUPIAH:
            raise Unreadable("amount")
        return -value if found[1] else value

    return read


def date_reader(form: str) -> Callable[[str], str]:
    """Return a function from a text in ``form`` (as ``strptime`` has it) to an ISO 8601 date."""

    @lru_cache(maxsize=4096)
    def read(text: str) -> str:
        try:
            found = datetime.strptime(text, form).date()
        except ValueError:
            raise Unreadable("date") from None
        # strptime takes "1/1/2026" and "١" too; what was written must be what is meant.
        if found.strftime(form) != text or not _FIRST_DAY <= found <= _LAST_DAY:
            raise Unreadable("date")
        return found.isoformat()

    return read


def reference(text: str) -> str:
    """Return a reference of printable ASCII, up to 64 characters, or nothing."""
    if text and _REFERENCE.fullmatch(text) is None:
        raise Unreadable("reference")
    return text


def account(text: str) -> str:
    """Return a virtual account's digits without the padding some banks print, or nothing."""
    digits = text.replace(" ", "")
    if digits and _ACCOUNT.fullmatch(digits) is None:
        raise Unreadable("virtual-account")
    return digits


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield a file's rows as they are, each of a bounded length.

    Raises Unreadable for a row that is too long or not in ``encoding``.
    """
    row = 0
    try:
        with path.open("rb") as file:
            while raw := file.readline(MAX_LINE_BYTES + 1):
                row += 1
                if len(raw) > MAX_LINE_BYTES:
                    raise Unreadable("too-long", row)
                # A byte order mark is no part of the text.
                yield raw.removeprefix(codecs.BOM_UTF8).decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("encoding", row) from None


def narrative(text: str) -> str:
    """Return a bank's words for people: cut to 140 characters, without control characters."""
    plain = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return plain[:_MAX_TEXT].strip()
