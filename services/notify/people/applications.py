"""Applications by their number, which is how people ask for what belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.codec import Codec
from shared.contracts.intake import ApplicationForwarded, ApplicationSubmitted
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.topics import INTAKE

_APPLICATIONS = """
CREATE TABLE IF NOT EXISTS applications_1 (
    number TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, office TEXT NOT NULL,
    code_hash TEXT NOT NULL
)
"""
_BY_APPLICATION = (
    "CREATE INDEX IF NOT EXISTS applications_1_application ON applications_1 (application_id)"
)


class Found(NamedTuple):
    """An application. ``code_hash`` is SHA-256 of its secret code, in hexadecimal."""

    number: str
    application_id: str
    office: str
    code_hash: str


class ApplicationsProjection:
    """Folds ``jejak.intake`` into ``applications``."""

    name = "notify-applications-1"
    topics = (INTAKE.name,)

    def __init__(self, codec: Codec) -> None:
        """Decode with ``codec``."""
        self._codec = codec

    def create(self, tx: Transaction) -> None:
        """Create the table."""
        tx.execute(_APPLICATIONS)
        tx.execute(_BY_APPLICATION)

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for one in recorded:
            if one.type not in ("ApplicationSubmitted", "ApplicationForwarded"):
                continue
            match self._codec.decode(one):
                case ApplicationSubmitted() as event:
                    tx.execute(
                        "INSERT INTO applications_1 (number, application_id, office, code_hash) "
                        "VALUES (?, ?, ?, ?) ON CONFLICT (number) DO NOTHING",
                        (event.number, event.application_id, event.office, event.code_hash),
                    )
                case ApplicationForwarded() as event:
                    tx.execute(
                        "UPDATE applications_1 SET office = ? WHERE application_id = ?",
                        (event.office, event.application_id),
                    )


class Applications:
    """Questions to the table."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database

    async def find(self, number: str) -> Found | None:
        """Return the application of a registration number as it is stored."""
        rows = await self._database.query(
            "SELECT number, application_id, office, code_hash FROM applications_1 WHERE number = ?",
            (number,),
        )
        return Found(*rows[0]) if rows else None
