"""What the applicant keeps: number, code, signed receipt; and the receipt's public check."""

from __future__ import annotations

import hmac
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from services.intake.pages import Front
from services.intake.secrecy import in_order
from services.intake.submission import Accepted
from shared.errors import NotFound
from shared.web.pages import translator
from shared.web.qr import qr


def accepted_pages(front: Front) -> APIRouter:
    """Return what the applicant keeps: number, code, receipt; and its public check."""
    router = APIRouter(include_in_schema=False)

    @router.get("/diterima")
    async def show(request: Request) -> Response:
        application_id = front.visit.application(request)
        if application_id is None:
            return front.pages.redirect(request, "/")
        accepted = await front.submissions.accepted(application_id)
        shown = _shown(front, request, accepted)
        return front.pages.render(request, "intake/accepted.html", **shown)

    @router.post("/diterima")
    async def close(request: Request) -> Response:
        """Make this browser forget number and code, for whoever sits here next."""
        answer = front.pages.redirect(request, "/")
        front.visit.end(answer)
        return answer

    @router.get("/terima/{number}/{signature}")
    async def verify(request: Request, number: str, signature: str) -> Response:
        row = await front.applications.soon(number)
        if row is None:
            raise NotFound
        accepted = await front.submissions.accepted(row.application_id)
        if not hmac.compare_digest(accepted.signature.encode(), signature.encode()):
            raise NotFound
        return front.pages.render(
            request, "intake/receipt.html", **_shown(front, request, accepted)
        )

    return router


def _shown(front: Front, request: Request, accepted: Accepted) -> dict[str, Any]:
    submission, tr = accepted.file.submission, translator(request)
    office = front.catalogue.office(accepted.file.office)
    came_to = front.catalogue.office(submission.office).name.of(tr.lang)
    section = front.catalogue.section(submission.permit_type, submission.permit_version)
    track = front.track_link(submission.number)
    own = str(request.base_url).rstrip("/")
    return {
        "number": submission.number,
        "code": accepted.code,
        "office": office.name.of(tr.lang),
        "came_to": came_to if office.id != submission.office else "",
        "permit": front.catalogue.name(submission.permit_type, submission.permit_version, tr.lang),
        "submitted": tr.datetime(accepted.file.submitted_at, ZoneInfo(office.zone)),
        "documents": [
            (section.requirement_name(document.requirement, tr.lang), document.sha256)
            for document in in_order(submission.documents)
        ],
        "track": track,
        "qr": qr(track if "://" in track else own + track),
        "verify": accepted.receipt()["verify"],
    }
