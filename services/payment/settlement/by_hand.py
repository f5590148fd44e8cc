"""A treasurer says which payment a line belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from services.payment.settlement.commands import (
    MatchLine,
)
from services.payment.settlement.facts import Class
from services.payment.settlement.file import (
    DECIDER,
    file_stream,
)
from services.payment.settlement.refusals import (
    NoSuchLine,
)
from services.payment.settlement.views import SettlementViews
from shared.actors import Actor
from shared.errors import NotFound
from shared.handle import Handler
from shared.service import Now


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was said: the line, the application, and the payment's receipt number or request id.

    ``reference`` is empty for money that nobody reported, which then counts for the bill.
    """

    settlement_id: str
    line: int
    application_id: str
    reference: str
    reason: str


class Matcher:
    """Carries a match to its file."""

    def __init__(self, handler: Handler, views: SettlementViews, now: Now) -> None:
        """``views`` say whether the line waits for somebody, and what an application owes."""
        self._handler = handler
        self._views = views
        self._now = now

    async def match(self, said: Match, by: Actor, cause: str) -> int:
        """Record what a person said; return the position, to read one's own write.

        Raises NotFound for a line of another office or an application without a bill, NotAllowed,
        NoSuchLine, LineNotWaiting, LineMatchedOtherwise, ReasonNeeded.
        """
        row = await self._views.line(said.settlement_id, said.line)
        if row is None:
            raise NoSuchLine
        holds = row.partner in self._views.partners_of(by.office)
        bill = await self._views.bill_of(said.application_id)
        if not bill or not (holds or row.office == by.office):
            raise NotFound
        command = MatchLine(
            line=said.line,
            application_id=said.application_id,
            bill_id=bill,
            reference=said.reference,
            reason=said.reason,
            waits=row.name in (Class.PENDING, ""),
            now=self._now(),
            by=by,
        )
        outcome = await self._handler.handle(
            DECIDER,
            file_stream(said.settlement_id),
            command,
            cause=cause,
            application=said.settlement_id,
        )
        return outcome.position
