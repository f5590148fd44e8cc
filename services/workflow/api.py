"""The same commands and answers for programs: JSON in, JSON or problem+json out.

Officers come with their session cookie or with HTTP Basic. ``Idempotency-Key`` names a request, so
that sending it again does nothing more; ``If-Match`` names the version that was looked at.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.workflow.absences import Absences, absence_api
from services.workflow.actions import ACTIONS, Action
from services.workflow.complaints import Grievances
from services.workflow.desk import Desk, allowed
from services.workflow.door import Door as TrackingDoor
from services.workflow.letter import Letters
from services.workflow.status import Report
from shared.actors import Actor, Role
from shared.errors import InvalidInput, NotAllowed, NotSignedIn
from shared.handle import Outcome
from shared.identity import Account, Accounts
from shared.text import CleanParagraph
from shared.web.login import Door, FailedTries
from shared.web.session import current_user

IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", max_length=128, description="Names this request.")
]
IfMatch = Annotated[
    str, Header(alias="If-Match", max_length=24, description="The version that was looked at.")
]


class Time(BaseModel):
    """Working minutes used of a budget; ``left`` is negative beyond it."""

    used: int
    budget: int
    left: int


class PermitStatus(BaseModel):
    """How an application stands. Instants are ISO 8601; ``allowed`` are commands possible now."""

    number: str
    office: str
    permit_type: str
    permit_version: int
    status: str
    stage: str
    role: str
    waits_for: str
    clock: str
    total: Time | None
    stage_time: Time | None
    due: str
    deadline: str
    expected: str
    version: int
    allowed: list[str] = []


class Done(BaseModel):
    """What a command came to; ``events`` is empty when it had already happened."""

    number: str
    version: int
    position: int
    events: list[str]


class TrackBody(BaseModel):
    """What is on the applicant's receipt."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(max_length=100)]
    code: Annotated[str, Field(max_length=100)]


class ComplainBody(TrackBody):
    """What is on the applicant's receipt, and what went wrong."""

    text: Annotated[CleanParagraph, Field(min_length=1, max_length=2000)]


def signed_in(accounts: Accounts, tries: FailedTries) -> Callable[[Request], Awaitable[Account]]:
    """Return a dependency that gives the account of a session or of HTTP Basic credentials.

    Raises NotSignedIn, TooManyRequests.
    """
    door = Door(accounts, tries)

    async def account(request: Request) -> Account:
        found = current_user(request)
        if found is None:
            name, password = _basic(request.headers.get("authorization", ""))
            address = request.client.host if request.client else ""
            found = await door.enter(name, password, address) if name else None
        if found is None:
            raise NotSignedIn
        return found

    return account


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def status_of(report: Report, by: Actor | None = None) -> PermitStatus:
    """Return a report as programs read it; nothing personal is in it."""
    about, reading = report.case.about, report.reading
    amounts = (reading.total, reading.stage) if reading else (None, None)
    total, stage_time = (
        Time(used=amount.used, budget=amount.budget, left=amount.left) if amount else None
        for amount in amounts
    )
    instants = (reading.due, reading.deadline, reading.expected) if reading else (None,) * 3
    due, deadline, expected = (at.isoformat() if at else "" for at in instants)
    return PermitStatus(
        number=about.number,
        office=about.office,
        permit_type=about.permit_type,
        permit_version=about.permit_version,
        status=report.status,
        stage=report.stage.id if report.stage else "",
        role=str(report.role or ""),
        waits_for=report.waits_for,
        clock=reading.mode if reading else "not-started",
        total=total,
        stage_time=stage_time,
        due=due,
        deadline=deadline,
        expected=expected,
        version=report.case.version,
        allowed=list(allowed(report, by)),
    )


