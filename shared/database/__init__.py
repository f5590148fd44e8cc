"""Tables of a service's own: one protocol, two adapters (SQLite files, PostgreSQL schemas)."""

from shared.database.protocol import Database, Params, Row, Transaction

__all__ = ["Database", "Params", "Row", "Transaction"]
