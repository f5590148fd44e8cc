"""The event log in PostgreSQL: tables and statements.

Positions are given under a lock that is held until the commit, so the order of commit is the order
of position: whoever has seen position ``n`` never later finds a new event below it. (A sequence
would not do: its numbers are drawn in one order and become visible in another.)
"""

from __future__ import annotations

from shared.events import Recorded

_TYPES = {
    "position": "bigint",
    "stream": "text",
    "version": "integer",
    "event_id": "uuid",
    "type": "text",
    "schema_version": "integer",
    "data": "bytea",
    "occurred_us": "bigint",
    "recorded_us": "bigint",
    "actor": "text",
    "cause_id": "text",
    "correlation_id": "text",
}
assert tuple(_TYPES) == Recorded._fields

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS events (
    {", ".join(f"{name} {kind} NOT NULL" for name, kind in _TYPES.items())},
    PRIMARY KEY (position), UNIQUE (stream, version), UNIQUE (event_id)
)
"""

_COLUMNS = ", ".join("event_id::text" if name == "event_id" else name for name in _TYPES)
READ_ALL = f"SELECT {_COLUMNS} FROM events WHERE position > %s ORDER BY position LIMIT %s"
READ_STREAM = f"SELECT {_COLUMNS} FROM events WHERE stream = %s AND version > %s ORDER BY version"
KNOWN = f"SELECT {_COLUMNS} FROM events WHERE event_id = ANY(%s::uuid[])"
HEAD = "SELECT coalesce(max(position), 0) FROM events"

# Both take a name; the lock ends with the transaction.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
NOTIFY = "SELECT pg_notify(%s, '')"

# The newest event's position and time, and the server's clock: one clock for every process.
NOW = """
SELECT coalesce(max(e.position), 0), greatest(max(e.recorded_us),
    (extract(epoch from clock_timestamp()) * 1000000)::bigint)
FROM (SELECT position, recorded_us FROM events ORDER BY position DESC LIMIT 1) e
"""
VERSIONS = """
SELECT name, coalesce(
    (SELECT version FROM events WHERE stream = name ORDER BY version DESC LIMIT 1), 0)
FROM unnest(%s::text[]) AS name
"""
# One array per column: one statement for any number of rows.
INSERT = f"""
INSERT INTO events ({", ".join(_TYPES)})
SELECT * FROM unnest({", ".join(f"%b::{kind}[]" for kind in _TYPES.values())})
"""
