"""The read model ``bills``: a row per bill, found by account, number, office or due date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from shared.contracts import payment as events
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.projection import OfficeProjection
from shared.topics import PAYMENT

# A changed table is a new one, filled from the first event: read models are never migrated.
_TABLE = """
CREATE TABLE IF NOT EXISTS bills_2 (
    bill_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, number TEXT NOT NULL,
    office TEXT NOT NULL, permit_type TEXT NOT NULL, virtual_account TEXT NOT NULL,
    kind TEXT NOT NULL, letter TEXT NOT NULL, amount BIGINT NOT NULL, due_on TEXT NOT NULL,
    first_due_on TEXT NOT NULL, state TEXT NOT NULL, set_aside BIGINT NOT NULL,
    ordinal BIGINT NOT NULL, version BIGINT NOT NULL, issued_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL, paid_at TEXT NOT NULL, partner TEXT NOT NULL,
    reference TEXT NOT NULL
)
"""
_REJECTIONS = """
CREATE TABLE IF NOT EXISTS billing_rejections_2 (
    application_id TEXT NOT NULL PRIMARY KEY, number TEXT NOT NULL, office TEXT NOT NULL,
    reason TEXT NOT NULL, at_us BIGINT NOT NULL
)
"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS bills_2_account ON bills_2 (virtual_account)",
    "CREATE INDEX IF NOT EXISTS bills_2_number ON bills_2 (number)",
    "CREATE INDEX IF NOT EXISTS bills_2_application ON bills_2 (application_id)",
    "CREATE INDEX IF NOT EXISTS bills_2_office ON bills_2 (office, state, changed_us)",
    "CREATE INDEX IF NOT EXISTS bills_2_due ON bills_2 (office, state, due_on)",
)
# Placeholders in one statement, well below what either database takes.
_MARKS = 500


class BillRow(NamedTuple):
    """One bill. ``state`` is ``open``, ``paid``, ``expired``, ``replaced`` or ``cancelled``.

    ``set_aside`` is the money (rupiah) that came for it and could not pay it; ``first_due_on`` the
    due date of the SKRD that a late bill began with; ``ordinal`` its place among the application's
    bills, ``version`` the stream's at its last change. Instants are microseconds UTC.
    """

    bill_id: str
    application_id: str
    number: str
    office: str
    permit_type: str
    virtual_account: str
    kind: str
    letter: str
    amount: int
    due_on: str
    first_due_on: str
    state: str
    set_aside: int
    ordinal: int
    version: int
    issued_us: int
    changed_us: int
    paid_at: str
    partner: str
    reference: str


_COLUMNS = ", ".join(BillRow._fields)
_CHANGED = ", ".join(f"{name} = excluded.{name}" for name in BillRow._fields[1:])
_WRITE = (
    f"INSERT INTO bills_2 ({_COLUMNS}) VALUES ({', '.join('?' * len(BillRow._fields))}) "
    f"ON CONFLICT (bill_id) DO UPDATE SET {_CHANGED}"
)


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
    """Folds ``jejak.payment`` into the bills: a batch is one read, a fold, and one write."""

    name = "bills-2"
    topics = (PAYMENT.name,)
    statements = (_TABLE, _REJECTIONS, *_INDEXES)

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        told = [(self._codec.decode(one), one) for one in recorded]
        applications = {
            event.application_id for event, _ in told if getattr(event, "application_id", "")
        }
        rows = {row.bill_id: row for row in _known(tx, sorted(applications))}
        before = dict(rows)
        for event, one in told:
            if isinstance(event, events.BillingRejected):
                _reject(tx, event, one.occurred_us)
                self._on_office(event.office)
            else:
                _fold(rows, event, one)
        changed = [row for row in rows.values() if before.get(row.bill_id) != row]
        tx.executemany(_WRITE, changed)
        for office in {row.office for row in changed}:
            self._on_office(office)


def _known(tx: Transaction, applications: Sequence[str]) -> Iterator[BillRow]:
    for start in range(0, len(applications), _MARKS):
        some = applications[start : start + _MARKS]
        marks = ", ".join("?" * len(some))
        found = tx.execute(
            f"SELECT {_COLUMNS} FROM bills_2 WHERE application_id IN ({marks})", some
        )
        yield from (BillRow(*row) for row in found)


def _fold(rows: dict[str, BillRow], event: Any, recorded: Recorded) -> None:
    """Change what an event says of its bill's row."""
    if isinstance(event, events.BillIssued):
        rows.setdefault(event.bill_id, _issued(rows, event, recorded))
        return
    row = rows.get(getattr(event, "bill_id", ""))
    changes = _changes(row, event) if row is not None else {}
    if row is not None and changes:
        changes |= {"changed_us": recorded.occurred_us, "version": recorded.version}
        rows[row.bill_id] = row._replace(**changes)


