"""Writes a day's settlement file, in CSV or MT940, as the partner's sheet describes it.

The sheet is the ``settlement.file`` section of a profile in ``deploy/banks``, read here as plain
data: the bank has no code in common with who reads its files. Amounts are whole rupiah.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from deploy.bank.faults import Fault

# A control row is told by its first cell, so that must be none of its figures.
_ORDER = ("date", "reference", "virtual_account", "amount", "mark", "reverses", "text")


@dataclass(frozen=True, slots=True)
class Line:
    """One movement on the office's account. A negative ``amount`` is a debit.

    ``reverses`` is the reference of the credit that a debit takes back.
    """

    amount: int
    on: date
    reference: str = ""
    account: str = ""
    reverses: str = ""


def statement(
    sheet: Mapping[str, Any], day: date, lines: Sequence[Line], *, opening: int = 0
) -> bytes:
    """Return the file of a day. It balances: opening and lines make the closing."""
    write = _csv if sheet["kind"] == "csv" else _mt940
    return write(sheet, day, lines, opening)


def halved(content: bytes) -> bytes:
    """Return the first half of a file: what arrives when the line breaks."""
    return content[: len(content) // 2]


def spoiled(
    lines: Sequence[Line], fault: Fault, day: date, reference: str = "ORPHAN"
) -> list[Line]:
    """Return the lines with one fault of ``faults.IN_THE_FILE``; the last credit bears it.

    ``HALF_FILE`` is no fault of the lines: see ``halved``.
    """
    found = list(lines)
    last = next((i for i in reversed(range(len(found))) if found[i].amount > 0), None)
    if fault is Fault.ORPHAN:
        found.append(Line(125_000, day, f"{reference}{day:%d%m%y}"))
    elif last is None:
        return found
    elif fault is Fault.MISSING_LINE:
        del found[last]
    elif fault is Fault.DOUBLED_LINE:
        found.append(found[last])
    elif fault is Fault.OTHER_AMOUNT:
        found[last] = replace(found[last], amount=found[last].amount - 1_000)
    elif fault is Fault.BATCH:
        credits = sum(line.amount for line in found if line.amount > 0)
        debits = [line for line in found if line.amount < 0]
        found = [Line(credits, day, f"BATCH{day:%d%m%y}"), *debits]
    return found


def _csv(sheet: Mapping[str, Any], day: date, lines: Sequence[Line], opening: int) -> bytes:
    columns: Mapping[str, str] = sheet["columns"]
    headings = [columns[name] for name in _ORDER if columns.get(name)]
    total = sum(line.amount for line in lines)
    out = io.StringIO()
    rows = csv.DictWriter(out, headings, delimiter=sheet.get("delimiter", ","), restval="")
    rows.writeheader()

    def control(name: str, amount: int, count: int | None = None) -> None:
        stated = sheet.get(name)
        if stated is not None:
            row = {headings[0]: stated["label"], stated["amount"]: _amount(sheet, amount)}
            rows.writerow(row if count is None else row | {stated["count"]: str(count)})

    control("opening", opening)
    for line in lines:
        rows.writerow(_row(sheet, columns, line))
    control("totals", total, len(lines))
    control("closing", opening + total)
    return out.getvalue().encode(sheet.get("encoding", "utf-8"))


def _row(sheet: Mapping[str, Any], columns: Mapping[str, str], line: Line) -> dict[str, str]:
    marked = columns.get("mark")
    amount = abs(line.amount) if marked else line.amount
    told = {
        "date": line.on.strftime(sheet["date"]),
        "reference": line.reference,
        "virtual_account": line.account,
        "amount": _amount(sheet, amount),
        "mark": (sheet.get("credit", ["C"]) if line.amount > 0 else sheet.get("debit", ["D"]))[0],
        "reverses": line.reverses,
        "text": "",
    }
    return {heading: told[name] for name, heading in columns.items() if heading}


def _amount(sheet: Mapping[str, Any], amount: int) -> str:
    style: Mapping[str, str] = sheet.get("amount", {})
    digits = f"{abs(amount):,}".replace(",", style.get("grouping", ""))
    prefix = style.get("prefix", "")
    sign = "-" if amount < 0 else ""
    return f"{sign}{prefix + ' ' if prefix else ''}{digits}{style.get('decimal', '.')}00"


def _mt940(sheet: Mapping[str, Any], day: date, lines: Sequence[Line], opening: int) -> bytes:
    by_bank = sheet.get("reference") == "bank"
    written = [":20:STATEMENT", ":25:0012345678901", f":28C:{day.timetuple().tm_yday}/1"]
    written.append(f":60F:{_balance(opening, day)}")
    for line in lines:
        mark = "C" if line.amount > 0 else "D"
        own = line.reference or "NONREF"
        names = f"NONREF//{own}" if by_bank else own
        moved = f"{line.on:%y%m%d}{line.on:%m%d}{mark}{abs(line.amount)},00"
        written.append(f":61:{moved}NTRF{names}")
        said = [f"VA {line.account}"] if line.account else []
        said += [f"REV {line.reverses}"] if line.reverses else []
        if said:
            written.append(f":86:{' '.join(said)}")
    closing = opening + sum(line.amount for line in lines)
    written += [f":62F:{_balance(closing, day)}", "-", ""]
    return "\r\n".join(written).encode("ascii")


def _balance(amount: int, day: date) -> str:
    return f"{'C' if amount >= 0 else 'D'}{day:%y%m%d}IDR{abs(amount)},00"
