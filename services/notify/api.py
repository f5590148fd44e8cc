"""The programs' side: messages as JSON, and sending one again.

``Idempotency-Key`` names a request, so that sending it again does nothing more.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel

from services.notify.log.lists import LogRow, Wanted
from services.notify.log.pages import LogPages
from services.notify.log.rights import Reader, Resender
from shared.errors import NotFound
from shared.events import from_micros
from shared.ids import new_id

State = Literal[
    "queued", "sending", "sent", "delivered", "read", "failed", "digested", "superseded", "unknown"
]
_Word = Annotated[str, Query(max_length=64)]


class MessageOut(BaseModel):
    """A message as programs see it: where it stands, not what it says or to which number.

    ``reason`` is a provider's code or ours; ``possible_duplicate``: it may have gone out twice;
    ``resent_as`` is the message that went out in its place, or empty.
    """

    message_id: str
    application_id: str
    number: str
    rule: str
    audience: str
    channel: str
    state: str
    reason: str
    attempts: int
    possible_duplicate: bool
    resent_as: str
    queued_at: str
    changed_at: str


class ResentOut(BaseModel):
    """The new message that was queued."""

    message_id: str


def messages_router(log: LogPages) -> APIRouter:
    """Return ``/api/messages``: where the office's messages stand."""
    router = APIRouter(prefix="/api/messages", tags=["messages"])

    @router.get("")
    async def newest(
        account: Reader,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
        state: State | None = None,
        channel: _Word = "",
        reason: _Word = "",
        application_id: _Word = "",
    ) -> list[MessageOut]:
        """Return the messages of the caller's office, the newest first."""
        wanted = Wanted((state,) if state else (), channel, reason, application_id)
        rows = await log.lists.messages(account.office, wanted, limit, (page - 1) * limit)
        return [_out(row) for row in rows]

    @router.get("/{message_id}")
    async def one(account: Reader, message_id: str) -> MessageOut:
        """Return one message of the caller's office."""
        rows = await log.lists.messages(account.office, Wanted(message_id=message_id[:64]), 1)
        if not rows:
            raise NotFound
        return _out(rows[0])

    @router.post("/{message_id}/resend", status_code=201)
    async def resend(
        account: Resender,
        message_id: str,
        key: Annotated[str, Header(alias="Idempotency-Key", max_length=128)] = "",
    ) -> ResentOut:
        """Send what did not arrive again, as a new message; 409 says why not."""
        again = await log.resending.again(message_id[:64], account, key or new_id())
        return ResentOut(message_id=again)

    return router


def _out(row: LogRow) -> MessageOut:
    return MessageOut(
        message_id=row.message_id,
        application_id=row.application_id,
        number=row.number,
        rule=row.rule,
        audience=row.audience,
        channel=row.channel,
        state=row.state,
        reason=row.reason,
        attempts=row.attempts,
        possible_duplicate=bool(row.resent),
        resent_as=row.resend_id,
        queued_at=from_micros(row.queued_us).isoformat(),
        changed_at=from_micros(row.changed_us).isoformat(),
    )