def workflow_api(
    desk: Desk,
    tracking: TrackingDoor,
    grievances: Grievances,
    absences: Absences,
    letters: Letters,
    accounts: Accounts,
    tries: FailedTries | None = None,
) -> APIRouter:
    """Return ``/api/workflow``."""
    router = APIRouter(prefix="/api/workflow", tags=["workflow"])
    officer = Depends(signed_in(accounts, tries or FailedTries()))
    router.include_router(_officers_api(desk, officer))
    router.include_router(_applicants_api(desk, tracking, grievances, letters))
    router.include_router(absence_api(absences, officer))
    return router


def _officers_api(desk: Desk, officer: Any) -> APIRouter:
    """Return what officers' programs ask; ``officer`` is the dependency that gives the account."""
    router = APIRouter()

    # A default, not an annotation: annotations here are text, and a local name can't be found.
    async def show(number: str, account: Account = officer) -> PermitStatus:
        found = await desk.find(number, account)
        report = await desk.report(found.application_id)
        return status_of(report, await desk.acting(account))

    async def board(account: Account = officer) -> dict[str, Any]:
        if not account.has(Role.SUPERVISOR, Role.SIGNER, Role.AUDITOR):
            raise NotAllowed
        counts = await desk.views.counts(account.office)
        return counts._asdict() | {"by_status": await desk.views.by_status(account.office)}

    router.add_api_route("/permits/{number}", show, summary="How an application stands")
    router.add_api_route("/board", board, summary="Counts of the office's open files")
    for action in ACTIONS:
        router.add_api_route(
            f"/permits/{{number}}/{action.name}",
            _endpoint(desk, action, officer),
            methods=["POST"],
            name=action.name,
            summary=action.title,
        )
    return router


def _applicants_api(
    desk: Desk, tracking: TrackingDoor, grievances: Grievances, letters: Letters
) -> APIRouter:
    """Return what applicants' programs ask, with the number and code on the receipt."""
    router = APIRouter()

    async def track(request: Request, body: TrackBody) -> PermitStatus:
        found = await tracking.open(body.number, body.code, request)
        return status_of(await desk.report(found.application_id))

    async def letter(request: Request, body: TrackBody) -> Response:
        found = await tracking.open(body.number, body.code, request)
        return await letters.answer(request, await desk.report(found.application_id))

    async def complain(request: Request, body: ComplainBody, key: IdempotencyKey = "") -> Done:
        found = await tracking.open(body.number, body.code, request)
        report = await grievances.report(found.application_id)
        return _done(report, await grievances.file(report, body.text, key))

    router.add_api_route(
        "/track", track, methods=["POST"], summary="How it stands, by number and secret code"
    )
    router.add_api_route(
        "/letter",
        letter,
        methods=["POST"],
        summary="The permit's letter, by number and secret code",
        response_class=Response,
        responses={200: {"content": {"application/pdf": {}}}},
    )
    router.add_api_route(
        "/complaints", complain, methods=["POST"], summary="Complain, by number and secret code"
    )
    return router


def _endpoint(desk: Desk, action: Action, officer: Any) -> Callable[..., Awaitable[Done]]:
    async def act(
        number: str,
        body: Any,
        account: Any,
        key: IdempotencyKey = "",
        version: IfMatch = "",
    ) -> Done:
        found = await desk.find(number, account)
        report = await desk.report(found.application_id)
        seen = _seen(version)
        outcome = await desk.act(report, action, body, account, seen=seen, key=key)
        return _done(report, outcome)

    # Each command has a body of its own, so that the published description names its fields.
    act.__annotations__ |= {
        "body": Annotated[action.body, Body()],
        "account": Annotated[Account, officer],
    }
    return act


def _done(report: Report, outcome: Outcome[Any]) -> Done:
    return Done(
        number=report.case.about.number,
        version=outcome.version,
        position=outcome.position,
        events=[recorded.type for recorded in outcome.events],
    )


def _seen(header: str) -> int | None:
    text = header.strip().removeprefix("W/").strip('"')
    if not text or text == "*":
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput
    return int(text)
