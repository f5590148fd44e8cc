"""Ways to reach a person: one seam, one module per provider."""

from services.notify.channels.protocol import (
    Channel,
    Failed,
    Later,
    Outgoing,
    Paper,
    Result,
    Sent,
    Unknown,
)

__all__ = ["Channel", "Failed", "Later", "Outgoing", "Paper", "Result", "Sent", "Unknown"]
