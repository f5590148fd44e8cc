"""Intake for programs: JSON in and out, problem+json for refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.intake.catalogue import ONLINE, IntakeSection, PublicCatalogue, as_json
from services.intake.desk import Ask, Desk
from services.intake.door import Door
from services.intake.refusals import OtherOffice
from services.intake.requests import (
    CorrectRequest,
    Key,
    Missing,
    NewApplication,
    Proof,
    RegisterRequest,
    ReturnRequest,
    WithdrawRequest,
    checked_answers,
    choose,
    invalid,
)
from services.intake.states import Held, Returned, held
from services.intake.submission import Accepted, Handed, Submissions, UnknownRequirement
from services.intake.uploads import Uploads
from shared.actors import APPLICANT, Role
from shared.contracts.intake import Applicant, Shortcoming
from shared.errors import NotFound, UnsupportedDocument
from shared.handle import Outcome
from shared.identity import Account
from shared.service import Now
from shared.web.i18n import msg
from shared.web.pages import Pages
from shared.web.session import current_user, require

_SAY_WHAT = msg("Say what is missing, in a reason or a note.")
_PREFIX = "/api/applications"

Counter = Annotated[Account, Depends(require(Role.COUNTER))]
Officer = Annotated[Account, Depends(require())]


def catalogue_router(catalogue: PublicCatalogue, uploads: Uploads, now: Now) -> APIRouter:
    """Return what needs nobody's permission: the catalogue, and taking documents in."""
    router = APIRouter(prefix="/api", tags=["intake"])

    @router.get("/catalogue")
    async def read_catalogue() -> dict[str, Any]:
        """Offices, permit types, requirements, working days and cost."""
        return as_json(catalogue, now())

    @router.post("/uploads", status_code=201)
    async def upload(request: Request) -> dict[str, str | int]:
        """Take one document as the raw body; name it in an application by its SHA-256."""
        if request.headers.get("content-type", "").lower().startswith("multipart/"):
            raise UnsupportedDocument
        stored = await uploads.keep(request.stream())
        return {"sha256": stored.sha256, "size": stored.size, "media_type": stored.media_type}

    return router


def submission_router(
    submissions: Submissions, catalogue: PublicCatalogue, pages: Pages, now: Now
) -> APIRouter:
    """Return the route that takes applications in."""
    router = APIRouter(prefix=_PREFIX, tags=["intake"])

    @router.post("", status_code=201)
    async def submit(
        body: NewApplication, request: Request, response: Response, key: Key = None
    ) -> dict[str, Any]:
        """Submit an application; the same Idempotency-Key gets the same answer again."""
        office, offer = choose(catalogue, body.office, body.permit_type, now)
        kind, answers = offer.kind, checked_answers(offer.section, body.answers)
        handed = Handed(
            office=office,
            kind=kind,
            section=offer.section,
            authority=catalogue.authority(office.id, kind.id, kind.version, answers),
            channel=body.channel,
            renews=body.renews,
            applicant=Applicant(**body.applicant.model_dump()),
            answers=answers,
            documents=await submissions.documents(
                offer.section, [document.named() for document in body.documents]
            ),
        )
        user = current_user(request)
        by = APPLICANT if body.channel == ONLINE or user is None else user.actor
        accepted = await submissions.submit(handed, by, key)
        response.headers["location"] = f"{_PREFIX}/{accepted.application_id}"
        return _created(accepted, pages)

    return router


def applicant_router(submissions: Submissions, desk: Desk, door: Door) -> APIRouter:
    """Return what applicants do with their number and code: correct and withdraw."""
    router = APIRouter(prefix=_PREFIX, tags=["intake"])

    @router.post("/{application_id}/correct")
    async def correct(
        application_id: str, body: CorrectRequest, request: Request, key: Key = None
    ) -> dict[str, Any]:
        """Send everything again as it now stands."""
        await _enter(door, application_id, body, request)
        section = await desk.section(application_id)
        documents = await submissions.documents(
            section, [document.named() for document in body.documents]
        )
        answers = checked_answers(section, body.answers)
        return _outcome(await desk.correct(application_id, answers, documents, Ask(key)))

    @router.post("/{application_id}/withdraw")
    async def withdraw(
        application_id: str, body: WithdrawRequest, request: Request, key: Key = None
    ) -> dict[str, Any]:
        """Take the application back."""
        await _enter(door, application_id, body, request)
        return _outcome(await desk.withdraw(application_id, body.reason, Ask(key)))

    return router


