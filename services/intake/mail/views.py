"""The read model ``mails``: what came in at an office, without a word of what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from services.intake.mail.letter import ASIDE, FILED
from shared.contracts import intake as events
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.projection import OfficeProjection
from shared.topics import INTAKE

_TABLE = """
CREATE TABLE IF NOT EXISTS mails (
    mail_id TEXT NOT NULL PRIMARY KEY, office TEXT NOT NULL, status TEXT NOT NULL,
    received_us BIGINT NOT NULL, position BIGINT NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS mails_waiting ON mails (office, status, received_us)"
_INSERT = (
    "INSERT INTO mails (mail_id, office, status, received_us, position) "
    "VALUES (?, ?, 'waiting', ?, ?) ON CONFLICT (mail_id) DO NOTHING"
)
_MOVED = "UPDATE mails SET status = ?, position = ? WHERE mail_id = ? RETURNING office"


class MailRow(NamedTuple):
    """One mail. ``received_us`` is microseconds UTC."""

    mail_id: str
    status: str
    received_us: int


class MailsProjection(OfficeProjection):
    """Folds ``jejak.intake`` into ``mails``."""

    name = "mails"
    topics = (INTAKE.name,)
    statements = (_TABLE, _INDEX)

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for one in recorded:
            if one.stream.startswith("mail-"):
                self._change(tx, one, self._codec.decode(one))

    def _change(self, tx: Transaction, one: Recorded, event: object) -> None:
        match event:
            case events.MailReceived():
                tx.execute(_INSERT, (event.mail_id, event.office, one.occurred_us, one.position))
                self._on_office(event.office)
            case events.MailFiled():
                self._moved(tx, one, FILED, event.mail_id)
            case events.MailSetAside():
                self._moved(tx, one, ASIDE, event.mail_id)
            case _:
                return

    def _moved(self, tx: Transaction, one: Recorded, status: str, mail_id: str) -> None:
        for (office,) in tx.execute(_MOVED, (status, one.position, mail_id)):
            self._on_office(office)


class Mails:
    """Questions to the read model."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database

    async def queue(self, office: str, status: str, limit: int, offset: int = 0) -> list[MailRow]:
        """Return an office's mails in a status, the longest waiting first."""
        rows = await self._database.query(
            "SELECT mail_id, status, received_us FROM mails WHERE office = ? AND status = ? "
            "ORDER BY received_us, mail_id LIMIT ? OFFSET ?",
            (office, status, limit, offset),
        )
        return [MailRow(*row) for row in rows]

    async def counts(self, office: str) -> dict[str, int]:
        """Return status -> number of mails of an office."""
        rows = await self._database.query(
            "SELECT status, COUNT(*) FROM mails WHERE office = ? GROUP BY status", (office,)
        )
        return dict(rows)

    async def wait_for(self, mail_id: str, position: int, seconds: float = 2.0) -> bool:
        """Wait until the row has reached ``position``; False when it did not in time.

        So that who acted sees the effect on the next page.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            rows = await self._database.query(
                "SELECT position FROM mails WHERE mail_id = ?", (mail_id,)
            )
            if rows and rows[0][0] >= position:
                return True
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(0.02)
