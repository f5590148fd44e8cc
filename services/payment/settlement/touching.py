"""Finds what new facts touch: only that is looked at, never the whole history.

The accounts (applications) of dirty lines and payments, and for lines without an account the days
around them. Every statement here uses an index; one that holds for a part of the rows is used only
where the statement itself says that it asks for those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, NamedTuple

from services.payment.settlement.batches import LINES_AROUND
from services.payment.settlement.facts import Class
from shared.database import Transaction


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
    for partner, paid_on in sorted({(row[1], row[4]) for row in moneys}):
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
        "WHERE application_id = ? AND application_id <> '' AND b.office IS NOT NULL",
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
        f"UPDATE settlement_lines SET dirty = 1 WHERE partner = ? AND class = '{Class.PENDING}' "
        "AND value_on BETWEEN ? AND ? AND application_id = '' AND dirty = 0 AND accepted = 1",
        (partner, first.isoformat(), last.isoformat()),
    )


def look_again(tx: Transaction, partner: str, today: str) -> None:
    """Mark what waits for time to pass and was not looked at on ``today``."""
    tx.execute(
        f"UPDATE settlement_lines SET dirty = 1 WHERE partner = ? AND class = '{Class.PENDING}' "
        "AND looked_on < ? AND dirty = 0",
        (partner, today),
    )
    tx.execute(
        "UPDATE settlement_moneys SET dirty = 1 WHERE partner = ? "
        f"AND class = '{Class.AWAITING_SETTLEMENT}' AND looked_on < ? AND dirty = 0",
        (partner, today),
    )
