"""The counter helps: what an officer enters for a person who stands there, writes or calls."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.intake.pages import Front, ways
from shared.actors import Role
from shared.identity import Account
from shared.web.pages import language, translator
from shared.web.session import require

Counter = Annotated[Account, Depends(require(Role.COUNTER))]


def assisted_pages(front: Front) -> APIRouter:
    """Return the list of what the counter may enter; the form itself is the applicant's."""
    router = APIRouter(include_in_schema=False)

    @router.get("/pendaftaran/baru")
    async def choose(request: Request, account: Counter) -> Response:
        lang, found = language(request), []
        for offer in front.catalogue.offers(front.now()):
            office = offer.office(account.office)
            if office is not None and front.by_hand(offer, account, translator(request)):
                shown = front.permit(offer, lang)
                found.append(shown | {"pilot": "online" in ways(offer, office)})
        permits = sorted(found, key=lambda permit: str(permit["name"]))
        return front.pages.render(
            request, "intake/assisted.html", permits=permits, office=account.office
        )

    return router
