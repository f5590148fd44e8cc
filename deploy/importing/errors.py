"""What can be wrong with a log; what is wrong with a mapping is a ``BadConfiguration``.

::

    InvalidInput
    └── BadLog     the file can't be read (further) as an XES log; names the line
"""

from __future__ import annotations

from shared.errors import InvalidInput


class BadLog(InvalidInput):
    """The log can't be read (further). The sentence names the line and never quotes the file."""

    code = "bad-log"

    def __init__(self, sentence: str, *, line: int) -> None:
        """``sentence`` is an English msgid that may hold ``{line}``."""
        self._sentence = sentence
        super().__init__(line=line)

    def message(self) -> str:
        """Return the msgid, with its placeholder still open."""
        return self._sentence
