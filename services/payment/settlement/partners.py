"""What reconciliation needs to know of each bank partner: its days, and how it settles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from services.payment.banks.profile import Banks
from services.payment.settlement.facts import Rules
from services.payment.settlement.layout import SettlementLayout
from services.payment.settlement.refusals import NoFiles
from shared.calendar import Calendars


@dataclass(frozen=True)
class Partner:
    """A bank partner. ``layout`` is None for one that sends no settlement files.

    ``business_day`` gives the partner's day of an instant; ``is_working_day`` is the calendar of
    the office that holds the account.
    """

    id: str
    layout: SettlementLayout | None
    zone: tzinfo
    business_day: Callable[[datetime], date]
    is_working_day: Callable[[date], bool]

    def rules(self, now: datetime) -> Rules:
        """Return how its lines are judged at an instant."""
        today = self.business_day(now)
        shared = self.layout is None or self.layout.references == "shared"
        return Rules(shared, today, self._graced(today))

    def _graced(self, today: date) -> date:
        """Return the last day after which so many whole working days have passed."""
        day, left = today, self.layout.grace_days if self.layout is not None else 0
        while left:
            day -= timedelta(days=1)
            left -= self.is_working_day(day)
        return day - timedelta(days=1)


class Partners:
    """All partners by id."""

    def __init__(self, partners: Mapping[str, Partner]) -> None:
        """Hold ``partners``."""
        self._partners = partners

    @classmethod
    def of(cls, banks: Banks, calendars: Calendars) -> Partners:
        """Return the partners of an installation."""
        found = {}
        for profile in banks.all:
            layout = profile.settlement
            working = calendars.of(layout.office).is_working_day if layout else _every_day
            found[profile.id] = Partner(
                profile.id, layout, profile.zone, profile.business_day, working
            )
        return cls(found)

    def find(self, partner: str) -> Partner | None:
        """Return a partner, None for one that has left."""
        return self._partners.get(partner)

    def midnight(self, partner: str, day: date) -> str:
        """Return the beginning of a partner's day, ISO 8601 with its offset."""
        found = self._partners.get(partner)
        zone = found.zone if found is not None else UTC
        return datetime.combine(day, time(), zone).isoformat()

    def settling(self) -> list[Partner]:
        """Return the partners that send settlement files."""
        return [one for one in self._partners.values() if one.layout is not None]

    def layout(self, partner: str) -> SettlementLayout:
        """Return how a partner's files are written. Raises NoFiles when it sends none."""
        found = self._partners.get(partner)
        if found is None or found.layout is None:
            raise NoFiles(partner=partner)
        return found.layout


def _every_day(day: date) -> bool:
    return True
