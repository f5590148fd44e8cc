"""Why notify says no to a command."""

from __future__ import annotations

from shared.errors import Refused


class UnknownMessage(Refused):
    """There is no message under this id."""

    code = "unknown-message"
    text = "There is no such message."


class NotWaiting(Refused):
    """The message is not waiting to be sent: somebody else sends it, or it is done."""

    code = "message-not-waiting"
    text = "This message is not waiting to be sent."
