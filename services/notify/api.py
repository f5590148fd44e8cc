"""The programs' side: messages as JSON for officers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.notify.views import MessageViews
from shared.actors import Role
from shared.events import from_micros
from shared.identity import Account
from shared.web.session import require

READERS = (
    Role.COUNTER,
    Role.VERIFIER,
    Role.SURVEYOR,
    Role.ASSESSOR,
    Role.SIGNER,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
Reader = Annotated[Account, Depends(require(*READERS))]


class MessageOut(BaseModel):
    """A message as programs see it: where it stands, not what it says."""

    message_id: str
    rule: str
    channel: str
    state: str
    queued_at: str


def messages_router(views: MessageViews) -> APIRouter:
    """Return ``/api/messages``: where the office's messages stand."""
    router = APIRouter(prefix="/api/messages", tags=["messages"])

    @router.get("")
    async def newest(
        account: Reader,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> list[MessageOut]:
        """Return the messages of the caller's office, the newest first."""
        rows = await views.newest(account.office, limit, (page - 1) * limit)
        return [
            MessageOut(
                message_id=row.message_id,
                rule=row.rule,
                channel=row.channel,
                state=row.state,
                queued_at=from_micros(row.queued_us).isoformat(),
            )
            for row in rows
        ]

    return router
