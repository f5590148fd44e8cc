"""Why a settlement file, or a match by hand, is refused."""

from __future__ import annotations

from shared.errors import Refused


class FileNotAccepted(Refused):
    """Only lines of an accepted file can be matched, and only an opened file accepted."""

    code = "settlement-file-not-accepted"
    text = "This settlement file was not taken in."


class LinesMissing(Refused):
    """Fewer or more lines were recorded than the file has."""

    code = "settlement-lines-missing"
    text = "Not every line of the settlement file was recorded."


class LinesDiffer(Refused):
    """The same part of a file was read differently before: the bank's profile was changed."""

    code = "settlement-lines-differ"
    text = "Parts of this file were recorded before and read differently then."


class NoSuchLine(Refused):
    """The file does not have that line."""

    code = "no-such-settlement-line"
    text = "The settlement file does not have this line."


class LineNotWaiting(Refused):
    """The line found its place already."""

    code = "settlement-line-not-waiting"
    text = "This line does not wait for a decision any more. Look at it again."


class LineMatchedOtherwise(Refused):
    """Another payment was named for the line before."""

    code = "settlement-line-matched"
    text = "This line was matched with another payment before."


class ReasonNeeded(Refused):
    """A match by hand says why."""

    code = "settlement-reason-needed"
    text = "Say why this line belongs to this payment."
