"""The administrator's page of data files: what is in force, what comes, and what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response

from shared.actors import Role
from shared.identity import Account
from shared.offices import Catalogue, Office, PermitType
from shared.service import Now
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, translator
from shared.web.session import require

Keeper = Annotated[Account, Depends(require(Role.ADMIN, Role.SUPERVISOR, Role.AUDITOR))]
_NOW, _LATER, _BEFORE = msg("In force"), msg("To come"), msg("Replaced")
_TONES = {_NOW: "success", _LATER: "info", _BEFORE: "neutral"}


def files_pages(pages: Pages, catalogue: Catalogue, now: Now) -> APIRouter:
    """Return the page; it shows the keeper's own office, and every refused file."""
    router = APIRouter(include_in_schema=False)

    @router.get("/berkas-data")
    async def files(request: Request, account: Keeper) -> Response:
        tr, at = translator(request), now()
        return pages.render(
            request,
            "intake/files.html",
            refused=[(one.say(tr), "danger") for one in catalogue.refused],
            versions=list(_versions(catalogue, account.office, at, tr)),
        )

    return router


def _versions(
    catalogue: Catalogue, office_id: str, at: datetime, tr: Translator
) -> list[dict[str, Any]]:
    """Return the versions of an office and of the permit types it gives, the newest first."""
    office = catalogue.offices[office_id]
    today = at.astimezone(ZoneInfo(office.zone)).date()
    rows = [_row(one, office, tr) for one in reversed(catalogue.versions(office_id))]
    for name in office.permit_types:
        in_force = catalogue.current(name, today)
        kinds = [kind for kind in catalogue.types.values() if kind.id == name]
        kinds.sort(key=lambda kind: kind.effective, reverse=True)
        rows += [_row(kind, in_force, tr) for kind in kinds]
    return rows


def _row(
    one: Office | PermitType, in_force: Office | PermitType | None, tr: Translator
) -> dict[str, Any]:
    later = in_force is None or one.effective > in_force.effective
    standing = _NOW if one is in_force else (_LATER if later else _BEFORE)
    return {
        "name": one.name.of(tr.lang),
        "version": one.version,
        "effective": one.effective.isoformat(),
        "source": one.source,
        "standing": tr.t(standing),
        "tone": _TONES[standing],
    }
