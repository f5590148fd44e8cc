"""Tells live pages when to look again: at every event of their application, or of their office."""

from __future__ import annotations

import asyncio

from shared.bus import Bus
from shared.events import Recorded
from shared.offices import Catalogue
from shared.topics import INTAKE, PAYMENT, WORKFLOW
from shared.web.sse import LiveHub

_BOARD_SECONDS = 1.0
# Time passes on a board even when nothing happens.
_REDRAW_TICKS = 60


def tracking_key(application_id: str) -> str:
    """Return the live key of an applicant's tracking page."""
    return f"lacak:{application_id}"


def file_key(application_id: str) -> str:
    """Return the live key of an officer's page about one permit."""
    return f"berkas:{application_id}"


def board_key(office: str) -> str:
    """Return the live key of an office's board."""
    return f"papan:{office}"


def activity_key(office: str) -> str:
    """Return the live key of an office's activity. A key has one page: watchers share frames."""
    return f"aktivitas:{office}"


def queue_key(office: str, username: str) -> str:
    """Return the live key of an officer's work queue: some of it is given to them alone."""
    return f"tugas:{office}:{username}"


class Pump:
    """Publishes to the hub of this process whatever the bus brings, to any process."""

    def __init__(self, bus: Bus, hub: LiveHub, catalogue: Catalogue) -> None:
        """Listen on ``bus``, tell ``hub``."""
        self._bus = bus
        self._hub = hub
        self._lists = {board_key(office) for office in catalogue.offices}
        self._changed = True

    def follow(self, key: str) -> None:
        """Redraw this list too. There are as many as offices and their officers."""
        self._lists.add(key)

    async def run(self) -> None:
        """Tell the pages of each event's application at once."""
        async for recorded in self._bus.live((INTAKE.name, WORKFLOW.name, PAYMENT.name)):
            self.tell(recorded)

    def tell(self, recorded: Recorded) -> None:
        """Have everything that shows this event's application drawn anew."""
        self._changed = True
        self._hub.publish(tracking_key(recorded.correlation_id))
        self._hub.publish(file_key(recorded.correlation_id))

    async def lists(self) -> None:
        """Redraw boards and queues once a second while something happens, and once a minute anyway.

        They are drawn from the read model, which may be a moment behind the event.
        """
        ticks, rounds = 0, 0
        while True:
            await asyncio.sleep(_BOARD_SECONDS)
            ticks += 1
            if self._changed:
                # Twice: by the second round the read model has surely caught up.
                self._changed, rounds = False, 2
            if rounds or ticks % _REDRAW_TICKS == 0:
                rounds = max(0, rounds - 1)
                for key in tuple(self._lists):
                    self._hub.publish(key)
