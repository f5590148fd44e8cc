"""One message from the queue to its fate: one stream, one decider.

``commands`` and ``states`` say what can be asked and what can be; ``decider`` leads from one to the
next.
"""

from services.notify.message.decider import DECIDER, decide, evolve, message_stream
from services.notify.message.states import (
    NO_OUTCOME,
    QUIET_HOURS,
    TEXT_CLOSED,
    Delivered,
    Digested,
    Failed,
    Message,
    NotQueued,
    Queued,
    Read,
    Sending,
    Sent,
    Superseded,
    Unknown,
)

__all__ = [
    "DECIDER",
    "NO_OUTCOME",
    "QUIET_HOURS",
    "TEXT_CLOSED",
    "Delivered",
    "Digested",
    "Failed",
    "Message",
    "NotQueued",
    "Queued",
    "Read",
    "Sending",
    "Sent",
    "Superseded",
    "Unknown",
    "decide",
    "evolve",
    "message_stream",
]
