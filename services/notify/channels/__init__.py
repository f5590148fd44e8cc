"""Ways to reach a person: one seam, one module per provider."""

from services.notify.channels.protocol import (
    Channel,
    Effect,
    Failed,
    Later,
    Outgoing,
    Paper,
    Result,
    Sent,
    Unknown,
)

__all__ = ["Channel", "Effect", "Failed", "Later", "Outgoing", "Paper", "Result", "Sent", "Unknown"]
