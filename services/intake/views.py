"""The read model ``applications``: the counter's queue, and which application a number is.

It holds no personal data: a page about one application folds its stream from the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from shared.contracts import intake as events
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.projection import OfficeProjection
from shared.topics import INTAKE

SUBMITTED, RETURNED, REGISTERED, WITHDRAWN = "submitted", "returned", "registered", "withdrawn"

_TABLE = """
CREATE TABLE IF NOT EXISTS applications (
    application_id TEXT NOT NULL PRIMARY KEY, number TEXT NOT NULL, office TEXT NOT NULL,
    permit_type TEXT NOT NULL, permit_version BIGINT NOT NULL, channel TEXT NOT NULL,
    documents BIGINT NOT NULL, status TEXT NOT NULL, registered BIGINT NOT NULL,
    corrections BIGINT NOT NULL, submitted_us BIGINT NOT NULL, changed_us BIGINT NOT NULL,
    position BIGINT NOT NULL
)
"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS applications_number ON applications (number)",
    "CREATE INDEX IF NOT EXISTS applications_queue ON applications (office, status, changed_us)",
)
_COLUMNS = (
    "application_id, number, office, permit_type, permit_version, channel, documents, status, "
    "registered, corrections, submitted_us, changed_us, position"
)
_INSERT = (
    f"INSERT INTO applications ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 'submitted', 0, 0, ?, ?, "
    "?) ON CONFLICT (application_id) DO NOTHING"
)
_RETURNED = "status = 'returned'"
_CORRECTED = (
    "status = CASE WHEN registered = 1 THEN 'registered' ELSE 'submitted' END, "
    "corrections = corrections + 1, documents = ?"
)
_REGISTERED = "status = 'registered', registered = 1"
_FORWARDED = "office = ?"
_WITHDRAWN = "status = 'withdrawn'"


class ApplicationRow(NamedTuple):
    """One application. ``registered`` is 0 or 1; times are microseconds UTC.

    ``position`` is that of the last event folded into the row.
    """

    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    channel: str
    documents: int
    status: str
    registered: int
    corrections: int
    submitted_us: int
    changed_us: int
    position: int


class ApplicationsProjection(OfficeProjection):
    """Folds ``jejak.intake`` into ``applications``."""

    name = "applications"
    topics = (INTAKE.name,)
    statements = (_TABLE, *_INDEXES)

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows.

        Submissions go in together first: of one application nothing can come before it.
        """
        decoded = [(one, self._codec.decode(one)) for one in recorded]
        submissions = [
            _inserted(one, event)
            for one, event in decoded
            if isinstance(event, events.ApplicationSubmitted)
        ]
        if submissions:
            tx.executemany(_INSERT, submissions)
        for office in {row[2] for row in submissions}:
            self._on_office(str(office))
        for one, event in decoded:
            self._change(tx, one, event)

    def _change(self, tx: Transaction, one: Recorded, event: object) -> None:
        match event:
            case events.ApplicationReturned():
                self._update(tx, one, _RETURNED)
            case events.ApplicationCorrected():
                self._update(tx, one, _CORRECTED, len(event.documents))
            case events.ApplicationRegistered():
                self._update(tx, one, _REGISTERED)
            case events.ApplicationForwarded():
                self._update(tx, one, _FORWARDED, event.office)
                self._on_office(event.from_office)
            case events.ApplicationWithdrawn():
                self._update(tx, one, _WITHDRAWN)
            case events.ApplicantPhoneCorrected():
                # It keeps its place in the queue: the counter has nothing new to check.
                tx.execute(
                    "UPDATE applications SET position = ? WHERE application_id = ?",
                    (one.position, event.application_id),
                )
            case _:
                # Submissions are in already; reserved numbers tell nothing about a row.
                return

    def _update(self, tx: Transaction, one: Recorded, change: str, *values: int | str) -> None:
        rows = tx.execute(
            f"UPDATE applications SET {change}, changed_us = ?, position = ? "
            "WHERE application_id = ? RETURNING office",
            (*values, one.occurred_us, one.position, one.correlation_id),
        )
        for (office,) in rows:
            self._on_office(office)


def _inserted(one: Recorded, event: events.ApplicationSubmitted) -> tuple[str | int, ...]:
    return (
        event.application_id,
        event.number,
        event.office,
        event.permit_type,
        event.permit_version,
        event.channel,
        len(event.documents),
        one.occurred_us,
        one.occurred_us,
        one.position,
    )


class Applications:
    """Questions to the read model."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database
        self._progress = asyncio.Event()

    def progressed(self) -> None:
        """Hear that rows were committed: whoever waits for one looks again."""
        self._progress.set()
        self._progress = asyncio.Event()

    async def by_number(self, number: str) -> ApplicationRow | None:
        """Return the application with a registration number."""
        return await self._one("number", number)

    async def soon(self, number: str, seconds: float = 2.0) -> ApplicationRow | None:
        """Return the same for a number that may have been given a moment ago.

        Whoever holds a fresh receipt may be faster than the list; for an unknown number it takes
        all of ``seconds``.
        """
        return await self._seen(lambda: self.by_number(number), seconds)

    async def by_id(self, application_id: str) -> ApplicationRow | None:
        """Return the application with an id."""
        return await self._one("application_id", application_id)

    async def queue(
        self, office: str, status: str, limit: int, offset: int = 0
    ) -> list[ApplicationRow]:
        """Return an office's applications in a status, the longest waiting first."""
        rows = await self._database.query(
            f"SELECT {_COLUMNS} FROM applications WHERE office = ? AND status = ? "
            "ORDER BY changed_us, application_id LIMIT ? OFFSET ?",
            (office, status, limit, offset),
        )
        return [ApplicationRow(*row) for row in rows]

    async def counts(self, office: str) -> dict[str, int]:
        """Return status -> number of applications of an office."""
        rows = await self._database.query(
            "SELECT status, COUNT(*) FROM applications WHERE office = ? GROUP BY status",
            (office,),
        )
        return dict(rows)

    async def wait_for(self, application_id: str, position: int, seconds: float = 2.0) -> bool:
        """Wait until the row has reached ``position``; False when it did not in time.

        So that who acted sees the effect on the next page. The row itself is looked at, because
        another process may be the one that folds it.
        """

        async def reached() -> ApplicationRow | None:
            row = await self.by_id(application_id)
            return row if row is not None and row.position >= position else None

        return await self._seen(reached, seconds) is not None

    async def _seen(
        self, look: Callable[[], Awaitable[ApplicationRow | None]], seconds: float
    ) -> ApplicationRow | None:
        """Look until there is a row, at each commit; None when there was none in time."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            # Taken before looking, so that no commit falls in between.
            progress = self._progress
            if (row := await look()) is not None:
                return row
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return None
            try:
                async with asyncio.timeout(min(left, 0.1)):
                    await progress.wait()
            except TimeoutError:
                continue

    async def _one(self, column: str, value: str) -> ApplicationRow | None:
        rows = await self._database.query(
            f"SELECT {_COLUMNS} FROM applications WHERE {column} = ?", (value,)
        )
        return ApplicationRow(*rows[0]) if rows else None
