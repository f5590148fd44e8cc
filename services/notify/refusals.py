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


class NotFailed(Refused):
    """Only what failed, or what nobody knows of, is sent again."""

    code = "message-not-failed"
    text = "This message did not fail, so it is not sent again."


class StillResolving(Refused):
    """The outcome is unknown, and the system itself sends it once more."""

    code = "message-still-resolving"
    text = "The outcome is being cleared up: if no report comes, it is sent once more by itself."


class AlreadyResent(Refused):
    """There is a newer message in its place."""

    code = "message-already-resent"
    text = "This message was already sent again. Look at the newer one."


class NumberUnusable(Refused):
    """No message can go to this number."""

    code = "number-unusable"
    text = "Nothing can be sent to this number. Ask for another one."


class RecipientOptedOut(Refused):
    """The person wants no messages."""

    code = "recipient-opted-out"
    text = "This person wants no messages, so it is not sent again."


class AlertOvertaken(Refused):
    """The file moved on since the alert."""

    code = "alert-overtaken"
    text = "The file has moved on since this alert. It is not sent again."
