"""The bank's own books: accounts that the office opened, payments, what was taken back, faults.

One SQLite file in the data folder's ``bank/``, synced at every commit; several processes may use it
(the page, the host that the office calls, the ``jejak bank`` command).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path

from deploy.bank.faults import ON_THE_WIRE, FaultPlan
from shared.errors import NotFound, Refused

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
    account TEXT PRIMARY KEY, partner TEXT, amount INTEGER, name TEXT, open INTEGER
);
CREATE TABLE IF NOT EXISTS payments (
    request_id TEXT PRIMARY KEY, partner TEXT, account TEXT, amount INTEGER,
    reference TEXT UNIQUE, paid_at TEXT, posts_on TEXT, fault TEXT, state TEXT, told INTEGER,
    reversed_on TEXT
);
CREATE INDEX IF NOT EXISTS payments_by_account ON payments (account, paid_at);
CREATE INDEX IF NOT EXISTS payments_by_day ON payments (partner, posts_on);
CREATE TABLE IF NOT EXISTS plan (one INTEGER PRIMARY KEY CHECK (one = 1), rate REAL, seed INTEGER);
"""
_WAIT_SECONDS = 10.0


class UnknownPayment(NotFound):
    """The bank has no such payment."""

    code = "unknown-bank-payment"
    text = "The bank has no payment of this number."


class NotTaken(Refused):
    """A payment that never took money can't be taken back or told."""

    code = "no-money-moved"
    text = "No money moved with this payment, so there is nothing to take back."


@dataclass(frozen=True, slots=True)
class Account:
    """A virtual account as the office opened it. ``amount`` is in rupiah, ``name`` what is owed."""

    account: str
    partner: str
    amount: int
    name: str
    open: bool = True


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment in the books. Times are ISO 8601 in the partner's zone, days its value dates.

    ``state`` is ``asked`` (nobody knows yet whether it counts), ``paid``, ``refused`` or
    ``reversed``; ``told`` says that the office was told of it.
    """

    request_id: str
    partner: str
    account: str
    amount: int
    reference: str
    paid_at: str
    posts_on: str
    fault: str = ""
    state: str = "asked"
    told: bool = False
    reversed_on: str = ""


_COLUMNS = ", ".join(field.name for field in fields(Payment))
_VALUES = ", ".join(f":{field.name}" for field in fields(Payment))


class Ledger:
    """The books. Its calls are short, and each is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open ``file``, and make it where it is missing."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file, timeout=_WAIT_SECONDS, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._db:
            yield self._db

    def open_account(self, account: Account) -> bool:
        """Open an account, or change it; return whether it is new."""
        known = self.account(account.account) is not None
        with self._writing() as db:
            db.execute(
                "INSERT INTO accounts VALUES (:account, :partner, :amount, :name, :open)"
                " ON CONFLICT (account) DO UPDATE SET"
                " amount = excluded.amount, name = excluded.name, open = excluded.open",
                asdict(account),
            )
        return not known

    def account(self, number: str) -> Account | None:
        """Return an account."""
        row = self._db.execute("SELECT * FROM accounts WHERE account = ?", (number,)).fetchone()
        return None if row is None else Account(**{**dict(row), "open": bool(row["open"])})

    def save(self, payment: Payment) -> None:
        """Write a payment as it is now."""
        with self._writing() as db:
            db.execute(
                f"INSERT OR REPLACE INTO payments ({_COLUMNS}) VALUES ({_VALUES})", asdict(payment)
            )

    def payment(self, request_id: str) -> Payment:
        """Return a payment. Raises UnknownPayment."""
        found = self._payments("WHERE request_id = ?", request_id)
        if not found:
            raise UnknownPayment
        return found[0]

    def of_account(self, account: str) -> list[Payment]:
        """Return an account's payments, the oldest first."""
        return self._payments("WHERE account = ? ORDER BY paid_at", account)

    def latest(self, count: int = 20) -> list[Payment]:
        """Return the last payments, the newest first."""
        return self._payments("ORDER BY paid_at DESC LIMIT ?", count)

    def posted(self, partner: str, day: date) -> list[Payment]:
        """Return whose credit is booked on a day, in order."""
        return self._payments(
            "WHERE partner = ? AND posts_on = ? AND state IN ('paid', 'reversed')"
            " ORDER BY paid_at, request_id",
            partner,
            day.isoformat(),
        )

    def taken_back(self, partner: str, day: date) -> list[Payment]:
        """Return what was taken back on a day."""
        return self._payments(
            "WHERE partner = ? AND reversed_on = ? ORDER BY request_id", partner, day.isoformat()
        )

    def balance_before(self, partner: str, day: date) -> int:
        """Return what all days before came to, in rupiah."""
        (amount,) = self._db.execute(
            "SELECT (SELECT coalesce(sum(amount), 0) FROM payments WHERE partner = :p"
            " AND posts_on < :d AND state IN ('paid', 'reversed'))"
            " - (SELECT coalesce(sum(amount), 0) FROM payments WHERE partner = :p"
            " AND reversed_on != '' AND reversed_on < :d)",
            {"p": partner, "d": day.isoformat()},
        ).fetchone()
        return int(amount)

    def plan(self) -> FaultPlan:
        """Return by what rate and seed payments go wrong when nothing is asked for."""
        row = self._db.execute("SELECT rate, seed FROM plan").fetchone()
        return FaultPlan() if row is None else FaultPlan(row["rate"], row["seed"], ON_THE_WIRE)

    def set_plan(self, rate: float, seed: int) -> None:
        """Have a share of the coming payments go wrong."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO plan VALUES (1, ?, ?)", (rate, seed))

    def _payments(self, where: str, *values: object) -> list[Payment]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM payments {where}", values)
        return [Payment(**{**dict(row), "told": bool(row["told"])}) for row in rows]
