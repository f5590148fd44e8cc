"""Finds the officers, supervisors and heads whom an event concerns, and their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.notify.people.roster import Away, away, on_duty, present
from shared.actors import Role
from shared.codec import Codec
from shared.contracts import workflow
from shared.identity import Accounts
from shared.offices import Catalogue, Duty, Office
from shared.store import EventStore

_ABSENCES = frozenset({"AbsenceRecorded", "AbsenceCancelled"})


class Asked(NamedTuple):
    """Numbers in the order in which they are told, each ``pause`` minutes after the last one.

    Without a pause all are told at once. ``group`` is a group's id, or empty.
    """

    numbers: tuple[str, ...]
    pause: int | None = None
    group: str = ""


class Staff:
    """Reads who works on a permit and who is away from workflow's own streams."""

    def __init__(
        self, store: EventStore, codec: Codec, catalogue: Catalogue, accounts: Accounts
    ) -> None:
        """Rosters and contacts are the offices' data, numbers those of ``accounts``."""
        self._store = store
        self._codec = codec
        self._catalogue = catalogue
        self._accounts = accounts

    async def asked(
        self, audience: str, event: Any, office_id: str, at: datetime, *, alert: bool
    ) -> Asked:
        """Return whom an event concerns at ``at``.

        Only an alert climbs from one to the next: other news would reach them all anyway, later.
        """
        office = self._catalogue.offices.get(office_id)
        named = getattr(event, "assignee", "") or getattr(event, "asked", "")
        role = await self._role(audience, event, named)
        duty = self._duty(office, role)
        person = self._accounts.find(named) if named and audience == "officer" else None
        local = at.astimezone(ZoneInfo(office.zone if office else "Asia/Jakarta"))
        rostered = on_duty(duty, local) if person is None else ()
        people = rostered or self._always(
            audience, role, office_id, person.username if person else None
        )
        here = present(people, await self._away(office_id), local.date())
        pause = duty.escalate_minutes if alert and rostered else None
        numbers = dict.fromkeys(number for who in here if (number := self._number(who)))
        return Asked(tuple(numbers), pause, duty.group or "")

    def _always(
        self, audience: str, role: str, office_id: str, named: str | None
    ) -> tuple[str, ...]:
        """Return who is told where no roster holds: by name, by contact, or all of the role."""
        if named:
            return (named,)
        office = self._catalogue.offices.get(office_id)
        if audience != "officer" and office is not None and audience in office.contacts:
            return (office.contacts[audience],)
        if audience != "officer":
            role = Role.SIGNER if audience == "head" else Role.SUPERVISOR
        holders = self._accounts.of_office(office_id, Role(role)) if role else ()
        return tuple(account.username for account in holders)

    def _number(self, who: str) -> str:
        account = self._accounts.find(who)
        return who if who.startswith("+") else (account.phone or "" if account else "")

    @staticmethod
    def _duty(office: Office | None, role: str) -> Duty:
        return next((d for name, d in _duties(office) if name == role), Duty())

    async def _role(self, audience: str, event: Any, named: str) -> str:
        """Return the audience, or for officers the role that the event's stage needs."""
        if audience != "officer" or named in set(Role):
            return audience if audience != "officer" else named
        role = ""
        for recorded in await self._store.read_stream(f"permit-{event.application_id}"):
            if recorded.type == "StageStarted":
                started: workflow.StageStarted = self._codec.decode(recorded)
                role = started.role if started.stage == event.stage else role
        return role

    async def _away(self, office_id: str) -> tuple[Away, ...]:
        recorded = await self._store.read_stream(f"roster-{office_id}")
        return away(self._codec.decode(one) for one in recorded if one.type in _ABSENCES)


def _duties(office: Office | None) -> Iterator[tuple[str, Duty]]:
    yield from office.duty.items() if office is not None else ()
