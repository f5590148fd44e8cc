"""How large a run is: the full one, and a quick one that only shows that everything works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """Sizes of a run. ``data`` is a folder on a real disk, for fsync must mean something."""

    data: Path
    rounds: int
    # How long a rate is measured.
    seconds: float
    # How many permits the log of rows 4 and 7 holds (21 events each).
    permits: int
    # How many messages notify sends in a round.
    messages: int
    # How many events plain Faust is given: it needs seconds for what others do in one.
    faust_events: int
    # How long commands arrive in row 1.
    latency_seconds: float
    # How many files are open in row 3, and how many of them are due at once in each round.
    open_files: int
    due_at_once: int
    # How many messages wait while row 11 sends some of them.
    queued: int


def full(data: Path, rounds: int | None = None) -> Plan:
    """Return the sizes of a full run: about fifteen minutes."""
    return Plan(data, rounds or 7, 1.2, 5000, 500, 10_000, 4.0, 1_000_000, 100_000, 1_000_000)


def quick(data: Path, rounds: int | None = None) -> Plan:
    """Return the sizes of a quick run: under a minute, figures of no meaning."""
    return Plan(data, rounds or 1, 0.3, 100, 50, 1000, 1.0, 2000, 200, 2000)
