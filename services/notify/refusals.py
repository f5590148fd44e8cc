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


class UnknownChannel(Refused):
    """Nobody can be told in this way."""

    code = "unknown-channel"
    text = "There is no such way to send messages."


class UnknownLanguage(Refused):
    """Our texts are not in this language."""

    code = "unknown-language"
    text = "Messages are written in Indonesian or English."


class UnknownReply(Refused):
    """There is no reply under this id."""

    code = "unknown-reply"
    text = "There is no such reply."