def counter_router(desk: Desk) -> APIRouter:
    """Return what officers do: read, return and register."""
    router = APIRouter(prefix=_PREFIX, tags=["intake"])

    @router.get("/{application_id}")
    async def read(application_id: str, account: Officer) -> dict[str, Any]:
        """Return an application's state, to officers of its office."""
        loaded = await desk.load(application_id)
        state = held(loaded.state)
        if state.file.office != account.office:
            raise OtherOffice
        return _shown(state, loaded.version)

    @router.post("/{application_id}/return")
    async def return_(
        application_id: str, body: ReturnRequest, account: Counter, key: Key = None
    ) -> dict[str, Any]:
        """Ask the applicant for what is missing."""
        if not (body.shortcomings or body.note):
            raise invalid("shortcomings", _SAY_WHAT)
        shortcomings = _shortcomings(await desk.section(application_id), body.shortcomings)
        return _outcome(
            await desk.return_to_applicant(
                application_id, account.actor, shortcomings, body.note, Ask(key, body.version)
            )
        )

    @router.post("/{application_id}/register")
    async def register(
        application_id: str, body: RegisterRequest, account: Counter, key: Key = None
    ) -> dict[str, Any]:
        """Say that the application is complete: the legal clock starts."""
        ask = Ask(key, body.version)
        return _outcome(await desk.register(application_id, account.actor, ask))

    return router


def _shortcomings(section: IntakeSection, missing: Sequence[Missing]) -> list[Shortcoming]:
    known = {item.id for item in section.requirements}
    if not {item.requirement for item in missing} <= known:
        raise UnknownRequirement
    return [Shortcoming(requirement=item.requirement, reason=item.reason) for item in missing]


async def _enter(door: Door, application_id: str, proof: Proof, request: Request) -> None:
    if await door.open(proof.number, proof.code, request) != application_id:
        raise NotFound


def _created(accepted: Accepted, pages: Pages) -> dict[str, Any]:
    number = accepted.file.number
    receipt = accepted.receipt()
    return {
        "application_id": accepted.application_id,
        "number": number,
        "office": accepted.file.office,
        "code": accepted.code or None,
        "receipt": receipt,
        "links": {
            "self": f"/api/applications/{accepted.application_id}",
            "track": pages.link("workflow", f"/lacak?number={number}"),
            "receipt": receipt["verify"],
            "correct": f"/api/applications/{accepted.application_id}/correct",
            "withdraw": f"/api/applications/{accepted.application_id}/withdraw",
        },
    }


def _outcome(outcome: Outcome[Any]) -> dict[str, Any]:
    state = held(outcome.state)
    return {
        "application_id": state.file.submission.application_id,
        "number": state.file.number,
        "status": state.status,
        "version": outcome.version,
    }


def _shown(state: Held, version: int) -> dict[str, Any]:
    submission = state.file.submission
    returned = state if isinstance(state, Returned) else None
    return {
        "application_id": submission.application_id,
        "number": submission.number,
        "office": state.file.office,
        "came_to": submission.office,
        "renews": submission.renews,
        "permit_type": submission.permit_type,
        "permit_version": submission.permit_version,
        "channel": submission.channel,
        "status": state.status,
        "version": version,
        "answers": dict(state.file.answers),
        "documents": [
            {"requirement": d.requirement, "sha256": d.sha256, "media_type": d.media_type}
            for d in state.file.documents
        ],
        "shortcomings": [
            {"requirement": item.requirement, "reason": item.reason}
            for item in (returned.shortcomings if returned else ())
        ],
        "note": returned.note if returned else "",
    }
