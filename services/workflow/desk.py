"""What officers ask of a permit: found by number, decided, answered once the lists show it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from services.workflow.actions import Action
from services.workflow.bodies import Ask
from services.workflow.guards import possible
from services.workflow.permit import DECIDER, stream
from services.workflow.refusals import OtherOffice
from services.workflow.requests import Requests
from services.workflow.sop import Sops
from services.workflow.staff import Rosters, Staff
from services.workflow.states import State
from services.workflow.status import Report, Tracker
from services.workflow.supervision.scope import sees
from services.workflow.views import Found, Views
from shared.actors import Actor
from shared.calendar import Calendars
from shared.errors import NotFound
from shared.handle import Handler, Outcome
from shared.identity import Account
from shared.ids import derived_id, new_id
from shared.offices import Catalogue
from shared.service import Now


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that pages and API need to show a permit and to act on it."""

    handler: Handler
    views: Views
    tracker: Tracker
    sops: Sops
    calendars: Calendars
    rosters: Rosters
    requests: Requests
    now: Now
    catalogue: Catalogue

    async def find(self, number: str, account: Account) -> Found:
        """Return the application with a number, to look at. Raises NotFound, OtherOffice."""
        found = await self.views.find(number.strip().upper()[:40])
        if found is None:
            raise NotFound
        if not sees(self.catalogue, account, found.office):
            raise OtherOffice
        return found

    async def report(self, application_id: str) -> Report:
        """Return what can be said about an application now, straight from the store."""
        return self.tracker.report(await self.tracker.case(application_id), self.now())

    async def staff(self, office: str) -> Staff:
        """Return an office's officers as they are today, on its own date."""
        return await self.rosters.staff(office, self.calendars.of(office).local_date(self.now()))

    async def acting(self, account: Account) -> Actor:
        """Return an officer with the roles of the colleagues they stand in for today."""
        return (await self.staff(account.office)).acting(account)

    async def act(
        self,
        report: Report,
        action: Action,
        body: Any,
        account: Account,
        *,
        seen: int | None = None,
        key: str = "",
    ) -> Outcome[State]:
        """Give an officer's command and wait until the lists show what came of it.

        ``seen`` is the version that the person looked at; ``key`` names the request, so that
        sending it again does nothing more. Raises the decider's refusals, StaleScreen, KeyReused.
        """
        application_id = report.case.application_id
        cause = derived_id("request", account.username, key) if key else new_id()
        if key:
            said = f"{application_id} {action.name} {body.model_dump_json()}"
            await self.requests.check(cause, hashlib.sha256(said.encode()).hexdigest(), self.now())
        outcome = await self.handler.handle(
            DECIDER,
            stream(application_id),
            action.build(await self._ask(report, account), body),
            cause=cause,
            application=application_id,
            seen=seen,
        )
        await self.views.wait_for(application_id, outcome.position)
        return outcome

    async def _ask(self, report: Report, account: Account) -> Ask:
        now, staff = self.now(), await self.staff(account.office)
        by, today = staff.acting(account), report.calendar.local_date(now)
        return Ask(now, today, by, report.sop, report.case.scans, staff)


def allowed(report: Report, by: Actor | None) -> tuple[str, ...]:
    """Return the names of the commands that ``by`` may give to a permit now; None may nothing."""
    if by is None:
        return ()
    return possible(report.case.state, report.sop, by, report.case.scans)
