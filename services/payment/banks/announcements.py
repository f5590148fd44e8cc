"""What the banks must be told about our bills, and what they were told.

A row is one account. Events only mark it; what is told is the bill as it stands when it is told, so
a bank that was away hears the end of the story and not all of it. A bill never waits for its bank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from services.payment.banks import waiting
from services.payment.banks.tables import Tables
from shared.database import Database
from shared.events import to_micros

_TABLE = """
CREATE TABLE IF NOT EXISTS bank_announcements (
    partner TEXT NOT NULL, application_id TEXT NOT NULL, marked BIGINT NOT NULL,
    told TEXT NOT NULL, told_marked BIGINT NOT NULL, due_us BIGINT NOT NULL,
    attempts BIGINT NOT NULL, alerted BIGINT NOT NULL,
    PRIMARY KEY (partner, application_id)
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS bank_announcements_due ON bank_announcements (due_us)"
# What is told waits for nothing: no instant is later.
_NEVER = 2**62


class Announcement(NamedTuple):
    """What one partner was told about one application's bill; ``told`` is empty for nothing.

    ``marked`` is the position of the last event that may have changed it.
    """

    partner: str
    application_id: str
    marked: int
    told: str
    attempts: int


class Announcements:
    """The table."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        """Keep it in ``database``."""
        self._tables = Tables(database, (_TABLE, _INDEX))
        self._now = now

    async def mark(self, partner: str, application_id: str, position: int) -> None:
        """Have the partner told; an event that was marked before marks nothing."""
        now = to_micros(self._now())
        await self._tables.transaction(
            lambda tx: tx.execute(
                "INSERT INTO bank_announcements (partner, application_id, marked, told, "
                "told_marked, due_us, attempts, alerted) VALUES (?, ?, ?, '', 0, ?, 0, 0) "
                "ON CONFLICT (partner, application_id) DO UPDATE SET marked = excluded.marked, "
                "due_us = excluded.due_us, attempts = 0 "
                "WHERE bank_announcements.marked < excluded.marked",
                (partner, application_id, position, now),
            )
        )

    async def mark_known(self, partner: str, application_id: str, position: int) -> None:
        """Have the partner told if it was to be told of this application before."""
        now = to_micros(self._now())
        await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_announcements SET marked = ?, due_us = ?, attempts = 0 "
                "WHERE partner = ? AND application_id = ? AND marked < ?",
                (position, now, partner, application_id, position),
            )
        )

    async def take(self) -> Sequence[Announcement]:
        """Take what is due; nobody else takes it for a while."""
        now = self._now()
        rows = await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_announcements SET due_us = ?, attempts = attempts + 1 "
                "WHERE (partner, application_id) IN (SELECT partner, application_id "
                "FROM bank_announcements WHERE due_us <= ? ORDER BY due_us LIMIT ?) "
                "AND due_us <= ? RETURNING partner, application_id, marked, told, attempts",
                (
                    waiting.micros_in(now, waiting.HOLD),
                    to_micros(now),
                    waiting.BATCH,
                    to_micros(now),
                ),
            )
        )
        return [Announcement(*row) for row in rows]

    async def told(self, one: Announcement, told: str) -> None:
        """Note what the bank knows now; what was marked meanwhile stays due."""
        await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_announcements SET told = ?, told_marked = ?, alerted = 0, "
                "due_us = CASE WHEN marked = ? THEN ? ELSE ? END, attempts = 0 "
                "WHERE partner = ? AND application_id = ?",
                (
                    told,
                    one.marked,
                    one.marked,
                    _NEVER,
                    to_micros(self._now()),
                    one.partner,
                    one.application_id,
                ),
            )
        )

    async def again(self, one: Announcement, *, alerted: bool) -> None:
        """Tell it again after a pause that grows."""
        due = waiting.micros_in(self._now(), waiting.pause(one.attempts))
        await self._tables.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_announcements SET due_us = ?, alerted = ? "
                "WHERE partner = ? AND application_id = ? AND marked = ?",
                (due, int(alerted), one.partner, one.application_id, one.marked),
            )
        )

    async def untold(self, limit: int = 100) -> Sequence[Announcement]:
        """Return what people were told of because a bank can't be told."""
        rows = await self._tables.query(
            "SELECT partner, application_id, marked, told, attempts FROM bank_announcements "
            "WHERE alerted = 1 ORDER BY due_us LIMIT ?",
            (limit,),
        )
        return [Announcement(*row) for row in rows]
