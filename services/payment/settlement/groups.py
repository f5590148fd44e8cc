"""Takes from the tables what belongs together, and writes back where everything was put.

Only what a new fact touches is looked at: the accounts (applications) of dirty lines and payments,
and for lines without an account the days around them. Every statement here uses an index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
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
    "matched, suspense_id, application_id, class, why, money_id, dirty"
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


class Touched(NamedTuple):
    """What new facts touched: applications, and (partner, day) of lines without one."""

    applications: list[str]
    days: list[tuple[str, date]]

    def __bool__(self) -> bool:
        """Say whether there is anything to do."""
        return bool(self.applications or self.days)


def touched(tx: Transaction, limit: int) -> Touched:
    """Give dirty lines their account where one is known, and return what is to be looked at."""
    moneys = tx.execute(
        "SELECT application_id, partner, request_id, reference, paid_on FROM settlement_moneys "
        "WHERE dirty > 0 LIMIT ?",
        (limit,),
    )
    applications = {row[0] for row in moneys}
    for application, partner, request, reference, _ in moneys:
        _claim(tx, application, partner, {request, reference})
    for row in _dirty_lines(tx, limit):
        _place_in_account(tx, row)
    days: set[tuple[str, date]] = set()
    for row in _dirty_lines(tx, limit):
        if row["application_id"]:
            applications.add(row["application_id"])
        else:
            days.add((row["partner"], date.fromisoformat(row["value_on"])))
    if not applications:
        return Touched([], sorted(days))
    # A payment may complete a day's batch; days come after the accounts, which come first.
    for _, partner, _, _, paid_on in moneys:
        _look_at_loose_lines(tx, partner, date.fromisoformat(paid_on))
    return Touched(sorted(applications), [])


def _dirty_lines(tx: Transaction, limit: int) -> list[dict[str, Any]]:
    names = ("settlement_id", "line", "partner", "value_on", "reference", "virtual_account")
    more = ("reverses", "application_id")
    rows = tx.execute(
        f"SELECT {', '.join(names + more)} FROM settlement_lines "
        "WHERE dirty > 0 AND accepted = 1 ORDER BY settlement_id, line LIMIT ?",
        (limit,),
    )
    return [dict(zip(names + more, row, strict=True)) for row in rows]


def _place_in_account(tx: Transaction, row: dict[str, Any]) -> None:
    """Find the application of a line: by its virtual account, else by a reference that is known."""
    application = row["application_id"]
    if not application and row["virtual_account"]:
        bills = tx.execute(
            "SELECT application_id FROM settlement_bills WHERE virtual_account = ? LIMIT 1",
            (row["virtual_account"],),
        )
        application = bills[0][0] if bills else ""
    names = {row["reference"], row["reverses"]} - {""}
    if not application:
        application = _known(tx, row["partner"], names)
    if application:
        tx.execute(
            "UPDATE settlement_lines SET application_id = ? "
            "WHERE settlement_id = ? AND line = ? AND application_id = ''",
            (application, row["settlement_id"], row["line"]),
        )
        _give_office(tx, application)
        _claim(tx, application, row["partner"], names)


def _give_office(tx: Transaction, application: str) -> None:
    """Let an application's lines belong to the office of its bills."""
    tx.execute(
        "UPDATE settlement_lines SET office = b.office FROM (SELECT MIN(office) AS office "
        "FROM settlement_bills WHERE application_id = ?) b "
        "WHERE application_id = ? AND b.office IS NOT NULL",
        (application, application),
    )


def _known(tx: Transaction, partner: str, names: Iterable[str]) -> str:
    """Return the application of a payment or a line that has one of these references."""
    for name in sorted(names):
        for table, column in (
            ("settlement_moneys", "reference"),
            ("settlement_moneys", "request_id"),
            ("settlement_lines", "reference"),
            ("settlement_lines", "reverses"),
        ):
            found = tx.execute(
                f"SELECT MIN(application_id) FROM {table} "
                f"WHERE {column} = ? AND partner = ? AND application_id <> '' AND {column} <> ''",
                (name, partner),
            )
            if found[0][0]:
                return str(found[0][0])
    return ""


def _claim(tx: Transaction, application: str, partner: str, names: Collection[str]) -> None:
    """Give lines that name one of these references, and no account, the same application."""
    for name in sorted(set(names) - {""}):
        for column in ("reference", "reverses"):
            tx.execute(
                "UPDATE settlement_lines SET application_id = ?, "
                "dirty = CASE WHEN dirty > 0 THEN dirty ELSE 1 END "
                f"WHERE {column} = ? AND {column} <> '' AND partner = ? "
                "AND application_id = '' AND accepted = 1 AND suspense_id = ''",
                (application, name, partner),
            )


def _look_at_loose_lines(tx: Transaction, partner: str, day: date) -> None:
    first, last = day - LINES_AROUND, day + LINES_AROUND
    tx.execute(
        "UPDATE settlement_lines SET dirty = 1 WHERE partner = ? AND class = ? "
        "AND value_on BETWEEN ? AND ? AND application_id = '' AND dirty = 0 AND accepted = 1",
        (partner, Class.PENDING, first.isoformat(), last.isoformat()),
    )


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


def look_again(tx: Transaction, partner: str, today: str) -> None:
    """Mark what waits for time to pass and was not looked at on ``today``."""
    tx.execute(
        "UPDATE settlement_lines SET dirty = 1 WHERE partner = ? AND class = ? "
        "AND looked_on < ? AND dirty = 0",
        (partner, Class.PENDING, today),
    )
    tx.execute(
        "UPDATE settlement_moneys SET dirty = 1 WHERE partner = ? AND class = ? "
        "AND looked_on < ? AND dirty = 0",
        (partner, Class.AWAITING_SETTLEMENT, today),
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
