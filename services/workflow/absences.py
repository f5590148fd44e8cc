"""Who is away and who stands in: the officers' page ``/petugas/cuti``, and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.workflow.pages import Counter
from services.workflow.roster import (
    DECIDER,
    Absence,
    CancelAbsence,
    Command,
    RecordAbsence,
    Roster,
    stream,
)
from services.workflow.staff import Staff
from services.workflow.wording import Teller
from shared.actors import Role
from shared.errors import InvalidInput, NotAllowed, Refused
from shared.handle import Outcome
from shared.identity import Account
from shared.ids import derived_id, new_id
from shared.text import CleanText
from shared.web.forms import Form, parse_form, read_form
from shared.web.i18n import msg
from shared.web.pages import language, translator
from shared.web.session import require

PATH = "/petugas/cuti"
_WHO = tuple(role for role in Role if role not in (Role.ADMIN, Role.TREASURER))
Officer = Annotated[Account, Depends(require(*_WHO))]
_RECORDED = msg("The absence is recorded. The deputy can go on with the work.")
_CANCELLED = msg("The absence is cancelled.")
COMMANDS = {"RecordAbsence": msg("Record an absence"), "CancelAbsence": msg("Cancel an absence")}
"""Command -> the sentence by which a refusal's page offers it."""
_Account = Annotated[str, Field(min_length=1, max_length=64)]


class AbsenceBody(BaseModel):
    """Who is away from when to when (both days included), and who stands in."""

    model_config = ConfigDict(extra="forbid")

    account: _Account
    deputy: _Account
    first: date
    last: date
    reason: Annotated[CleanText, Field(max_length=200)] = ""


class AbsenceForm(AbsenceBody):
    """The same from a page, which also sends its token and the name of its request."""

    model_config = ConfigDict(extra="ignore")

    key: Annotated[str, Field(max_length=64)] = ""


class Recorded(BaseModel):
    """An absence under its reference; ``events`` is empty when it had already happened."""

    absence_id: str
    events: list[str]


@dataclass(frozen=True)
class Absences:
    """Records and cancels absences of one's own office."""

    counter: Counter

    async def record(self, account: Account, body: AbsenceBody, key: str) -> Recorded:
        """Record an absence; ``key`` names the request. Raises the roster's refusals."""
        staff = await self.staff(account)
        absence = derived_id("absence", account.username, key) if key else new_id()
        command = RecordAbsence(
            now=self.counter.desk.now(),
            by=account.actor,
            office=account.office,
            absence_id=absence,
            officer=staff.officer(body.account),
            deputy=staff.officer(body.deputy),
            first=body.first,
            last=body.last,
            today=staff.day,
            reason=body.reason,
        )
        outcome = await self._give(command, absence)
        return Recorded(absence_id=absence, events=[one.type for one in outcome.events])

    async def cancel(self, account: Account, absence_id: str) -> Recorded:
        """Cancel an absence. Raises the roster's refusals."""
        staff = await self.staff(account)
        command = CancelAbsence(
            now=self.counter.desk.now(),
            by=account.actor,
            office=account.office,
            absence_id=absence_id,
            today=staff.day,
        )
        outcome = await self._give(command, new_id())
        return Recorded(absence_id=absence_id, events=[one.type for one in outcome.events])

    async def _give(self, command: Command, cause: str) -> Outcome[Roster]:
        return await self.counter.desk.handler.handle(
            DECIDER,
            stream(command.office),
            command,
            cause=cause,
            application=derived_id("roster", command.office),
        )

    async def staff(self, account: Account) -> Staff:
        """Return the officers of the account's office today."""
        return await self.counter.desk.staff(account.office)

    async def drawn(
        self, request: Request, account: Account, form: Form, status: int = 200, refusal: str = ""
    ) -> Response:
        """Return the page: who is away now or later, and the form for another absence."""
        staff, lang = await self.staff(account), language(request)
        teller = self.counter.teller(account.office, lang)
        names = [(one.username, one.display_name) for one in staff.colleagues()]
        leads = account.has(Role.SUPERVISOR)
        return self.counter.pages.render(
            request,
            "workflow/absences.html",
            status_code=status,
            office=teller.office.name.of(lang),
            absences=_told(staff, teller, account),
            officers=names if leads else [pair for pair in names if pair[0] == account.username],
            deputies=names,
            today=staff.day.isoformat(),
            form=form,
            key=new_id(),
            refusal=refusal,
        )


def _told(staff: Staff, teller: Teller, account: Account) -> list[Mapping[str, Any]]:
    """Return what is told of every absence that is not over, the next one first."""
    leads = account.has(Role.SUPERVISOR)
    lasting = [one for one in staff.roster.absences if not one.cancelled and one.last >= staff.day]
    return [
        {
            "id": one.recorded.absence_id,
            "name": teller.name_of(one.recorded.account),
            "deputy": teller.name_of(one.recorded.deputy),
            "first": teller.day(one.recorded.first),
            "last": teller.day(one.recorded.last),
            "reason": one.recorded.reason,
            "now": one.first <= staff.day,
            "mine": leads or one.recorded.account == account.username,
        }
        for one in sorted(lasting, key=_by_day)
    ]


def _by_day(absence: Absence) -> tuple[date, str]:
    return absence.first, absence.recorded.account


def absence_pages(absences: Absences) -> APIRouter:
    """Return ``/petugas/cuti``: officers see everybody's, and change their own."""
    router, pages = APIRouter(include_in_schema=False), absences.counter.pages

    @router.get(PATH)
    async def show(request: Request, account: Officer) -> Response:
        return await absences.drawn(request, account, Form())

    @router.post(PATH)
    async def record(request: Request, account: Officer) -> Response:
        parsed = parse_form(AbsenceForm, await read_form(request))
        if parsed.value is None:
            return await absences.drawn(request, account, parsed.form, 422)
        body = AbsenceBody.model_validate(parsed.value.model_dump(exclude={"key"}))
        try:
            await absences.record(account, body, parsed.value.key)
        except (Refused, InvalidInput, NotAllowed) as error:
            why = translator(request).t(error.message(), **error.params)
            return await absences.drawn(request, account, parsed.form, error.status, why)
        return pages.redirect(request, PATH, flash=_RECORDED)

    @router.post(PATH + "/{absence_id}/batal")
    async def cancel(request: Request, account: Officer, absence_id: str) -> Response:
        try:
            await absences.cancel(account, absence_id[:64])
        except (Refused, NotAllowed) as error:
            why = translator(request).t(error.message(), **error.params)
            return await absences.drawn(request, account, Form(), error.status, why)
        return pages.redirect(request, PATH, flash=_CANCELLED)

    return router


def absence_api(absences: Absences, officer: Any) -> APIRouter:
    """Return ``/absences`` below the API's own path; ``officer`` gives the account."""
    router = APIRouter(prefix="/absences")

    async def record(
        body: AbsenceBody,
        account: Account = officer,
        key: Annotated[str, Header(alias="Idempotency-Key", max_length=128)] = "",
    ) -> Recorded:
        return await absences.record(account, body, key)

    async def cancel(absence_id: str, account: Account = officer) -> Recorded:
        return await absences.cancel(account, absence_id[:64])

    router.add_api_route("", record, methods=["POST"], summary="Record who is away")
    router.add_api_route(
        "/{absence_id}/cancel", cancel, methods=["POST"], summary="Cancel an absence"
    )
    return router
