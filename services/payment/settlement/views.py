"""Questions to the tables of reconciliation, for the treasurer's pages and the JSON API.

``office`` limits an answer to the lines and payments of one office: those of its own bills, and
those that name no bill where the office holds the account.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.payment.settlement.facts import Class
from services.payment.settlement.partners import Partners
from shared.contracts.payment import ClassTotal
from shared.database import Database

_FILE = (
    "settlement_id, partner, sha256, name, state, first_day, last_day, opening, closing, lines, "
    "recorded, credits, debits, reason, line, actor, changed_us"
)
_LINE = (
    "l.settlement_id, l.line, l.partner, l.amount, l.value_on, l.reference, l.virtual_account, "
    "l.reverses, l.text, l.office, l.application_id, l.bill_id, l.suspense_id, l.class, l.why, "
    "m.request_id, m.reference, m.paid_at"
)
_MONEY = (
    "application_id, bill_id, office, partner, request_id, reference, amount, paid_at, paid_on, "
    "source, suspense_id, settlement_id, line, class"
)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A settlement file. ``state`` is ``taking``, ``accepted`` or ``rejected``.

    ``recorded`` counts the lines that are recorded so far; ``reason`` is a code of
    ``reading.REASONS`` and ``line`` the file's row where it shows; times are microseconds UTC.
    """

    settlement_id: str
    partner: str
    sha256: str
    name: str
    state: str
    first_day: str
    last_day: str
    opening: int
    closing: int
    lines: int
    recorded: int
    credits: int
    debits: int
    reason: str
    line: int
    actor: str
    changed_us: int


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line with its class (empty: not looked at yet) and the payment it belongs to, if any.

    ``why`` is a code of ``wording.WHY``; the last three fields are the payment's.
    """

    settlement_id: str
    line: int
    partner: str
    amount: int
    value_on: str
    reference: str
    virtual_account: str
    reverses: str
    text: str
    office: str
    application_id: str
    bill_id: str
    suspense_id: str
    name: str
    why: str
    request_id: str | None
    payment_reference: str | None
    paid_at: str | None


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """A payment with its class and the line that settled it, if one did."""

    application_id: str
    bill_id: str
    office: str
    partner: str
    request_id: str
    reference: str
    amount: int
    paid_at: str
    paid_on: str
    source: str
    suspense_id: str
    settlement_id: str
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class DayRow:
    """A partner's day. ``digest`` is empty before its first proof.

    ``changed`` says that the picture changed since; ``failed`` is a code of ``wording.FAILED``.
    """

    partner: str
    day: str
    changed: bool
    digest: str
    settled: int
    lines: int
    classes: Sequence[ClassTotal]
    proved_us: int
    failed: str


class SettlementViews:
    """The questions."""

    def __init__(self, database: Database, partners: Partners) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database
        self._partners = partners

    def partners_of(self, office: str) -> list[str]:
        """Return the partners whose settlement account an office holds."""
        return [one.id for one in self._partners.settling() if one.layout.office == office]  # type: ignore[union-attr]

    async def files(self, partners: Sequence[str], limit: int, offset: int = 0) -> list[FileRow]:
        """Return the files of some partners, the last changed first."""
        marks = ", ".join("?" * len(partners)) or "''"
        rows = await self._database.query(
            f"SELECT {_FILE} FROM settlement_files WHERE partner IN ({marks}) "
            "ORDER BY changed_us DESC, settlement_id LIMIT ? OFFSET ?",
            (*partners, limit, offset),
        )
        return [FileRow(*row) for row in rows]

    async def file(self, settlement_id: str) -> FileRow | None:
        """Return one file."""
        rows = await self._database.query(
            f"SELECT {_FILE} FROM settlement_files WHERE settlement_id = ?", (settlement_id,)
        )
        return FileRow(*rows[0]) if rows else None

    async def lines(
        self,
        *,
        office: str = "",
        settlement_id: str = "",
        partner: str = "",
        day: str = "",
        name: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[LineRow]:
        """Return accepted lines by any of file, partner, value date, class and office.

        At least the file or the partner should be given. Order: value date, file, line.
        """
        wanted = {
            "l.office": office,
            "l.settlement_id": settlement_id,
            "l.partner": partner,
            "l.value_on": day,
            "l.class": name,
        }
        given = {column: value for column, value in wanted.items() if value}
        where = "".join(f" AND {column} = ?" for column in given)
        rows = await self._database.query(
            f"SELECT {_LINE} FROM settlement_lines l LEFT JOIN settlement_moneys m "
            f"ON m.money_id = l.money_id WHERE l.accepted = 1{where} "
            "ORDER BY l.value_on, l.settlement_id, l.line LIMIT ? OFFSET ?",
            (*given.values(), limit, offset),
        )
        return [LineRow(*row) for row in rows]

    async def line(self, settlement_id: str, line: int) -> LineRow | None:
        """Return one accepted line."""
        rows = await self._database.query(
            f"SELECT {_LINE} FROM settlement_lines l LEFT JOIN settlement_moneys m "
            "ON m.money_id = l.money_id WHERE l.accepted = 1 AND l.settlement_id = ? "
            "AND l.line = ?",
            (settlement_id, line),
        )
        return LineRow(*rows[0]) if rows else None

    async def settles(self, settlement_id: str, line: int) -> bool:
        """Say whether a payment was settled with this line, if only with a part of it."""
        return bool(
            await self._database.query(
                "SELECT 1 FROM settlement_moneys "
                "WHERE settlement_id = ? AND settlement_id <> '' AND line = ? LIMIT 1",
                (settlement_id, line),
            )
        )

    async def moneys(
        self,
        *,
        partner: str,
        day: str = "",
        name: str = "",
        office: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[MoneyRow]:
        """Return a partner's payments by any of day, class and office; the oldest first."""
        wanted = {"partner": partner, "paid_on": day, "class": name, "office": office}
        given = {column: value for column, value in wanted.items() if value}
        where = " AND ".join(f"{column} = ?" for column in given)
        rows = await self._database.query(
            f"SELECT {_MONEY} FROM settlement_moneys WHERE {where} "
            "ORDER BY paid_on, reference, money_id LIMIT ? OFFSET ?",
            (*given.values(), limit, offset),
        )
        return [MoneyRow(*row) for row in rows]

    async def candidates(self, row: LineRow, limit: int = 20) -> list[MoneyRow]:
        """Return unsettled payments of the same amount that a line could be, the nearest first."""
        rows = await self._database.query(
            f"SELECT {_MONEY} FROM settlement_moneys WHERE partner = ? AND amount = ? "
            "AND settlement_id = '' AND reversed = 0 AND class IN (?, ?) "
            "ORDER BY CASE WHEN paid_on = ? THEN 0 ELSE 1 END, paid_on DESC LIMIT ?",
            (
                row.partner,
                row.amount,
                Class.AWAITING_SETTLEMENT,
                Class.CALLBACK_NO_SETTLEMENT,
                row.value_on,
                limit,
            ),
        )
        return [MoneyRow(*found) for found in rows]

    async def totals(self, partner: str, day: str, office: str = "") -> list[ClassTotal]:
        """Return how many lines and unsettled payments of a day are in each class, and their sums.

        This is the present picture, which may be newer than the day's proof.
        """
        scope, values = (" AND office = ?", (office,)) if office else ("", ())
        rows = await self._database.query(
            "SELECT class, COUNT(*), SUM(amount) FROM settlement_lines WHERE partner = ? "
            f"AND value_on = ? AND accepted = 1{scope} GROUP BY class UNION ALL "
            "SELECT class, COUNT(*), SUM(amount) FROM settlement_moneys WHERE partner = ? "
            f"AND paid_on = ? AND class IN (?, ?){scope} GROUP BY class",
            (
                *(partner, day, *values, partner, day),
                *(Class.AWAITING_SETTLEMENT, Class.CALLBACK_NO_SETTLEMENT, *values),
            ),
        )
        found = [ClassTotal(name=name, count=count, amount=int(sum)) for name, count, sum in rows]
        return sorted(found, key=lambda total: total.name)

    async def days(self, partner: str, limit: int = 31, offset: int = 0) -> list[DayRow]:
        """Return a partner's days, the last first."""
        rows = await self._database.query(
            "SELECT partner, day, changed, digest, settled, lines, classes, proved_us, failed "
            "FROM settlement_days WHERE partner = ? ORDER BY day DESC LIMIT ? OFFSET ?",
            (partner, limit, offset),
        )
        return [_day(row) for row in rows]

    async def day(self, partner: str, day: str) -> DayRow | None:
        """Return one day of a partner."""
        rows = await self._database.query(
            "SELECT partner, day, changed, digest, settled, lines, classes, proved_us, failed "
            "FROM settlement_days WHERE partner = ? AND day = ?",
            (partner, day),
        )
        return _day(rows[0]) if rows else None

    async def bill_of(self, application_id: str) -> str:
        """Return the id of an application's last bill, or nothing."""
        rows = await self._database.query(
            "SELECT bill_id FROM settlement_bills WHERE application_id = ? "
            "ORDER BY position DESC LIMIT 1",
            (application_id,),
        )
        return str(rows[0][0]) if rows else ""


def _day(row: Sequence[Any]) -> DayRow:
    partner, day, changed, digest, settled, lines, classes, proved_us, failed = row
    totals = [ClassTotal(**one) for one in json.loads(classes)]
    return DayRow(partner, day, changed > 0, digest, settled, lines, totals, proved_us, failed)
