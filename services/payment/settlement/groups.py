"""Takes from the tables what belongs together, and writes back where everything was put.

Every statement here uses an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from services.payment.settlement.batches import LINES_AROUND, MONEYS_AROUND, Loose
from services.payment.settlement.facts import (
    Account,
    Class,
    Line,
    LineId,
    Money,
    Place,
    Verdict,
)
from shared.database import Transaction

T = TypeVar("T")

# Placeholders in one statement, well below what either database takes.
_MARKS = 500
_LINE = (
    "settlement_id, line, partner, amount, value_on, reference, virtual_account, reverses, "
    "matched, suspense_id, application_id, class, why, money_id, dirty, "
    "EXISTS (SELECT 1 FROM settlement_aside a WHERE a.settlement_id = "
    "settlement_lines.settlement_id AND a.line = settlement_lines.line), "
    "EXISTS (SELECT 1 FROM settlement_explained x WHERE x.settlement_id = "
    "settlement_lines.settlement_id AND x.line = settlement_lines.line)"
)
_MONEY = (
    "money_id, application_id, bill_id, partner, request_id, reference, amount, paid_on, pays, "
    "late, billed, told, reversed, disputed, contradicted, settlement_id, line, class, dirty"
)


class Stamp(NamedTuple):
    """How a row was seen: its class then, and the position of what touched it last."""

    partner: str
    day: str
    name: str
    why: str
    money: str
    dirty: int


class Seen(NamedTuple):
    """Stamps of the lines and payments of a group."""

    lines: dict[LineId, Stamp]
    moneys: dict[str, Stamp]


def accounts(tx: Transaction, applications: Sequence[str]) -> tuple[list[Account], Seen]:
    """Return everything known of these applications."""
    lines: dict[str, list[Line]] = {name: [] for name in applications}
    moneys: dict[str, list[Money]] = {name: [] for name in applications}
    bills: dict[str, str] = {}
    seen = Seen({}, {})
    for some in _parts(applications):
        marks = ", ".join("?" * len(some))
        for row in tx.execute(
            f"SELECT {_LINE} FROM settlement_lines "
            f"WHERE application_id IN ({marks}) AND application_id <> '' AND accepted = 1",
            some,
        ):
            lines[row[10]].append(_line(row, seen))
        for row in tx.execute(
            f"SELECT {_MONEY} FROM settlement_moneys WHERE application_id IN ({marks})", some
        ):
            moneys[row[1]].append(_money(row, seen))
        for application, bill in tx.execute(
            "SELECT application_id, bill_id FROM settlement_bills "
            f"WHERE application_id IN ({marks}) ORDER BY position",
            some,
        ):
            bills[application] = bill
    found = [
        Account(
            application_id=name,
            bill_id=bills.get(name, ""),
            lines=lines[name],
            moneys=moneys[name],
        )
        for name in applications
    ]
    return found, seen


def loose(tx: Transaction, partner: str, day: date) -> tuple[Loose, Seen]:
    """Return a partner's lines without an account around a day, and its unsettled payments."""
    seen = Seen({}, {})
    around = ((day - LINES_AROUND).isoformat(), (day + LINES_AROUND).isoformat())
    rows = tx.execute(
        f"SELECT {_LINE} FROM settlement_lines WHERE partner = ? "
        "AND value_on BETWEEN ? AND ? AND application_id = '' AND accepted = 1",
        (partner, *around),
    )
    names = sorted({row[5] for row in rows} | {row[7] for row in rows} - {""})
    for some in _parts(names):
        marks = ", ".join("?" * len(some))
        for column in ("reference", "reverses"):
            rows += tx.execute(
                f"SELECT {_LINE} FROM settlement_lines WHERE {column} IN ({marks}) "
                f"AND {column} <> '' AND partner = ? AND application_id = '' AND accepted = 1",
                (*some, partner),
            )
    lines = {one.id: one for one in (_line(row, seen) for row in rows)}
    free = tx.execute(
        f"SELECT {_MONEY} FROM settlement_moneys WHERE partner = ? AND paid_on BETWEEN ? AND ? "
        "AND class IN (?, ?) AND settlement_id = '' AND reversed = 0 AND told = 1",
        (
            partner,
            (day - MONEYS_AROUND).isoformat(),
            (day + MONEYS_AROUND).isoformat(),
            Class.AWAITING_SETTLEMENT,
            Class.CALLBACK_NO_SETTLEMENT,
        ),
    )
    found = Loose(
        day=day,
        lines=[lines[key] for key in sorted(lines)],
        free=[_money(row, Seen({}, {})) for row in free],
        batches=_batches(tx, partner, day),
    )
    return found, seen


