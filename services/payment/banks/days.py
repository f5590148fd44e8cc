"""Which business days of which partners were read from the partner's own report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from services.payment.banks import waiting
from services.payment.banks.tables import Tables
from shared.database import Database, Transaction
from shared.events import to_micros

_TABLE = """
CREATE TABLE IF NOT EXISTS bank_days (
    partner TEXT NOT NULL, day TEXT NOT NULL, due_us BIGINT NOT NULL, attempts BIGINT NOT NULL,
    done BIGINT NOT NULL,
    PRIMARY KEY (partner, day)
)
"""


class Days:
    """The table, and what this process knows to be done."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        """Keep it in ``database``."""
        self._tables = Tables(database, (_TABLE,))
        self._now = now
        self._done: dict[str, date] = {}

    def due(self, partner: str, day: date) -> bool:
        """Say whether a day may still have to be read; asks no table."""
        return self._done.get(partner) != day

    async def take(self, partner: str, day: date) -> bool:
        """Take a day to read, unless it was read or somebody else is at it."""
        now, key = self._now(), (partner, day.isoformat())

        def work(tx: Transaction) -> tuple[bool, bool]:
            tx.execute(
                "INSERT INTO bank_days (partner, day, due_us, attempts, done) "
                "VALUES (?, ?, 0, 0, 0) ON CONFLICT (partner, day) DO NOTHING",
                key,
            )
            taken = tx.execute(
                "UPDATE bank_days SET due_us = ?, attempts = attempts + 1 "
                "WHERE partner = ? AND day = ? AND done = 0 AND due_us <= ? RETURNING attempts",
                (waiting.micros_in(now, waiting.HOLD), *key, to_micros(now)),
            )
            done = tx.execute(
                "SELECT 1 FROM bank_days WHERE partner = ? AND day = ? AND done = 1", key
            )
            return bool(taken), bool(done)

        taken, done = await self._tables.transaction(work)
        if done:
            self._done[partner] = day
        return taken

    async def again(self, partner: str, day: date) -> None:
        """Read it later."""
        now = self._now()
        await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_days SET due_us = ? WHERE partner = ? AND day = ?",
                (waiting.micros_in(now, waiting.LONGEST / 12), partner, day.isoformat()),
            )
        )

    async def done(self, partner: str, day: date) -> None:
        """Note that it was read to its end."""
        await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_days SET done = 1 WHERE partner = ? AND day = ?",
                (partner, day.isoformat()),
            )
        )
        self._done[partner] = day
