"""The read model ``bills``: one row per bill, found by virtual account, number and office."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.contracts import payment as events
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.projection import OfficeProjection
from shared.topics import PAYMENT

_TABLE = """
CREATE TABLE IF NOT EXISTS bills (
    bill_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, number TEXT NOT NULL,
    office TEXT NOT NULL, permit_type TEXT NOT NULL, virtual_account TEXT NOT NULL,
    amount BIGINT NOT NULL, due_on TEXT NOT NULL, state TEXT NOT NULL, issued_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL, paid_at TEXT NOT NULL, partner TEXT NOT NULL,
    reference TEXT NOT NULL
)
"""
_REJECTIONS = """
CREATE TABLE IF NOT EXISTS billing_rejections (
    application_id TEXT NOT NULL PRIMARY KEY, number TEXT NOT NULL, office TEXT NOT NULL,
    reason TEXT NOT NULL, at_us BIGINT NOT NULL
)
"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS bills_account ON bills (virtual_account)",
    "CREATE INDEX IF NOT EXISTS bills_number ON bills (number)",
    "CREATE INDEX IF NOT EXISTS bills_office ON bills (office, changed_us)",
)
_COLUMNS = (
    "bill_id, application_id, number, office, permit_type, virtual_account, amount, due_on, "
    "state, issued_us, changed_us, paid_at, partner, reference"
)


class BillRow(NamedTuple):
    """One bill. ``state`` is ``open``, ``paid`` or ``cancelled``; times are microseconds UTC."""

    bill_id: str
    application_id: str
    number: str
    office: str
    permit_type: str
    virtual_account: str
    amount: int
    due_on: str
    state: str
    issued_us: int
    changed_us: int
    paid_at: str
    partner: str
    reference: str


class Rejection(NamedTuple):
    """A fee for which no bill could be issued. ``reason`` is an error code."""

    number: str
    reason: str
    at_us: int


class Totals(NamedTuple):
    """How many bills of an office are in a state, and their sum in rupiah."""

    bills: int
    amount: int


class BillsProjection(OfficeProjection):
    """Folds ``jejak.payment`` into ``bills``."""

    name = "bills"
    topics = (PAYMENT.name,)
    statements = (_TABLE, _REJECTIONS, *_INDEXES)

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for one in recorded:
            match self._codec.decode(one):
                case events.BillIssued() as bill:
                    self._issue(tx, bill, one.occurred_us)
                case events.PaymentReceived() as paid:
                    self._change(
                        tx,
                        paid.bill_id,
                        "state = 'paid', paid_at = ?, partner = ?, reference = ?",
                        (paid.paid_at, paid.partner, paid.reference),
                        one.occurred_us,
                    )
                case events.BillCancelled() as cancelled:
                    state = "state = 'cancelled'"
                    self._change(tx, cancelled.bill_id, state, (), one.occurred_us)
                case events.BillingRejected() as rejected:
                    self._reject(tx, rejected, one.occurred_us)
                case _:
                    # Another event of this topic tells nothing about a bill's row.
                    continue

    def _issue(self, tx: Transaction, bill: events.BillIssued, at: int) -> None:
        tx.execute(
            f"INSERT INTO bills ({_COLUMNS}) VALUES ({', '.join('?' * 14)}) "
            "ON CONFLICT (bill_id) DO NOTHING",
            (
                bill.bill_id,
                bill.application_id,
                bill.number,
                bill.office,
                bill.permit_type,
                bill.virtual_account,
                bill.amount,
                bill.due_on,
                "open",
                at,
                at,
                "",
                "",
                "",
            ),
        )
        self._on_office(bill.office)

    def _reject(self, tx: Transaction, rejected: events.BillingRejected, at: int) -> None:
        tx.execute(
            "INSERT INTO billing_rejections (application_id, number, office, reason, at_us) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (application_id) DO UPDATE "
            "SET reason = excluded.reason, at_us = excluded.at_us",
            (rejected.application_id, rejected.number, rejected.office, rejected.reason, at),
        )
        self._on_office(rejected.office)

    def _change(
        self, tx: Transaction, bill_id: str, change: str, values: tuple[str, ...], at: int
    ) -> None:
        rows = tx.execute(
            f"UPDATE bills SET {change}, changed_us = ? WHERE bill_id = ? RETURNING office",
            (*values, at, bill_id),
        )
        for (office,) in rows:
            self._on_office(office)


class BillViews:
    """Questions to the read model."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database

    async def by_account(self, virtual_account: str) -> BillRow | None:
        """Return the bill behind a virtual account number (without padding)."""
        return await self._one("virtual_account", virtual_account)

    async def by_number(self, number: str) -> BillRow | None:
        """Return the bill of a registration number."""
        return await self._one("number", number)

    async def of_office(self, office: str, state: str, limit: int, offset: int) -> list[BillRow]:
        """Return an office's bills in a state, the last changed first."""
        rows = await self._database.query(
            f"SELECT {_COLUMNS} FROM bills WHERE office = ? AND state = ? "
            "ORDER BY changed_us DESC, bill_id LIMIT ? OFFSET ?",
            (office, state, limit, offset),
        )
        return [BillRow(*row) for row in rows]

    async def totals(self, office: str) -> dict[str, Totals]:
        """Return state -> count and sum of an office's bills."""
        rows = await self._database.query(
            "SELECT state, COUNT(*), SUM(amount) FROM bills WHERE office = ? GROUP BY state",
            (office,),
        )
        return {state: Totals(count, int(amount)) for state, count, amount in rows}

    async def rejections(self, office: str, limit: int = 50) -> list[Rejection]:
        """Return an office's fees that could not be billed and still are not, the newest first."""
        rows = await self._database.query(
            "SELECT number, reason, at_us FROM billing_rejections r WHERE office = ? "
            "AND NOT EXISTS (SELECT 1 FROM bills b WHERE b.application_id = r.application_id "
            "AND b.issued_us > r.at_us) ORDER BY at_us DESC LIMIT ?",
            (office, limit),
        )
        return [Rejection(*row) for row in rows]

    async def _one(self, column: str, value: str) -> BillRow | None:
        rows = await self._database.query(
            f"SELECT {_COLUMNS} FROM bills WHERE {column} = ?", (value,)
        )
        return BillRow(*rows[0]) if rows else None