def _batches(tx: Transaction, partner: str, day: date) -> dict[LineId, int]:
    """Return the sums of the payments that lines around a day have settled."""
    around = ((day - LINES_AROUND).isoformat(), (day + LINES_AROUND).isoformat())
    rows = tx.execute(
        "SELECT l.settlement_id, l.line, SUM(m.amount) FROM settlement_moneys m "
        "JOIN settlement_lines l ON l.settlement_id = m.settlement_id AND l.line = m.line "
        "WHERE m.partner = ? AND m.paid_on BETWEEN ? AND ? AND m.settlement_id <> '' "
        "AND l.value_on BETWEEN ? AND ? AND l.application_id = '' "
        "GROUP BY l.settlement_id, l.line",
        (
            partner,
            (day - MONEYS_AROUND).isoformat(),
            (day + MONEYS_AROUND).isoformat(),
            *around,
        ),
    )
    return {LineId(settlement, line): int(amount) for settlement, line, amount in rows}


def save(tx: Transaction, verdict: Verdict, seen: Seen, today: str) -> set[tuple[str, str]]:
    """Write the classes; return the (partner, day) whose picture changed.

    A stamp is taken away only when nothing touched the row since it was read.
    """
    changed: set[tuple[str, str]] = set()
    for line, place in verdict.lines.items():
        stamp = seen.lines[line]
        if (stamp.name, stamp.why, stamp.money) != (place.name, place.why, place.money):
            changed.add((stamp.partner, stamp.day))
        _write_line(tx, line, place, stamp, today)
    for money, name in verdict.moneys.items():
        stamp = seen.moneys[money]
        if stamp.name != name:
            changed.add((stamp.partner, stamp.day))
        tx.execute(
            "UPDATE settlement_moneys SET class = ?, looked_on = ?, "
            "dirty = CASE WHEN dirty = ? THEN 0 ELSE dirty END WHERE money_id = ?",
            (name, today, stamp.dirty, money),
        )
    for partner, day in sorted(changed):
        tx.execute(
            "INSERT INTO settlement_days (partner, day, changed, digest, settled, lines, classes, "
            "proved_us, failed, failing_us) VALUES (?, ?, 1, '', 0, 0, '[]', 0, '', 0) "
            "ON CONFLICT (partner, day) DO UPDATE SET changed = settlement_days.changed + 1",
            (partner, day),
        )
    return changed


def _write_line(tx: Transaction, line: LineId, place: Place, stamp: Stamp, today: str) -> None:
    tx.execute(
        "UPDATE settlement_lines SET class = ?, why = ?, money_id = ?, looked_on = ?, "
        "dirty = CASE WHEN dirty = ? THEN 0 ELSE dirty END "
        "WHERE settlement_id = ? AND line = ?",
        (place.name, place.why, place.money, today, stamp.dirty, *line),
    )


def _line(row: Sequence[Any], seen: Seen) -> Line:
    found = LineId(row[0], row[1])
    seen.lines[found] = Stamp(row[2], row[4], row[11], row[12], row[13], row[14])
    return Line(
        id=found,
        partner=row[2],
        amount=row[3],
        value_on=date.fromisoformat(row[4]),
        reference=row[5],
        virtual_account=row[6],
        reverses=row[7],
        matched=row[8],
        held=row[9] != "",
        case=row[9],
        aside=bool(row[15]),
        explained=bool(row[16]),
    )


def _money(row: Sequence[Any], seen: Seen) -> Money:
    seen.moneys[row[0]] = Stamp(row[3], row[7], row[17], "", "", row[18])
    return Money(
        id=row[0],
        application_id=row[1],
        bill_id=row[2],
        partner=row[3],
        request_id=row[4],
        reference=row[5],
        amount=row[6],
        paid_on=date.fromisoformat(row[7]),
        pays=bool(row[8]),
        late=bool(row[9]),
        billed=row[10],
        reported=bool(row[11]),
        reversed=bool(row[12]),
        disputed=bool(row[13]),
        contradicted=bool(row[14]),
        settled=LineId(row[15], row[16]) if row[15] else None,
    )


def _parts(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, _MARKS)):
        yield some
