"""The event store: one protocol, three adapters (SQLite, PostgreSQL, KurrentDB)."""

from shared.store.protocol import ANY, NO_STREAM, Batch, EventStore

__all__ = ["ANY", "NO_STREAM", "Batch", "EventStore"]
