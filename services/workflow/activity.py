"""Live office activity per hour: an indication for a page, never the source of a status.

Embedded, a projection counts exactly. Over Kafka the Faust worker's windowed tables count instead,
and may count an event twice after a crash (ADR 4); the page says which it shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.database import Database, Transaction
from shared.events import Recorded, to_micros
from shared.topics import INTAKE, WORKFLOW

HOUR_US = 3_600_000_000

_TABLE = """
CREATE TABLE IF NOT EXISTS activity (
    source TEXT NOT NULL, office TEXT NOT NULL, kind TEXT NOT NULL, hour_us BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (source, office, kind, hour_us)
)
"""
_KINDS = {
    "ApplicationSubmitted": "received",
    "PermitIssued": "finished",
    "PermitRejected": "finished",
    "StageOverdue": "stalled",
}


class Beat(NamedTuple):
    """One thing that happened in an office: ``kind`` is received, finished or stalled."""

    office: str
    kind: str
    hour_us: int


class Hour(NamedTuple):
    """An office's counts in the hour that begins at ``hour_us`` (microseconds UTC)."""

    hour_us: int
    received: int
    finished: int
    stalled: int


def beat(event_type: str, data: bytes, occurred_us: int, codes: Mapping[str, str]) -> Beat | None:
    """Return what an event means for activity, or None.

    ``codes`` maps an office's code, the beginning of a registration number, to its id.
    """
    kind = _KINDS.get(event_type)
    if kind is None:
        return None
    body = json.loads(data)
    office = body.get("office") or codes.get(str(body.get("number", "")).split("-")[0], "")
    return Beat(office, kind, occurred_us - occurred_us % HOUR_US) if office else None


class ActivityProjection:
    """Counts activity from the store's own tail: the embedded mode's exact answer."""

    name = "activity"
    topics = (INTAKE.name, WORKFLOW.name)

    def __init__(self, codes: Mapping[str, str]) -> None:
        """``codes`` maps office codes to ids."""
        self._codes = codes

    def create(self, tx: Transaction) -> None:
        """Create the table."""
        tx.execute(_TABLE)

    def apply(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Add each event to its hour."""
        beats = [beat(e.type, e.data, e.occurred_us, self._codes) for e in events]
        tx.executemany(
            "INSERT INTO activity (source, office, kind, hour_us, count) "
            "VALUES ('store', ?, ?, ?, 1) "
            "ON CONFLICT (source, office, kind, hour_us) DO UPDATE SET count = activity.count + 1",
            [tuple(one) for one in beats if one is not None],
        )


def store_windows(tx: Transaction, source: str, counts: Mapping[Beat, int]) -> None:
    """Write a worker's windows for one source (topic partition), replacing what it said before."""
    tx.executemany(
        "INSERT INTO activity (source, office, kind, hour_us, count) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (source, office, kind, hour_us) DO UPDATE SET count = excluded.count",
        [(source, *one, count) for one, count in counts.items()],
    )


async def last_hours(database: Database, office: str, now: datetime, hours: int) -> list[Hour]:
    """Return the office's last ``hours`` hours, the present one last, empty ones included."""
    present = to_micros(now) // HOUR_US * HOUR_US
    first = present - (hours - 1) * HOUR_US
    rows = await database.query(
        "SELECT hour_us, kind, SUM(count) FROM activity WHERE office = ? AND hour_us >= ? "
        "GROUP BY hour_us, kind",
        (office, first),
    )
    counts = {(hour, kind): int(count) for hour, kind, count in rows}
    return [
        Hour(hour, *(counts.get((hour, kind), 0) for kind in ("received", "finished", "stalled")))
        for hour in range(first, present + 1, HOUR_US)
    ]
