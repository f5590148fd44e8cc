"""What notify publishes: messages and what became of them, replies, consent."""

from shared.contracts.notify.messages import (
    MessageAttempted,
    MessageDeferred,
    MessageDelivered,
    MessageDigested,
    MessageFailed,
    MessageFellBack,
    MessageOutcomeUnknown,
    MessageQueued,
    MessageRead,
    MessageReleased,
    MessageSent,
    MessageSuperseded,
)
from shared.contracts.notify.replies import (
    ConsentGiven,
    ConsentWithdrawn,
    ContactPreferenceStated,
    ReplyNotUnderstood,
    ReplyReceived,
    ReplyUnclear,
    StallReplyGiven,
    StatusAsked,
)

__all__ = [
    "ConsentGiven",
    "ConsentWithdrawn",
    "ContactPreferenceStated",
    "MessageAttempted",
    "MessageDeferred",
    "MessageDelivered",
    "MessageDigested",
    "MessageFailed",
    "MessageFellBack",
    "MessageOutcomeUnknown",
    "MessageQueued",
    "MessageRead",
    "MessageReleased",
    "MessageSent",
    "MessageSuperseded",
    "ReplyNotUnderstood",
    "ReplyReceived",
    "ReplyUnclear",
    "StallReplyGiven",
    "StatusAsked",
]
