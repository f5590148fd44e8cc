"""Why a settlement file, or a match by hand, is refused."""

from __future__ import annotations

from shared.errors import NotFound, Refused


class NoFiles(NotFound):
    """The partner is unknown, or its profile says nothing of settlement files."""

    code = "no-settlement-files"
    text = "No settlement file is expected of {partner}: no profile of that name describes one."


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
    """Something else was said about the line before."""

    code = "settlement-line-matched"
    text = "Something else was decided about this line before."


class OriginalNeeded(Refused):
    """A debit belongs to the payment that it takes back, so that has to be named."""

    code = "settlement-original-needed"
    text = "Say which payment this debit takes back: its bank reference."


class ReasonNeeded(Refused):
    """What a person decides about a line says why."""

    code = "settlement-reason-needed"
    text = "Say why you decide this about the line."