def _changes(row: BillRow, event: Any) -> dict[str, Any]:
    match event:
        case events.BillCancelled():
            return {"state": "cancelled"}
        case events.BillExpired():
            return {"state": "expired"}
        case events.BillReplaced():
            return {"state": "replaced"}
        case events.PaymentReceived() as paid:
            return {
                "state": "paid",
                "paid_at": paid.paid_at,
                "partner": paid.partner,
                "reference": paid.reference,
            }
        case events.PaymentSetAside() | events.DuplicatePaymentFound() as held:
            return {"set_aside": row.set_aside + held.amount}
        case events.PaymentReversed(suspense_id="") if row.state == "paid":
            return {"state": "open", "paid_at": "", "partner": "", "reference": ""}
        case events.PaymentReversed(amount=amount) as back if back.suspense_id:
            return {"set_aside": row.set_aside - amount}
        case _:
            # Another event of this topic tells nothing about a bill's row.
            return {}


def _issued(rows: dict[str, BillRow], bill: events.BillIssued, recorded: Recorded) -> BillRow:
    earlier = rows.get(bill.replaces)
    late = earlier is not None and bill.kind == "strd"
    return BillRow(
        bill_id=bill.bill_id,
        application_id=bill.application_id,
        number=bill.number,
        office=bill.office,
        permit_type=bill.permit_type,
        virtual_account=bill.virtual_account,
        kind=bill.kind,
        letter=bill.letter,
        amount=bill.amount,
        due_on=bill.due_on,
        first_due_on=earlier.first_due_on if earlier and late else bill.due_on,
        state="open",
        set_aside=0,
        ordinal=earlier.ordinal + 1 if earlier else 1,
        version=recorded.version,
        issued_us=recorded.occurred_us,
        changed_us=recorded.occurred_us,
        paid_at="",
        partner="",
        reference="",
    )


def _reject(tx: Transaction, rejected: events.BillingRejected, at: int) -> None:
    tx.execute(
        "INSERT INTO billing_rejections_2 (application_id, number, office, reason, at_us) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (application_id) DO UPDATE "
        "SET reason = excluded.reason, at_us = excluded.at_us",
        (rejected.application_id, rejected.number, rejected.office, rejected.reason, at),
    )


class BillViews:
    """Questions to the read model."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database

    async def by_account(self, virtual_account: str) -> BillRow | None:
        """Return the bill behind a virtual account number (without padding)."""
        return await self._latest("virtual_account", virtual_account)

    async def by_number(self, number: str) -> BillRow | None:
        """Return the bill of a registration number."""
        return await self._latest("number", number)

    async def of_office(self, office: str, state: str, limit: int, offset: int) -> list[BillRow]:
        """Return an office's bills in a state, the last changed first."""
        rows = await self._database.query(
            f"SELECT {_COLUMNS} FROM bills_2 WHERE office = ? AND state = ? "
            "ORDER BY changed_us DESC, bill_id LIMIT ? OFFSET ?",
            (office, state, limit, offset),
        )
        return [BillRow(*row) for row in rows]

    async def overdue(
        self, office: str, state: str, today: str, since: str, after: tuple[str, str], limit: int
    ) -> list[BillRow]:
        """Return an office's bills in a state that were due before ``today``, earliest first.

        Of claims that were first due before ``since`` nothing more is asked. ``after`` is due date
        and id of the last row that was seen. Dates are ISO 8601.
        """
        rows = await self._database.query(
            f"SELECT {_COLUMNS} FROM bills_2 WHERE office = ? AND state = ? AND due_on < ? "
            "AND first_due_on >= ? AND (due_on > ? OR (due_on = ? AND bill_id > ?)) "
            "ORDER BY due_on, bill_id LIMIT ?",
            (office, state, today, since, after[0], *after, limit),
        )
        return [BillRow(*row) for row in rows]

    async def totals(self, office: str) -> dict[str, Totals]:
        """Return state -> count and sum of an office's bills."""
        rows = await self._database.query(
            "SELECT state, COUNT(*), SUM(amount) FROM bills_2 WHERE office = ? GROUP BY state",
            (office,),
        )
        return {state: Totals(count, int(amount)) for state, count, amount in rows}

    async def rejections(self, office: str, limit: int = 50) -> list[Rejection]:
        """Return an office's fees that could not be billed and still are not, the newest first."""
        rows = await self._database.query(
            "SELECT number, reason, at_us FROM billing_rejections_2 r WHERE office = ? "
            "AND NOT EXISTS (SELECT 1 FROM bills_2 b WHERE b.application_id = r.application_id "
            "AND b.issued_us > r.at_us) ORDER BY at_us DESC LIMIT ?",
            (office, limit),
        )
        return [Rejection(*row) for row in rows]

    async def _latest(self, column: str, value: str) -> BillRow | None:
        """Return the last of an application's bills that none took the place of."""
        # An indexed row or two: a bank's call is not held up by a thread and back.
        rows = await self._database.peek(
            f"SELECT {_COLUMNS} FROM bills_2 WHERE {column} = ? "
            "ORDER BY CASE WHEN state = 'replaced' THEN 1 ELSE 0 END, ordinal DESC LIMIT 1",
            (value,),
        )
        return BillRow(*rows[0]) if rows else None
