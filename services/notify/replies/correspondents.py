"""Read models for those who write to us: whose applications, which open stalls, what was digested.

Persons stand under their keyed name. A row is a hint where to look: what counts is read again from
the streams that it names, so an event that is late on another topic tells nobody anything untrue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from services.notify.people.persons import Persons
from shared.codec import Codec
from shared.contracts import BY_CLASS, intake, notify, workflow
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.topics import INTAKE, NOTIFY, WORKFLOW

_TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS writers_1 (
        application_id TEXT NOT NULL PRIMARY KEY, person TEXT NOT NULL, submitted_us BIGINT NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS writers_1_person ON writers_1 (person, submitted_us)",
    """
    CREATE TABLE IF NOT EXISTS stalls_1 (
        stall_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, explained BIGINT NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS stalls_1_application ON stalls_1 (application_id, explained)",
    """
    CREATE TABLE IF NOT EXISTS digested_1 (
        message_id TEXT NOT NULL PRIMARY KEY, into_id TEXT NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS digested_1_into ON digested_1 (into_id)",
)
_ENDS: Final = (
    workflow.PermitRejected,
    workflow.PermitWithdrawn,
    workflow.PermitClosed,
)
_WANTED: Final = (
    intake.ApplicationSubmitted,
    intake.ApplicantPhoneCorrected,
    workflow.StallExplanationRequested,
    workflow.StallExplained,
    notify.MessageDigested,
    *_ENDS,
)


class CorrespondentsProjection:
    """Folds what is needed to understand replies."""

    name = "correspondents-1"
    topics = (INTAKE.name, WORKFLOW.name, NOTIFY.name)

    def __init__(self, codec: Codec, persons: Persons) -> None:
        """``persons`` names applicants by their number."""
        self._codec = codec
        self._persons = persons
        self._types = {BY_CLASS[cls].name for cls in _WANTED}

    def create(self, tx: Transaction) -> None:
        """Create the tables and indexes that are missing."""
        for statement in _TABLES:
            tx.execute(statement)

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for one in recorded:
            if one.type in self._types:
                self._take(tx, self._codec.decode(one), one)

    def _take(self, tx: Transaction, event: Any, one: Recorded) -> None:
        match event:
            case intake.ApplicationSubmitted():
                tx.execute(
                    "INSERT INTO writers_1 (application_id, person, submitted_us) "
                    "VALUES (?, ?, ?) ON CONFLICT (application_id) DO NOTHING",
                    (
                        event.application_id,
                        self._persons.of(event.applicant.phone),
                        one.occurred_us,
                    ),
                )
            case intake.ApplicantPhoneCorrected():
                tx.execute(
                    "UPDATE writers_1 SET person = ? WHERE application_id = ?",
                    (self._persons.of(event.phone), event.application_id),
                )
            case workflow.StallExplanationRequested():
                tx.execute(
                    "INSERT INTO stalls_1 (stall_id, application_id, explained) "
                    "VALUES (?, ?, 0) ON CONFLICT (stall_id) DO NOTHING",
                    (event.stall_id, event.application_id),
                )
            case workflow.StallExplained(stall_id=stall_id):
                tx.execute("UPDATE stalls_1 SET explained = 1 WHERE stall_id = ?", (stall_id,))
            case notify.MessageDigested():
                tx.execute(
                    "INSERT INTO digested_1 (message_id, into_id) VALUES (?, ?) "
                    "ON CONFLICT (message_id) DO NOTHING",
                    (event.message_id, event.into),
                )
            case _:
                tx.execute(
                    "UPDATE stalls_1 SET explained = 1 WHERE application_id = ?",
                    (event.application_id,),
                )


class Alert(NamedTuple):
    """A message of ours, and the application that it is about."""

    message_id: str
    application_id: str


class Correspondents:
    """Questions to the read models."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projections write."""
        self._database = database

    async def applications(self, person: str, limit: int) -> list[str]:
        """Return the applications made under a person's number, the newest first."""
        rows = await self._database.query(
            "SELECT application_id FROM writers_1 WHERE person = ? "
            "ORDER BY submitted_us DESC, application_id LIMIT ?",
            (person, limit),
        )
        return [row[0] for row in rows]

    async def alerted(self, person: str, rules: Sequence[str], limit: int) -> list[str]:
        """Return the applications with an open stall about which ``rules`` told a person."""
        marks = ", ".join("?" * len(rules))
        rows = await self._database.query(
            "SELECT DISTINCT m.application_id FROM messages_2 m "
            "JOIN stalls_1 s ON s.application_id = m.application_id AND s.explained = 0 "
            f"WHERE m.person = ? AND m.rule IN ({marks}) ORDER BY m.application_id LIMIT ?",
            (person, *rules, limit),
        )
        return [row[0] for row in rows]

    async def answered(self, message_id: str) -> list[Alert]:
        """Return a message, and those that went out within it, also through one that it gathers.

        One that was sent anew says what the first said.
        """
        rows = await self._database.query(
            "WITH RECURSIVE told (id) AS (SELECT CAST(? AS TEXT) "
            "UNION SELECT part.id FROM (SELECT message_id AS id, into_id AS whole FROM digested_1 "
            "UNION ALL SELECT message_id, resend_id FROM resends_1) part "
            "JOIN told ON part.whole = told.id) "
            "SELECT m.message_id, m.application_id FROM messages_2 m "
            "JOIN told ON m.message_id = told.id",
            (message_id,),
        )
        return [Alert(*row) for row in rows]
