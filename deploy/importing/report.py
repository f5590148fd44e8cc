"""What an import did and what it could not do, by name and count."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.web.i18n import msg

# A log may hold a new name in every trace: the counts must not grow with the file.
MAX_NAMES = 500
MAX_NAME_LENGTH = 80
OTHER_NAMES = "..."

NO_CASE_NAME = msg("A trace has no name.")
NO_SUBMISSION = msg("A trace does not say when it was submitted.")
NOT_REGISTERED = msg("An event belongs to an application that was never registered.")
TOO_MUCH = msg("A trace holds more than can be read; the rest of it was left out.")
NO_ACTIVITY = msg("An event has no activity.")
NO_TIME = msg("An event has no time that can be read.")
IN_FUTURE = msg("An event lies in the future.")
BAD_INSTANT = msg("A trace holds an instant that can't be read.")

EVENT_BEFORE_START = msg("An event is older than the submission.")
EVENT_AFTER_END = msg("An event is later than the end of the file.")
END_BEFORE_START = msg("The end of the file is before its submission.")


class Names:
    """Counts by name, for a bounded number of names; what is beyond is counted together."""

    def __init__(self) -> None:
        """Start empty."""
        self._counts: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> None:
        """Count ``name``, as text that is safe to print on a terminal."""
        shown = printable(name)
        if shown not in self._counts and len(self._counts) >= MAX_NAMES:
            shown = OTHER_NAMES
        self._counts[shown] = self._counts.get(shown, 0) + count

    def __bool__(self) -> bool:
        """Whether anything was counted."""
        return bool(self._counts)

    def as_dict(self) -> dict[str, int]:
        """Return the counts, the most frequent first."""
        return dict(sorted(self._counts.items(), key=lambda item: (-item[1], item[0])))


def printable(name: str, limit: int = MAX_NAME_LENGTH) -> str:
    """Return ``name`` cut to ``limit`` characters and without control characters."""
    cut = name if len(name) <= limit else name[: limit - 3] + "..."
    return "".join("?" if unicodedata.category(char)[0] == "C" else char for char in cut)


@dataclass
class ImportReport:
    """The counts of one import; kept up to date while it runs.

    ``cases`` and ``log_events`` were read from the log. ``recorded`` events were added to the
    store and ``already_there`` were found in it. ``uncovered_*`` name what the mapping says nothing
    about: activities (their events were not recorded), trace and event attributes, channels (kept
    as the log's own word). ``left_out`` counts traces and events that were broken, by reason, and
    ``contradictions`` what was recorded although the log's times disagree with each other.
    ``first`` and ``last`` are the earliest and latest instants recorded.
    """

    cases: int = 0
    log_events: int = 0
    recorded: int = 0
    already_there: int = 0
    uncovered_activities: Names = field(default_factory=Names)
    uncovered_trace_attributes: Names = field(default_factory=Names)
    uncovered_event_attributes: Names = field(default_factory=Names)
    uncovered_channels: Names = field(default_factory=Names)
    left_out: Names = field(default_factory=Names)
    contradictions: Names = field(default_factory=Names)
    first: datetime | None = None
    last: datetime | None = None

    def saw(self, instant: datetime) -> None:
        """Widen the span of time to ``instant``."""
        self.first = min(self.first or instant, instant)
        self.last = max(self.last or instant, instant)

    def as_dict(self) -> Mapping[str, Any]:
        """Return everything as plain values, for JSON."""
        return {
            "cases": self.cases,
            "log_events": self.log_events,
            "recorded": self.recorded,
            "already_there": self.already_there,
            "uncovered": {
                "activities": self.uncovered_activities.as_dict(),
                "trace_attributes": self.uncovered_trace_attributes.as_dict(),
                "event_attributes": self.uncovered_event_attributes.as_dict(),
                "channels": self.uncovered_channels.as_dict(),
            },
            "left_out": self.left_out.as_dict(),
            "contradictions": self.contradictions.as_dict(),
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
        }
