"""Accounts in doubt: somebody may have paid and we don't know, so the bank is asked.

A row comes from an unsigned callback (a hint), or from an inquiry that no payment followed. It goes
when the bank's own signed answer is on record, or when there is nothing to doubt any more. One that
stays is shown to people; nobody is left "paid but stuck".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.payment.banks import waiting
from services.payment.banks.tables import Tables
from shared.database import Database
from shared.events import to_micros

HINT, INQUIRY = "hint", "inquiry"

_TABLE = """
CREATE TABLE IF NOT EXISTS bank_doubts (
    partner TEXT NOT NULL, virtual_account TEXT NOT NULL, office TEXT NOT NULL,
    reason TEXT NOT NULL, request_id TEXT NOT NULL, since_us BIGINT NOT NULL,
    due_us BIGINT NOT NULL, attempts BIGINT NOT NULL, alerted BIGINT NOT NULL,
    PRIMARY KEY (partner, virtual_account)
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS bank_doubts_due ON bank_doubts (due_us)"
_BY_ACCOUNT = "CREATE INDEX IF NOT EXISTS bank_doubts_account ON bank_doubts (virtual_account)"
_COLUMNS = "partner, virtual_account, office, reason, request_id, since_us, attempts, alerted"


class Doubt(NamedTuple):
    """One account that a partner is asked about. ``reason``: ``hint`` or ``inquiry``.

    ``office`` is empty while no bill has the account; ``since_us`` is in microseconds UTC;
    ``alerted`` is 1 when people were told.
    """

    partner: str
    virtual_account: str
    office: str
    reason: str
    request_id: str
    since_us: int
    attempts: int
    alerted: int


class Doubts:
    """The table."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        """Keep it in ``database``."""
        self._tables = Tables(database, (_TABLE, _INDEX, _BY_ACCOUNT))
        self._now = now

    async def note(
        self,
        partner: str,
        virtual_account: str,
        reason: str,
        *,
        office: str = "",
        request_id: str = "",
        wait: timedelta = timedelta(),
    ) -> None:
        """Doubt an account from now on, to be asked about after ``wait``.

        A hint is stronger than an inquiry. One that is doubted already is not asked about sooner
        than its pauses say: callers without a signature can't make us call the bank.
        """
        now = self._now()
        values = (
            partner,
            virtual_account,
            office,
            reason,
            request_id,
            to_micros(now),
            waiting.micros_in(now, wait),
        )
        await self._tables.transaction(
            lambda tx: tx.execute(
                "INSERT INTO bank_doubts (partner, virtual_account, office, reason, request_id, "
                "since_us, due_us, attempts, alerted) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0) "
                "ON CONFLICT (partner, virtual_account) DO UPDATE SET "
                "reason = excluded.reason, request_id = excluded.request_id, "
                "due_us = excluded.due_us, attempts = 0 "
                "WHERE bank_doubts.reason = 'inquiry' AND excluded.reason = 'hint'",
                values,
            )
        )

    async def parked(self, partner: str) -> int:
        """Count the partner's accounts that have no bill (yet)."""
        sql = "SELECT COUNT(*) FROM bank_doubts WHERE partner = ? AND office = ''"
        return int((await self._tables.query(sql, (partner,)))[0][0])

    async def take(self) -> Sequence[Doubt]:
        """Take what is due; nobody else takes it for a while."""
        now = self._now()
        rows = await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_doubts SET due_us = ?, attempts = attempts + 1 "
                "WHERE (partner, virtual_account) IN (SELECT partner, virtual_account "
                "FROM bank_doubts WHERE due_us <= ? ORDER BY due_us LIMIT ?) AND due_us <= ? "
                f"RETURNING {_COLUMNS}",
                (
                    waiting.micros_in(now, waiting.HOLD),
                    to_micros(now),
                    waiting.BATCH,
                    to_micros(now),
                ),
            )
        )
        return [Doubt(*row) for row in rows]

    async def settle(self, doubt: Doubt) -> None:
        """Doubt it no more."""
        await self._tables.transaction(
            lambda tx: tx.execute(
                "DELETE FROM bank_doubts WHERE partner = ? AND virtual_account = ?",
                (doubt.partner, doubt.virtual_account),
            )
        )

    async def again(self, doubt: Doubt, *, office: str, alerted: bool) -> None:
        """Ask again after a pause that grows."""
        due = waiting.micros_in(self._now(), waiting.pause(doubt.attempts))
        await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_doubts SET due_us = ?, office = ?, alerted = ? "
                "WHERE partner = ? AND virtual_account = ?",
                (due, office, int(alerted), doubt.partner, doubt.virtual_account),
            )
        )

    async def bill_appeared(self, virtual_account: str) -> None:
        """Ask at once about an account that was doubted before it had a bill."""
        sql = "SELECT 1 FROM bank_doubts WHERE virtual_account = ? LIMIT 1"
        if not await self._tables.peek(sql, (virtual_account,)):
            # As it is with almost every bill.
            return
        due = to_micros(self._now())
        await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_doubts SET due_us = ? WHERE virtual_account = ? AND due_us > ?",
                (due, virtual_account, due),
            )
        )

    async def of_office(self, office: str, limit: int = 100) -> Sequence[Doubt]:
        """Return the accounts that people were told of: the office's, and those of no bill."""
        rows = await self._tables.query(
            f"SELECT {_COLUMNS} FROM bank_doubts WHERE alerted = 1 AND office IN (?, '') "
            "ORDER BY since_us LIMIT ?",
            (office, limit),
        )
        return [Doubt(*row) for row in rows]
