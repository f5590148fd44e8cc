"""Quiet hours: no telephone rings for what can wait until the morning.

They are local times of the office, which may lie in WIB, WITA or WIT, and usually go over midnight.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.offices import Office


class QuietHours(NamedTuple):
    """From ``begin`` (within) to ``end`` (not within), local times; over midnight if it is less."""

    begin: time
    end: time

    @classmethod
    def of(cls, text: str) -> QuietHours:
        """Read ``21:00-06:00``. Raises ValueError for anything else."""
        begin, _, end = text.partition("-")
        return cls(time.fromisoformat(begin), time.fromisoformat(end))

    def hold(self, local: time) -> bool:
        """Say whether a local time lies within."""
        if self.begin < self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end

    def after(self, at: datetime, zone: ZoneInfo) -> datetime:
        """Return ``at`` (UTC) where it is not quiet, else the instant at which they end."""
        local = at.astimezone(zone)
        if not self.hold(local.time()):
            return at
        day = local.date() if local.time() < self.end else local.date() + timedelta(days=1)
        # Where clocks are set back at night, the end comes twice and one of them may be over.
        return max(at, datetime.combine(day, self.end, zone).astimezone(UTC))


class Nights:
    """Every office's quiet hours: its own, or else what the rules file says for all."""

    def __init__(self, default: str | None, offices: Mapping[str, Office]) -> None:
        """``default`` as in ``rules.yaml``; None where it is never quiet."""
        self._default = default
        self._offices = offices

    def of(self, office: str) -> str:
        """Return an office's quiet hours as written, empty where it has none."""
        found = self._offices.get(office)
        return (found.quiet_hours if found else None) or self._default or ""

    def after(self, at: datetime, office: str) -> datetime:
        """Return ``at``, or the end of the office's quiet hours that it lies within."""
        found, written = self._offices.get(office), self.of(office)
        if found is None or not written:
            return at
        return QuietHours.of(written).after(at, ZoneInfo(found.zone))
